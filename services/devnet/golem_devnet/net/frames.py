"""What the VPN has to know of an Ethernet frame: whom it is for and whom it is from."""

from __future__ import annotations

import struct
from socket import inet_aton, inet_ntoa

ARP, IPV4 = b"\x08\x06", b"\x08\x00"
BROADCAST = b"\xff" * 6


def destination(frame: bytes) -> str | None:
    """IPv4 address a frame is for (ARP: the address asked for); None for other protocols and short frames."""
    return _address(frame, arp_at=38, ipv4_at=30)


def source(frame: bytes) -> str | None:
    """IPv4 address a frame is from."""
    return _address(frame, arp_at=28, ipv4_at=26)


def is_arp(frame: bytes) -> bool:
    return frame[12:14] == ARP


def announcement(ip: str, to: str) -> bytes:
    """What a guest that has just come sends before all else: who has ``to``? tell ``ip``."""
    mac = b"\xa0\x13" + inet_aton(ip)  # as yagna makes its own
    question = struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1) + mac + inet_aton(ip) + bytes(6) + inet_aton(to)
    return BROADCAST + mac + ARP + question


def _address(frame: bytes, *, arp_at: int, ipv4_at: int) -> str | None:
    if frame[12:14] == ARP:
        place = arp_at
    elif frame[12:14] == IPV4:
        place = ipv4_at
    else:
        return None
    octets = frame[place : place + 4]
    return inet_ntoa(octets) if len(octets) == 4 else None
