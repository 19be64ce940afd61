"""Frames of the Golem Service Bus as yagna 0.17.6 speaks it (measured): u32 length, then one protobuf ``Packet``.

A packet holds exactly one message; messages have only short fields of wire type 0 (number) and 2 (bytes), so a
few lines do for protobuf. Bodies of typed calls are FlexBuffers.
"""

from __future__ import annotations

import zlib
from contextlib import suppress
from enum import IntEnum
from typing import Any

from flatbuffers import flexbuffers

MAX_PACKET = 16 * 1024 * 1024
"""Bytes; a longer packet is not ours."""

Value = int | bytes
Fields = dict[int, Value]


class Message(IntEnum):
    """Number of the message within the packet."""

    HELLO = 1
    REGISTER = 2
    REGISTERED = 3
    UNREGISTER = 4
    UNREGISTERED = 5
    CALL = 6
    REPLY = 7
    SUBSCRIBE = 8
    SUBSCRIBED = 9
    UNSUBSCRIBE = 10
    UNSUBSCRIBED = 11
    BROADCAST = 12
    BROADCASTED = 13
    PING = 14
    PONG = 15


class WireError(Exception):
    """What arrived is not the service bus's protocol."""


def encode(kind: Message, **fields: str | bytes | int) -> bytes:
    """A whole frame; fields are named ``f1``, ``f2``, … after their numbers. Empty ones are left out."""
    body = b"".join(_field(int(name[1:]), value) for name, value in fields.items())
    return frame(kind, body)


def frame(kind: Message, body: bytes) -> bytes:
    """A frame around a message that is encoded already."""
    packet = _varint(kind << 3 | 2) + _varint(len(body)) + body
    return len(packet).to_bytes(4, "big") + packet


class FrameReader:
    """Takes bytes as they come, gives (message number, encoded message)."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Raises WireError."""
        self._buffer += data
        packets: list[tuple[int, bytes]] = []
        start, end = 0, len(self._buffer)
        while end - start >= 4:
            length = int.from_bytes(self._buffer[start : start + 4], "big")
            if length > MAX_PACKET:
                raise WireError(f"a packet of {length} bytes")
            if end - start - 4 < length:
                break
            packet = decode(bytes(self._buffer[start + 4 : start + 4 + length]))
            packets += [(kind, body) for kind, body in packet.items() if isinstance(body, bytes)]
            start += 4 + length
        del self._buffer[:start]
        return packets


def decode(data: bytes) -> Fields:
    """Fields of one message by number. Raises WireError."""
    fields: Fields = {}
    place = 0
    try:
        while place < len(data):
            key, place = _read_varint(data, place)
            number, place = _read_varint(data, place)
            if key & 7 == 2:
                if place + number > len(data):
                    raise WireError("a field is cut off")
                fields[key >> 3] = data[place : place + number]
                place += number
            elif key & 7 == 0:
                fields[key >> 3] = number
            else:
                raise WireError(f"wire type {key & 7}")
    except IndexError as error:
        raise WireError("a number is cut off") from error
    return fields


def text(fields: Fields, number: int) -> str:
    """A text field; "" if absent."""
    value = fields.get(number, b"")
    return value.decode(errors="replace") if isinstance(value, bytes) else ""


def blob(fields: Fields, number: int) -> bytes:
    """A bytes field; b"" if absent."""
    value = fields.get(number, b"")
    return value if isinstance(value, bytes) else b""


def number(fields: Fields, field: int) -> int:
    """A number field; 0 if absent."""
    value = fields.get(field, 0)
    return value if isinstance(value, int) else 0


def pack(value: object) -> bytes:
    """The body of a typed call or reply."""
    return bytes(flexbuffers.Dumps(value))


def unpack(body: bytes) -> Any:  # noqa: ANN401 - FlexBuffers are untyped
    """Inverse of :func:`pack`; None for an empty body. Hybrid nets compress bodies with zlib."""
    if not body:
        return None
    if body[:1] == b"\x78":
        with suppress(zlib.error):  # 0x78 may also begin a FlexBuffer
            body = zlib.decompress(body)
    return flexbuffers.Loads(bytearray(body))


def _field(number: int, value: str | bytes | int) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value) if value else b""
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data if data else b""


def _varint(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def _read_varint(data: bytes, place: int) -> tuple[int, int]:
    result, shift = 0, 0
    while True:
        byte = data[place]
        place += 1
        result |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return result, place
        shift += 7
        if shift > 63:
            raise WireError("a number is too long")
