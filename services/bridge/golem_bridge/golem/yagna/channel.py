"""A TCP connection to a node's port, as yagna offers it: a websocket with binary messages."""

from __future__ import annotations

import aiohttp
import structlog

from golem_bridge.golem.yagna.failures import quoted

log = structlog.get_logger(__name__)


class Channel:
    """A MessageChannel over yagna's websocket.

    Keep a :meth:`receive` pending: that is what answers yagna's pings (it hangs up after 10 s without a pong), and a
    reader that stops holds up every other connection of the same VPN (yagna 0.17.6 has one loop for all).
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, *, what: str) -> None:
        self._socket = socket
        self._what = what

    async def send(self, data: bytes) -> None:
        """Send one message. Raises ConnectionError when the channel is closed."""
        try:
            await self._socket.send_bytes(data)
        except (aiohttp.ClientError, OSError, RuntimeError) as error:
            raise ConnectionError(f"The connection to {self._what} is closed: {quoted(str(error))}") from None

    async def receive(self) -> bytes:
        """Next piece of the incoming byte stream. Raises ConnectionError when the channel has ended."""
        while True:
            message = await self._socket.receive()
            if message.type is aiohttp.WSMsgType.BINARY:
                piece = bytes(message.data)
                if piece:
                    return piece
            elif message.type is not aiohttp.WSMsgType.TEXT:  # yagna sends none; nothing of the stream is in it
                raise ConnectionError(f"The connection to {self._what} has ended ({message.type.name.lower()})")

    async def close(self) -> None:
        """Close; never raises. Waits at most 2 s for yagna's answer."""
        try:
            await self._socket.close()
        except (aiohttp.ClientError, OSError, RuntimeError) as error:
            log.debug("channel closed with an error", channel=self._what, reason=quoted(str(error)))
