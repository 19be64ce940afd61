"""One service-bus connection: batched reads and writes, and no delayed acknowledgements."""

from __future__ import annotations

import asyncio
import socket

from golem_devnet.net.wire import FrameReader, Message, encode

READ_SIZE = 256 * 1024


class BusLink:
    """Frames over a stream. All frames sent within one turn of the loop leave in one write."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._frames = FrameReader()
        self._outgoing: list[bytes] = []
        self._socket: socket.socket = writer.get_extra_info("socket")
        self._is_tcp = self._socket.family in {socket.AF_INET, socket.AF_INET6}
        if self._is_tcp:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, kind: Message, **fields: str | bytes | int) -> None:
        """Queue one message; see :func:`golem_devnet.net.wire.encode`."""
        self.send_frame(encode(kind, **fields))

    def send_frame(self, frame: bytes) -> None:
        """Queue a frame that is encoded already."""
        if not self._outgoing:
            asyncio.get_running_loop().call_soon(self._flush)
        self._outgoing.append(frame)

    async def receive(self) -> list[tuple[int, bytes]]:
        """The next messages. Raises ConnectionError at the end, WireError for garbage."""
        data = await self._reader.read(READ_SIZE)
        if not data:
            raise ConnectionResetError("the service bus closed the connection")
        if self._is_tcp:
            # yagna's sockets have Nagle on: a delayed acknowledgement here is a 40 ms stall there (measured)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return self._frames.feed(data)

    def close(self) -> None:
        self._writer.close()

    def _flush(self) -> None:
        data, self._outgoing = b"".join(self._outgoing), []
        if not self._writer.is_closing():
            self._writer.write(data)
