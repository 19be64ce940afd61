"""Frames of the relay's link. Part of what is sent to nodes: standard library only, Python 3.9 or newer.

A frame is one message. yagna 0.17.6 may deliver messages that are sent close together in another order, but
whole; so every frame that must be in order carries a number, and a checksum tells a frame from anything else.

    magic 2 | version 1 | type 1 | sequence 8 | stream 4 | length 2 | crc32 4 | payload ≤ 16 KiB
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum

HEADER = struct.Struct(">2sBBQIHI")
MAGIC = b"RG"
VERSION = 1
MAX_PAYLOAD = 16 * 1024
"""Bytes. Larger messages gain nothing: yagna's VPN carries 1.4 KB at a time."""

MAX_GAP = 1024
"""Frames that may be waited for out of order before the link is given up."""


class LinkError(Exception):
    """The link cannot be trusted or used any more."""


class Kind(IntEnum):
    """HELLO to EOF are numbered; the rest may arrive in any order and says something cumulative or idempotent."""

    HELLO = 1
    OPEN = 2
    OPENED = 3
    REFUSED = 4
    DATA = 5
    EOF = 6
    RESET = 7
    ACK = 16
    WINDOW = 17
    PING = 18
    PONG = 19

    @property
    def is_numbered(self) -> bool:
        return self < Kind.ACK


@dataclass(frozen=True)
class Frame:
    """``number`` is the place in the order (from 1) of numbered kinds, or the value an ACK or WINDOW states."""

    kind: Kind
    number: int = 0
    stream: int = 0
    payload: bytes = b""

    def encode(self) -> bytes:
        """The message that carries this frame."""
        head = (MAGIC, VERSION, int(self.kind), self.number, self.stream, len(self.payload))
        crc = zlib.crc32(self.payload, zlib.crc32(HEADER.pack(*head, 0)))
        return HEADER.pack(*head, crc) + self.payload


class Decoder:
    """Takes bytes as they come, gives frames as they were sent."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """Raises LinkError for anything that is not a frame."""
        self._buffer += data
        frames = []
        while len(self._buffer) >= HEADER.size:
            length = self._length()
            if len(self._buffer) < HEADER.size + length:
                break
            frames.append(self._frame(length))
            del self._buffer[: HEADER.size + length]
        return frames

    def _length(self) -> int:
        magic, version, _, _, _, length, _ = HEADER.unpack_from(self._buffer)
        if magic != MAGIC or version != VERSION or length > MAX_PAYLOAD:
            raise LinkError("what arrived is not a frame")
        return int(length)

    def _frame(self, length: int) -> Frame:
        _, _, kind, number, stream, _, crc = HEADER.unpack_from(self._buffer)
        payload = bytes(self._buffer[HEADER.size : HEADER.size + length])
        try:
            frame = Frame(Kind(kind), number, stream, payload)
        except ValueError as error:
            raise LinkError("a frame of unknown kind arrived") from error
        if HEADER.unpack_from(frame.encode())[-1] != crc:
            raise LinkError("a frame arrived damaged")
        return frame


class Resequencer:
    """Puts numbered frames back into order; duplicates are dropped."""

    def __init__(self) -> None:
        self.delivered = 0
        """Number of the last frame given out."""
        self._early: dict[int, Frame] = {}

    @property
    def has_gap(self) -> bool:
        return bool(self._early)

    def push(self, frame: Frame) -> list[Frame]:
        """The frames that are next in order now. Raises LinkError for a gap that is too wide."""
        if frame.number <= self.delivered:
            return []
        if frame.number > self.delivered + MAX_GAP:
            raise LinkError("too many frames are missing")
        self._early[frame.number] = frame
        ready = []
        while self.delivered + 1 in self._early:
            self.delivered += 1
            ready.append(self._early.pop(self.delivered))
        return ready
