"""What a head's tunnel forwards to its door: so many connections at a time and no more, whatever the head opens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import cast

import asyncssh
from asyncssh.constants import OPEN_CONNECT_FAILED, OPEN_RESOURCE_SHORTAGE

MAX_CONNECTIONS = 64
"""At a time; each holds two descriptors of the bridge. Ray and its autoscaler keep a handful open."""


class Forward:
    """Called by asyncssh for each connection that comes in through one ssh connection to a head."""

    def __init__(self, door: Path) -> None:
        self.door = door
        self._ends: set[_End] = set()
        """Two for each connection: the channel, which is over when the head says so, too, and the socket."""
        self._is_closed = False

    async def __call__(self, _host: str, _port: int) -> asyncssh.SSHTCPSession[bytes]:
        """The channel's end, connected to the door. Raises ChannelOpenError, which refuses the connection."""
        if len(self._ends) >= 2 * MAX_CONNECTIONS:
            raise asyncssh.ChannelOpenError(OPEN_RESOURCE_SHORTAGE, f"{MAX_CONNECTIONS} connections are open already")
        socket_end = _SocketEnd(self._ends.discard)
        channel_end = _End(self._ends.discard, peer=socket_end)
        ends = {socket_end, channel_end}
        self._ends |= ends
        try:
            await asyncio.get_running_loop().create_unix_connection(lambda: socket_end, str(self.door))
        except OSError as error:
            self._ends -= ends
            raise asyncssh.ChannelOpenError(OPEN_CONNECT_FAILED, str(error)) from error
        if self._is_closed:
            socket_end.close()
            raise asyncssh.ChannelOpenError(OPEN_CONNECT_FAILED, "the tunnel is closed")
        # a forwarder has all methods of a session; asyncssh, which hands its own out so, casts as well
        return cast(asyncssh.SSHTCPSession[bytes], channel_end)

    def close(self) -> None:
        """The ssh connection is gone: nothing of it stays open at the door."""
        self._is_closed = True
        for end in tuple(self._ends):
            end.close()


class _End(asyncssh.SSHForwarder):
    """One end of a forwarded connection; tells when it is over."""

    def __init__(self, over: Callable[[_End], None], *, peer: _End | None = None) -> None:
        super().__init__(peer)
        self._over = over

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._over(self)


class _SocketEnd(_End):
    def eof_received(self) -> bool:
        """The door has hung up for good: asyncssh would keep the connection until the head does so, too."""
        super().eof_received()
        return False
