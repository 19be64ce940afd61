"""A TAP device: Ethernet frames of one node as reads and writes of this process."""

from __future__ import annotations

import asyncio
import fcntl
import os
import struct
from collections.abc import Callable

TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000
MAX_FRAME = 65_536


class Tap:
    """Created in this process's network namespace; the file stays valid when the device moves to another."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._file = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self._file, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))

    def listen(self, on_readable: Callable[[], None]) -> None:
        """Call back when frames can be read."""
        asyncio.get_running_loop().add_reader(self._file, on_readable)

    def pause(self) -> None:
        """Leave frames in the kernel's queue."""
        asyncio.get_running_loop().remove_reader(self._file)

    def read(self) -> bytes | None:
        """The next frame; None if there is none now."""
        try:
            return os.read(self._file, MAX_FRAME)
        except BlockingIOError:
            return None

    def write(self, frame: bytes) -> None:
        """Hand a frame to the node. Raises OSError while the device is down."""
        os.write(self._file, frame)

    def close(self) -> None:
        """The device vanishes."""
        self.pause()
        os.close(self._file)
