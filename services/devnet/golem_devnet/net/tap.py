"""A TAP device: Ethernet frames of one node as reads and writes of this process."""

from __future__ import annotations

import asyncio
import fcntl
import os
import struct
from collections.abc import Callable

TUNSETIFF, TUNSETOFFLOAD = 0x400454CA, 0x400454D0
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x0002, 0x1000, 0x4000
TUN_F_CSUM, TUN_F_TSO4 = 0x01, 0x02
DEVICE = "/dev/net/tun"
CLOSED = -1
"""No file's number."""

MAX_FRAME = 65_536 + 64

OFFLOAD = struct.Struct("=BBHHHH")
"""struct virtio_net_hdr before every frame: flags, type and sizes of segments, where a checksum begins and belongs."""

NEEDS_CHECKSUM = 1
PLAIN = bytes(OFFLOAD.size)


class Tap:
    """Created in this process's network namespace; the file stays valid when the device moves to another.

    The node's kernel may hand over several TCP segments as one frame of up to 64 KiB: yagna's stack takes it, and
    what each frame costs there is what limits a download (measured).
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._file = os.open(DEVICE, os.O_RDWR | os.O_NONBLOCK)
        flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR
        fcntl.ioctl(self._file, TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
        fcntl.ioctl(self._file, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4)

    def listen(self, on_readable: Callable[[], None]) -> None:
        """Call back when frames can be read."""
        asyncio.get_running_loop().add_reader(self._file, on_readable)

    def pause(self) -> None:
        """Leave frames in the kernel's queue."""
        asyncio.get_running_loop().remove_reader(self._file)

    def read(self) -> bytes | None:
        """The next frame; None if there is none now."""
        try:
            data = os.read(self._file, MAX_FRAME)
        except BlockingIOError:
            return None
        flags, _, _, _, start, offset = OFFLOAD.unpack_from(data)
        frame = data[OFFLOAD.size :]
        return with_checksum(frame, start, offset) if flags & NEEDS_CHECKSUM else frame

    def write(self, frame: bytes) -> None:
        """Hand a frame to the node. Raises OSError while the device is down."""
        os.writev(self._file, (PLAIN, frame))

    def close(self) -> None:
        """The device vanishes; a second call does nothing, and frames that come late are errors as for a bad file."""
        if self._file == CLOSED:
            return
        self.pause()
        number, self._file = self._file, CLOSED  # the next file that is opened here gets the number
        os.close(number)


def with_checksum(frame: bytes, start: int, offset: int) -> bytes:
    """The frame with the checksum the kernel left to its device: of all from ``start``, to be put ``offset`` behind.

    The kernel has put the sum of the pseudo-header there already.
    """
    summed = frame[start:]
    if len(summed) % 2:
        summed += b"\0"
    # a sum of 16-bit words with the carry added again is the remainder modulo 2**16 - 1
    checksum = 0xFFFF - int.from_bytes(summed, "big") % 0xFFFF
    place = start + offset
    return b"".join((frame[:place], checksum.to_bytes(2, "big"), frame[place + 2 :]))
