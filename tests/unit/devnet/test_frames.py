"""What the devnet's VPN reads in frames, and the one it makes itself."""

from golem_devnet.net.frames import BROADCAST, announcement, destination, is_arp, source


def test_an_announcement_is_from_the_newcomer_for_a_sibling() -> None:
    frame = announcement("192.168.0.4", "192.168.0.3")
    assert is_arp(frame)
    assert frame.startswith(BROADCAST)
    assert (source(frame), destination(frame)) == ("192.168.0.4", "192.168.0.3")
    assert len(frame) == 14 + 28


def test_short_and_foreign_frames_are_from_nobody() -> None:
    assert source(announcement("192.168.0.4", "192.168.0.3")[:30]) is None
    assert source(bytes(12) + b"\x86\xdd" + bytes(40)) is None
