"""The checksum that a node's kernel leaves to its device, and the device's end."""

from __future__ import annotations

import fcntl
import os
import random
import struct

import pytest

from golem_devnet.net import tap
from golem_devnet.net.tap import Tap, with_checksum

IP_AT, TCP_AT, CHECKSUM_IN_TCP = 14, 34, 16


def folded(data: bytes) -> int:
    """The internet checksum's sum, word by word (RFC 1071)."""
    total: int = sum(struct.unpack(f">{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


@pytest.mark.parametrize("size", [0, 1, 2, 1331, 1332, 65_000])
def test_a_receiver_finds_the_segment_sound(size: int) -> None:
    dice = random.Random(size)
    segment = bytearray(dice.randbytes(20) + dice.randbytes(size))
    pseudo_header = bytes([192, 168, 7, 2, 192, 168, 7, 1, 0, 6]) + len(segment).to_bytes(2, "big")
    segment[CHECKSUM_IN_TCP : CHECKSUM_IN_TCP + 2] = folded(pseudo_header).to_bytes(2, "big")
    frame = dice.randbytes(TCP_AT) + bytes(segment)
    finished = with_checksum(frame, TCP_AT, CHECKSUM_IN_TCP)
    assert len(finished) == len(frame)
    assert folded(pseudo_header + finished[TCP_AT:]) == 0xFFFF
    changed = [place for place, (old, new) in enumerate(zip(frame, finished, strict=True)) if old != new]
    assert set(changed) <= {TCP_AT + CHECKSUM_IN_TCP, TCP_AT + CHECKSUM_IN_TCP + 1}


def test_a_sum_of_nothing_is_not_taken_for_no_checksum() -> None:
    """In UDP a checksum of 0 says that there is none."""
    assert with_checksum(bytes(20), 0, 6)[6:8] == b"\xff\xff"


async def test_a_closed_device_leaves_the_file_alone_that_has_its_number_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tap, "DEVICE", os.devnull)
    monkeypatch.setattr(fcntl, "ioctl", lambda *_: 0)
    reader, writer = os.pipe()
    device = Tap("gt0")
    number = device._file
    device.close()
    os.dup2(writer, number)
    with pytest.raises(OSError, match="Bad file descriptor"):
        device.write(b"a frame that comes late")
    device.close()
    os.write(number, b"of somebody else")
    assert os.read(reader, 100) == b"of somebody else"
    for descriptor in (reader, writer, number):
        os.close(descriptor)
