"""One service-bus connection: frames in and out, batched writes, and no delayed acknowledgements."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import cast

from golem_devnet.net.wire import FrameReader, Message, WireError, encode

OnMessages = Callable[[list[tuple[int, bytes]]], None]
"""Takes (message number, encoded message) pairs in the order of their arrival. May raise WireError."""


class BusLink(asyncio.Protocol):
    """Frames over a stream. All frames sent within one turn of the loop leave in one write.

    A protocol and not a pair of streams: every frame of every VPN passes here, and a task to wake costs more
    than the frame (measured). What is sent before the connection is made leaves when it is. After the end
    ``on_lost`` is told why, once, and nothing is sent any more.
    """

    def __init__(self, on_messages: OnMessages, on_lost: Callable[[str], None]) -> None:
        self._on_messages = on_messages
        self._on_lost = on_lost
        self._frames = FrameReader()
        self._outgoing: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._socket: socket.socket | None = None
        self._failure = "the other end closed the connection"

    def send(self, kind: Message, **fields: str | bytes | int) -> None:
        """Queue one message; see :func:`golem_devnet.net.wire.encode`."""
        self.send_frame(encode(kind, **fields))

    def send_frame(self, frame: bytes) -> None:
        """Queue a frame that is encoded already."""
        if not self._outgoing and self._transport is not None:
            asyncio.get_running_loop().call_soon(self._flush)
        self._outgoing.append(frame)

    def close(self) -> None:
        """End the connection once what was sent is out."""
        if self._transport is not None:
            self._flush()
            self._failure = "closed from this side"
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        found: socket.socket = transport.get_extra_info("socket")
        if found.family in {socket.AF_INET, socket.AF_INET6}:
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket = found
        self._flush()

    def data_received(self, data: bytes) -> None:
        if self._socket is not None:
            # yagna's sockets have Nagle on: a delayed acknowledgement here is a 40 ms stall there (measured)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        try:
            self._on_messages(self._frames.feed(data))
        except WireError as error:
            assert self._transport is not None
            self._failure = str(error)
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._on_lost(str(exc) if exc is not None else self._failure)

    def _flush(self) -> None:
        data, self._outgoing = b"".join(self._outgoing), []
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)
