"""A link without the VPN: the very script that nodes get, run as an exe-unit would, with a relay on 127.0.0.1."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from golem_bridge.clock import SystemClock
from golem_bridge.clusters import detour as detour_module
from golem_bridge.clusters.detour import MESSAGE_LIMIT, Detour
from golem_bridge.errors import CommandFailedError
from golem_bridge.relay import Link, detour_source
from golem_bridge.relay.node_end import NodeEnd
from tests.unit.relay.test_link import TOKEN, echo, round_trip

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class ExeUnit:
    """Runs one shell command at a time, as a real one does."""

    def __init__(self) -> None:
        self.commands: asyncio.Queue[str] = asyncio.Queue()
        self.busy = False
        self.fails = False

    async def run(self, shell: str) -> str:
        if self.busy or self.fails:
            raise CommandFailedError("Command run failed on the provider — busy — try another")
        self.busy = True
        self.commands.put_nowait(shell)
        self._running = asyncio.create_task(self._run(shell))
        return await asyncio.shield(self._running)

    async def idle(self) -> None:
        """A command goes on when nobody waits for its result any more."""
        await asyncio.wait([self._running])

    async def _run(self, shell: str) -> str:
        process = await asyncio.create_subprocess_exec("/bin/sh", "-c", shell, stdout=asyncio.subprocess.PIPE)
        printed, _ = await process.communicate()
        self.busy = False
        if process.returncode != 0:
            raise CommandFailedError(f"Command run failed on the provider — exit code {process.returncode}")
        return printed.decode()


class Road:
    """A relay with an echo behind it, and the exe-unit that leads there."""

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self.folder = folder
        self.exe_unit = ExeUnit()
        self._stack = stack

    async def start(self) -> None:
        echoes = await asyncio.start_server(self._noted(echo), "127.0.0.1", 0)
        self.port = int(echoes.sockets[0].getsockname()[1])
        node_end = NodeEnd(TOKEN.encode(), frozenset({self.port}))
        self.relay = await asyncio.start_server(self._noted(node_end.serve), "127.0.0.1", 0)
        self.relay_port = int(self.relay.sockets[0].getsockname()[1])
        self._stack.callback(echoes.close)
        self._stack.callback(self.relay.close)

    def _noted(self, handler: Handler) -> Handler:
        """The process that a detour leaves in the node keeps its connection for a while: it is closed from here."""

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._stack.callback(writer.close)
            await handler(reader, writer)

        return handle

    async def open(self) -> Detour:
        detour = await Detour.open(
            self.exe_unit.run, relay=f"127.0.0.1:{self.relay_port}", folder=str(self.folder), clock=SystemClock()
        )
        self._stack.push_async_callback(detour.close)
        return detour

    async def link(self) -> Link:
        link = await Link.open(await self.open(), token=TOKEN, clock=SystemClock())
        self._stack.push_async_callback(link.close)
        return link


@pytest.fixture
async def road(tmp_path: Path) -> AsyncIterator[Road]:
    async with AsyncExitStack() as stack:
        road = Road(tmp_path, stack)
        await road.start()
        yield road
    await road.exe_unit.idle()
    await asyncio.sleep(0.01)  # transports are closed by the loop's next turn


async def test_what_goes_out_comes_back_byte_for_byte(road: Road) -> None:
    link = await road.link()
    for data in (b"hello", random.Random(1).randbytes(400_000)):
        assert await round_trip(link, road.port, data) == data
    longest = max(len(road.exe_unit.commands.get_nowait()) for _ in range(road.exe_unit.commands.qsize()))
    assert MESSAGE_LIMIT < longest < 128 * 1024, "a shell argument holds no more"


async def test_streams_share_it(road: Road) -> None:
    link = await road.link()
    sent = [random.Random(number).randbytes(20_000) for number in range(5)]
    assert await asyncio.gather(*(round_trip(link, road.port, data) for data in sent)) == sent


async def test_it_asks_seldom_while_there_is_nothing_to_carry(road: Road) -> None:
    await road.open()
    assert "start" in await road.exe_unit.commands.get()
    asked = [await road.exe_unit.commands.get() for _ in range(5)]
    assert [command.split()[-2] for command in asked] == ["0.05", "0.1", "0.2", "0.4", "0.8"]


async def test_it_ends_with_the_relay(road: Road) -> None:
    detour = await road.open()
    await detour.send(b"this is no frame, so the relay hangs up")
    with pytest.raises(ConnectionError, match="ended"):
        await detour.receive()
    with pytest.raises(ConnectionError, match="ended"):
        await detour.send(b"too late")


async def test_it_ends_with_the_exe_unit(road: Road) -> None:
    detour = await road.open()
    road.exe_unit.fails = True
    with pytest.raises(ConnectionError, match="ended"):
        await detour.receive()


async def test_a_command_that_still_waits_is_waited_for(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detour_module, "LONGEST_WAIT", 0.3)
    road.exe_unit.busy = True
    asyncio.get_running_loop().call_later(0.1, setattr, road.exe_unit, "busy", False)
    link = await road.link()
    assert await round_trip(link, road.port, b"on") == b"on"


async def test_a_relay_that_is_not_there_is_an_error(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detour_module, "LONGEST_WAIT", 0.0)
    road.relay.close()
    with pytest.raises(CommandFailedError, match="exit code 1"):
        await road.open()


async def test_the_backlog_is_bounded(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    detour = await road.open()
    monkeypatch.setattr(detour_module, "BACKLOG", 10)
    with pytest.raises(ConnectionError, match="too much"):
        await detour.send(b"eleven bytes")


async def test_the_node_end_leaves_when_nobody_asks_any_more(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    source = detour_source().replace("LIFE = 60.0", "LIFE = 0.2")
    monkeypatch.setattr(detour_module, "detour_source", lambda: source)
    detour = await road.open()
    (door,) = road.folder.glob("*.sock")
    await detour.close()
    for _ in range(200):
        if not door.exists():
            return
        await asyncio.sleep(0.05)
    pytest.fail("the process in the node is still there")
