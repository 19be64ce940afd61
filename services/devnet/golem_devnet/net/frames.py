"""What the VPN has to know of an Ethernet frame: whom it is for and whom it is from."""

from __future__ import annotations

from socket import inet_ntoa

ARP, IPV4 = b"\x08\x06", b"\x08\x00"


def destination(frame: bytes) -> str | None:
    """IPv4 address a frame is for (ARP: the address asked for); None for other protocols and short frames."""
    return _address(frame, arp_at=38, ipv4_at=30)


def source(frame: bytes) -> str | None:
    """IPv4 address a frame is from."""
    return _address(frame, arp_at=28, ipv4_at=26)


def is_arp(frame: bytes) -> bool:
    return frame[12:14] == ARP


def _address(frame: bytes, *, arp_at: int, ipv4_at: int) -> str | None:
    if frame[12:14] == ARP:
        place = arp_at
    elif frame[12:14] == IPV4:
        place = ipv4_at
    else:
        return None
    octets = frame[place : place + 4]
    return inet_ntoa(octets) if len(octets) == 4 else None
