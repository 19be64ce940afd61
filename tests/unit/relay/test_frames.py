"""Frames survive any order and nothing else."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem_bridge.relay.frames import MAX_GAP, MAX_PAYLOAD, Decoder, Frame, Kind, LinkError, Resequencer

FRAMES = st.builds(
    Frame,
    kind=st.sampled_from(Kind),
    number=st.integers(min_value=0, max_value=2**64 - 1),
    stream=st.integers(min_value=0, max_value=2**32 - 1),
    payload=st.binary(max_size=300),
)


@given(st.lists(FRAMES, max_size=10), st.integers(min_value=1, max_value=50))
def test_frames_come_out_as_they_went_in_however_they_are_cut(frames: list[Frame], cut: int) -> None:
    data = b"".join(frame.encode() for frame in frames)
    decoder = Decoder()
    found = [frame for start in range(0, len(data), cut) for frame in decoder.feed(data[start : start + cut])]
    assert found == frames


@given(FRAMES, st.data())
def test_a_changed_byte_is_never_taken_for_data(frame: Frame, data: st.DataObject) -> None:
    message = bytearray(frame.encode())
    place = data.draw(st.integers(min_value=0, max_value=len(message) - 1))
    message[place] ^= data.draw(st.integers(min_value=1, max_value=255))
    decoder = Decoder()
    try:
        assert decoder.feed(bytes(message)) == []  # a longer length waits for bytes that belong to the next frame
        with pytest.raises(LinkError):
            decoder.feed(bytes(MAX_PAYLOAD + 100))
    except LinkError:
        pass


@given(st.integers(min_value=1, max_value=200), st.randoms(use_true_random=False))
def test_any_order_is_put_right(count: int, chance: random.Random) -> None:
    frames = [Frame(Kind.DATA, number, 1, bytes([number % 256])) for number in range(1, count + 1)]
    sent = frames + frames[: count // 3]  # some arrive twice
    chance.shuffle(sent)
    resequencer = Resequencer()
    assert [ready for frame in sent for ready in resequencer.push(frame)] == frames
    assert not resequencer.has_gap


def test_a_hole_that_is_too_wide_ends_the_link() -> None:
    with pytest.raises(LinkError, match="missing"):
        Resequencer().push(Frame(Kind.DATA, MAX_GAP + 1))


def test_garbage_ends_the_link() -> None:
    with pytest.raises(LinkError, match="not a frame"):
        Decoder().feed(b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n")
