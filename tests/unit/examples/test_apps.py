from __future__ import annotations

import collections
import struct
import zlib

import pytest

from examples import actors, bridge_deal, hash_cracker, mandelbrot, pi

HAND = "AKxxx.Kxx.Axx.xx"


def test_pi_is_near_and_the_same_for_the_same_seed() -> None:
    inside = pi.hits(20_000, seed=1)
    assert pi.estimate(inside, 20_000) == pytest.approx(3.1416, abs=0.05)
    assert pi.hits(20_000, seed=1) == inside
    assert pi.hits(20_000, seed=2) != inside


def test_every_word_goes_to_one_actor_and_none_is_lost() -> None:
    words = actors.text(500, seed=3)
    shares = actors.shares(words, 3)
    assert sorted(word for share in shares for word in share) == sorted(words)
    owners = collections.Counter(word for share in shares for word in set(share))
    assert set(owners.values()) == {1}


def test_an_actor_remembers() -> None:
    counter = actors.WordCounter()
    counter.add(["the", "of"])
    counter.add(["the"])
    assert counter.counts() == {"the": 2, "of": 1}


def test_points_inside_never_escape() -> None:
    assert mandelbrot.steps(0j, 50) == 50
    assert mandelbrot.steps(-1 + 0j, 50) == 50
    assert mandelbrot.steps(2 + 2j, 50) == 1


def test_bands_make_the_same_picture_as_one_piece() -> None:
    whole = mandelbrot.band(0, 8, 12, 8, 20)
    assert [*mandelbrot.band(0, 3, 12, 8, 20), *mandelbrot.band(3, 8, 12, 8, 20)] == whole
    assert {len(row) for row in whole} == {12 * 3}
    assert whole[3] != whole[0]


def test_the_png_holds_the_pixels() -> None:
    rows = mandelbrot.band(0, 4, 6, 4, 20)
    data = mandelbrot.png(rows, 6)
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    chunks = dict(chunks_of(data[8:]))
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    assert struct.unpack(">IIBBBBB", chunks[b"IHDR"]) == (6, 4, 8, 2, 0, 0, 0)
    assert zlib.decompress(chunks[b"IDAT"]) == b"".join(b"\0" + row for row in rows)


def chunks_of(data: bytes) -> list[tuple[bytes, bytes]]:
    found = []
    while data:
        (size,) = struct.unpack(">I", data[:4])
        kind, body, check = data[4:8], data[8 : 8 + size], data[8 + size : 12 + size]
        assert struct.unpack(">I", check)[0] == zlib.crc32(kind + body)
        found.append((kind, body))
        data = data[12 + size :]
    return found


def test_the_prefixes_cover_all_words() -> None:
    assert len(hash_cracker.prefixes(1)) == len(hash_cracker.prefixes(4)) == 26
    assert len(set(hash_cracker.prefixes(5))) == 26 * 26


def test_only_the_right_part_of_the_search_finds_the_word() -> None:
    wanted = hash_cracker.digest("ray")
    assert hash_cracker.search(wanted, "r", 3) == "ray"
    assert hash_cracker.search(wanted, "s", 3) is None
    assert hash_cracker.search(hash_cracker.digest("x"), "x", 1) == "x"


def test_a_hand_is_read() -> None:
    cards = bridge_deal.parse_hand(HAND)
    assert len(set(cards)) == 13
    assert cards[:5] == ["SA", "SK", "S2", "S3", "S4"]
    assert bridge_deal.points(cards) == 14


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("AKQ.J.T", "four suits"),
        ("AKxxx.Kxx.Axx.x", "13 cards"),
        ("AAxxx.Kxx.Axx.xx", "no holding"),
        ("A1xxx.Kxx.Axx.xx", "no holding"),
        ("xxxxxxxxxxxxx...", "no holding"),
    ],
)
def test_a_wrong_hand_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        bridge_deal.parse_hand(text)


def test_partner_never_holds_our_cards() -> None:
    """All 13 spades: no fit is longer than 13, and partner has at most three suits."""
    hand = bridge_deal.parse_hand("AKQJT98765432...")
    result = bridge_deal.simulate(hand, 200, seed=1)
    assert result["deals"] == result["fit"] == 200
    assert bridge_deal.best_fit(hand, ["H2"]) == 13


def test_deals_are_plausible_and_repeatable() -> None:
    hand = bridge_deal.parse_hand(HAND)
    result = bridge_deal.simulate(hand, 2000, seed=5)
    assert result == bridge_deal.simulate(hand, 2000, seed=5)
    assert result["both"] <= min(result["game"], result["fit"])
    assert 0.2 < result["game"] / result["deals"] < 0.4  # partner has 11 of the 26 points left: about 3 in 10
    assert 0.7 < result["fit"] / result["deals"] < 0.9


def test_plain_adds_the_tasks_up() -> None:
    hand = bridge_deal.parse_hand(HAND)
    one, two = bridge_deal.simulate(hand, 50, 0), bridge_deal.simulate(hand, 50, 1)
    assert bridge_deal.plain(hand, 2, 50) == one + two
