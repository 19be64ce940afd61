"""Link and node end together, over a loopback channel that mixes messages up as yagna does.

Sockets are the very thing here, so these tests use real ones, on 127.0.0.1 only.
"""

import asyncio
import hashlib
import random
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from unittest.mock import Mock

import pytest

from golem_bridge.clock import SystemClock
from golem_bridge.errors import NodeUnreachableError
from golem_bridge.relay import Link, LinkPool, node_end, node_source, socket_for
from golem_bridge.relay import mux as mux_module
from golem_bridge.relay.frames import LinkError
from golem_bridge.relay.node_end import NodeEnd
from golem_bridge.relay.stream import TO_BRIDGE, TO_NODE, WRITE_BUFFER

TOKEN = "t" * 32
MIX = 6
"""Messages that may overtake one another."""


class MixingChannel:
    """Delivers whole messages in another order; the direction back is in order."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, chance: random.Random) -> None:
        self._reader, self._writer, self._chance = reader, writer, chance
        self._held: list[bytes] = []
        self._flushing: asyncio.Task[None] | None = None
        self.overtaken = 0

    async def send(self, data: bytes) -> None:
        self._held.append(data)
        if len(self._held) >= MIX:
            self._flush()
        elif self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush_soon())

    async def receive(self) -> bytes:
        data = await self._reader.read(64 * 1024)
        if not data:
            raise ConnectionError("the channel ended")
        return data

    async def close(self) -> None:
        if self._flushing is not None:
            self._flushing.cancel()
        self._writer.close()

    async def _flush_soon(self) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        self._flush()

    def _flush(self) -> None:
        before = list(self._held)
        self._chance.shuffle(self._held)
        self.overtaken += before != self._held
        self._writer.write(b"".join(self._held))
        self._held.clear()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(16_384):
        writer.write(data)
        await writer.drain()
    writer.close()


async def flood(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends until the other side is gone."""
    try:
        while True:
            writer.write(bytes(16_384))
            await writer.drain()
    except ConnectionError:
        return


class Bench:
    """A node end on loopback with an echo and a flood server behind it."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self.channels: list[MixingChannel] = []
        self.seed = 0

    async def start(self) -> None:
        self.echo_port = await self._serve(echo)
        self.flood_port = await self._serve(flood)
        allowed = frozenset({self.echo_port, self.flood_port, 1})
        self.node_port = await self._serve(NodeEnd(TOKEN.encode(), allowed).serve)

    async def _serve(self, handler: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> int:
        server = await asyncio.start_server(handler, "127.0.0.1", 0)
        self._stack.callback(server.close)
        return int(server.sockets[0].getsockname()[1])

    async def channel(self) -> MixingChannel:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.node_port)
        self.seed += 1
        channel = MixingChannel(reader, writer, random.Random(self.seed))
        self.channels.append(channel)
        return channel

    async def link(self, token: str = TOKEN) -> Link:
        link = await Link.open(await self.channel(), token=token, clock=SystemClock())
        self._stack.push_async_callback(link.close)
        return link


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with AsyncExitStack() as stack:
        bench = Bench(stack)
        await bench.start()
        yield bench
        for channel in bench.channels:
            await channel.close()
    await asyncio.sleep(0.01)


async def round_trip(link: Link, port: int, data: bytes) -> bytes:
    stream = await link.connect(port)

    async def send() -> None:
        await stream.write(data)
        await stream.write_eof()

    sending = asyncio.create_task(send())
    back = b""
    while piece := await stream.read():
        back += piece
    await sending
    await stream.close()
    return back


async def test_not_one_wrong_byte_over_many_streams_at_once(bench: Bench) -> None:
    link = await bench.link()
    sent = [random.Random(number).randbytes(300_000) for number in range(8)]
    back = await asyncio.gather(*(round_trip(link, bench.echo_port, data) for data in sent))
    assert [hashlib.sha256(data).digest() for data in back] == [hashlib.sha256(data).digest() for data in sent]
    assert bench.channels[0].overtaken > 10, "the channel did not mix anything up, so this proved nothing"


async def test_a_stalled_reader_stops_nobody_else(bench: Bench) -> None:
    link = await bench.link()
    stalled = await link.connect(bench.flood_port)
    assert await stalled.read(1) == b"\0"
    for _ in range(3):
        assert await round_trip(link, bench.echo_port, b"still here") == b"still here"
    assert stalled._received <= TO_BRIDGE.window + WRITE_BUFFER


async def test_each_direction_ends_on_its_own(bench: Bench) -> None:
    link = await bench.link()
    assert await round_trip(link, bench.echo_port, b"") == b""


async def test_a_port_that_is_not_allowed_is_refused(bench: Bench) -> None:
    link = await bench.link()
    with pytest.raises(NodeUnreachableError, match="port 80 is not allowed"):
        await link.connect(80)


async def test_a_port_nobody_listens_on_is_refused_and_the_link_lives_on(bench: Bench) -> None:
    link = await bench.link()
    with pytest.raises(NodeUnreachableError, match="port 1"):
        await link.connect(1)
    assert await round_trip(link, bench.echo_port, b"x") == b"x"


async def test_a_wrong_token_opens_nothing(bench: Bench) -> None:
    with pytest.raises(NodeUnreachableError, match="did not greet"):
        await bench.link(token="wrong")


async def test_the_pool_opens_a_broken_link_anew(bench: Bench) -> None:
    pool = LinkPool(clock=SystemClock())
    stream = await pool.connect("node", bench.echo_port, token=TOKEN, open_channel=bench.channel)
    await bench.channels[0].close()
    with pytest.raises(ConnectionError):
        while True:
            await stream.write(b"into the void")
            await asyncio.sleep(0)
    again = await pool.connect("node", bench.echo_port, token=TOKEN, open_channel=bench.channel)
    await again.write(b"hello")
    assert await again.read() == b"hello"
    await pool.close()


async def test_the_pool_knows_when_a_node_was_heard_of_last(bench: Bench) -> None:
    clock = SystemClock()
    pool = LinkPool(clock=clock)
    assert pool.heard_at("node") is None
    begin = clock.monotonic()
    stream = await pool.connect("node", bench.echo_port, token=TOKEN, open_channel=bench.channel)
    greeted = pool.heard_at("node")
    assert greeted is not None
    await stream.write(b"hello")
    assert await stream.read() == b"hello"
    heard = pool.heard_at("node")
    assert heard is not None
    assert begin <= greeted < heard <= clock.monotonic()
    await bench.channels[0].close()
    with pytest.raises(ConnectionError):
        await stream.read()
    assert pool.heard_at("node") == heard, "a broken link says nothing new"
    await pool.drop("node")
    assert pool.heard_at("node") is None


async def test_a_stream_can_be_used_as_a_socket(bench: Bench) -> None:
    link = await bench.link()
    sock = await socket_for(await link.connect(bench.echo_port))
    reader, writer = await asyncio.open_connection(sock=sock)
    writer.write(b"through a socket")
    writer.write_eof()
    assert await reader.read() == b"through a socket"
    writer.close()


async def test_a_silent_peer_is_noticed(bench: Bench) -> None:
    class Mute:
        async def send(self, data: bytes) -> None:
            return

    now = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds
        await asyncio.sleep(0)

    mux = mux_module.Mux(Mute().send, outgoing=TO_NODE, incoming=TO_BRIDGE, now=lambda: now, sleep=sleep)
    with pytest.raises(LinkError, match="silent"):
        await mux.run()
    assert now <= mux_module.DEAD_AFTER + 2 * mux_module.PING_INTERVAL


async def test_what_came_is_receipted_once_and_a_little_later() -> None:
    link, loop = Mock(), Mock()
    receipt = node_end.Receipt(link, loop)
    receipt.soon()
    receipt.soon()
    ((delay, send),) = (call.args for call in loop.call_later.call_args_list)
    assert 0 < delay < 0.01  # yagna's TCP itself waits ten milliseconds
    link.setsockopt.assert_not_called()
    send()
    link.setsockopt.assert_called_once_with(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 2)
    receipt.soon()
    assert loop.call_later.call_count == 2
    receipt.cancel()
    loop.call_later.return_value.cancel.assert_called_once()


def test_the_script_for_nodes_stands_alone(tmp_path: Path) -> None:
    script = tmp_path / "relay.py"
    script.write_text(node_source())
    command = [sys.executable, "-S", "-E", "-I", str(script), "--help"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert "--token-file" in result.stdout
    assert "golem_bridge" not in script.read_text()


def test_a_greeting_is_one_datagram_to_each_and_minds_nobody_who_left(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        other.settimeout(10)
        monkeypatch.setattr(node_end, "DISCARD", other.getsockname()[1])
        node_end.greet(["255.255.255.255", "127.0.0.1"])  # nobody may send to the first
        assert other.recv(10) == b""
