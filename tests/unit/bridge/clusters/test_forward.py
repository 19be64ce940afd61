"""A head opens as many connections through its tunnel as it likes: the bridge holds a few of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from golem_bridge.clusters.forward import MAX_CONNECTIONS, Forward

DOOR = Path("/doors/demo-1.sock")


class Line(asyncio.Transport):
    """One end's way out: a socket to the door, or the ssh channel, which ends when the other side agrees."""

    def __init__(self, end: Any, *, agrees: bool = True) -> None:  # noqa: ANN401 - asyncio's and asyncssh's protocols
        super().__init__()
        self.end = end
        self.written = b""
        self.is_closed = False
        self._agrees = agrees
        end.connection_made(self)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def write_eof(self) -> None:
        pass

    def hear_the_end(self) -> None:
        """The other side has nothing more to say: as asyncio, close unless the end wants to go on."""
        if not self.end.eof_received():
            self.close()

    def close(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            if self._agrees:
                self.end.connection_lost(None)


class Door:
    """Where connections to the door end up; refuses them if told so."""

    def __init__(self) -> None:
        self.sockets: list[Line] = []
        self.refuses = False
        self.pause = asyncio.Event()
        self.pause.set()

    async def connect(self, make: Callable[[], asyncio.BaseProtocol], path: str) -> tuple[Line, asyncio.BaseProtocol]:
        assert path == str(DOOR)
        await self.pause.wait()
        if self.refuses:
            raise ConnectionRefusedError("nobody listens")
        end = make()
        self.sockets.append(Line(end))
        return self.sockets[-1], end

    @property
    def open(self) -> int:
        return sum(not line.is_closed for line in self.sockets)


@pytest.fixture
async def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    door = Door()
    monkeypatch.setattr(asyncio.get_running_loop(), "create_unix_connection", door.connect)
    return door


async def through(forward: Forward, *, agrees: bool = True) -> Line:
    """A channel that the head opened. Raises ChannelOpenError."""
    return Line(await forward("127.0.0.1", 40000), agrees=agrees)


async def test_what_is_said_goes_both_ways(door: Door) -> None:
    channel = await through(Forward(DOOR))
    channel.end.data_received(b"question")
    (socket,) = door.sockets
    socket.end.data_received(b"answer")
    assert (socket.written, channel.written) == (b"question", b"answer")


async def test_no_more_than_so_many_are_open(door: Door) -> None:
    forward = Forward(DOOR)
    channels = [await through(forward) for _ in range(MAX_CONNECTIONS)]
    for _ in range(300):
        with pytest.raises(asyncssh.ChannelOpenError, match="64 connections are open already"):
            await through(forward)
    assert len(door.sockets) == MAX_CONNECTIONS
    channels[0].close()
    door.sockets[1].close()
    assert door.open == MAX_CONNECTIONS - 2
    await through(forward)
    await through(forward)
    with pytest.raises(asyncssh.ChannelOpenError):
        await through(forward)


async def test_when_the_door_hangs_up_the_connection_is_over(door: Door) -> None:
    channel = await through(Forward(DOOR))
    door.sockets[0].hear_the_end()
    assert (channel.is_closed, door.open) == (True, 0)


async def test_those_that_are_being_opened_count(door: Door) -> None:
    door.pause.clear()
    forward = Forward(DOOR)
    opening = [asyncio.create_task(through(forward)) for _ in range(300)]
    await asyncio.sleep(1)
    door.pause.set()
    outcomes = await asyncio.gather(*opening, return_exceptions=True)
    assert sum(isinstance(outcome, Line) for outcome in outcomes) == MAX_CONNECTIONS == door.open


async def test_a_door_that_does_not_open_leaves_the_room_free(door: Door) -> None:
    forward = Forward(DOOR)
    door.refuses = True
    for _ in range(2 * MAX_CONNECTIONS):
        with pytest.raises(asyncssh.ChannelOpenError, match="nobody listens"):
            await through(forward)
    door.refuses = False
    await through(forward)


async def test_channels_that_the_head_never_ends_are_bounded_too(door: Door) -> None:
    """The door hangs up, a stranger's ssh server does not answer that the channel is closed."""
    forward = Forward(DOOR)
    for _ in range(2 * MAX_CONNECTIONS):
        await through(forward, agrees=False)
        door.sockets[-1].close()
    with pytest.raises(asyncssh.ChannelOpenError):
        await through(forward, agrees=False)


async def test_with_the_tunnel_all_end(door: Door) -> None:
    forward = Forward(DOOR)
    for _ in range(3):
        await through(forward)
    door.pause.clear()
    late = asyncio.create_task(through(forward))
    await asyncio.sleep(1)
    forward.close()
    door.pause.set()
    with pytest.raises(asyncssh.ChannelOpenError, match="the tunnel is closed"):
        await late
    assert (len(door.sockets), door.open) == (4, 0)
