"""Bytes between requestor and node, and between nodes; each beside the same bytes over plain TCP."""

from __future__ import annotations

import asyncio
import base64
import os
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import aiohttp

from golem_bridge.clock import SystemClock
from golem_bridge.golem.yagna.channel import Channel
from golem_bridge.relay import Link, node_source
from tests.bench.network import node_program
from tests.bench.network.node_program import ECHOES, GIVES, TAKES
from tests.bench.network.own import PROVIDERS, Devnet
from tests.bench.network.report import BETWEEN, DOWN, ROUND_TRIP, UP, Report, repeat
from tests.integration.requestor import START, Rental, Requestor, shell

IP, OTHER_IP, RELAY_PORT, TOKEN = "192.168.7.2", "192.168.7.3", 4579, "token-of-this-bench"
MIB = 1024 * 1024
SIZE = 16 * MIB
"""Bytes of a transfer between requestor and node."""

BIG = 2048 * MIB
"""Bytes of a transfer between nodes."""

PROGRAM = Path(node_program.__file__).read_text(encoding="utf-8")
Socket = aiohttp.ClientWebSocketResponse[Literal[True]]

PULL = """
import socket, sys, time
host, size = sys.argv[1], int(sys.argv[2])
peer = socket.create_connection((host, {port}))
peer.sendall(b"%d\\n" % size)
place, got = bytearray(1 << 20), peer.recv(1)
begin, got = time.monotonic(), 1
while got < size:
    got += peer.recv_into(place)
print(size / (time.monotonic() - begin))
"""


def serve_node(ip: str) -> str:
    """Shell that starts the node's program and the relay's end."""
    server = base64.b64encode(PROGRAM.encode()).decode()
    relay = base64.b64encode(node_source().encode()).decode()
    return (
        f"set -eu; printf %s {server} | base64 -d > /tmp/server.py; printf %s {relay} | base64 -d > /tmp/relay.py; "
        f"printf %s {TOKEN} > /tmp/token; nohup python3 /tmp/server.py > /tmp/server.log 2>&1 & "
        f"python3 /tmp/relay.py --listen {ip}:{RELAY_PORT} --token-file /tmp/token --allow {TAKES} --daemon; sleep 1"
    )


@dataclass(frozen=True)
class Node:
    """Two nodes of one VPN, of which one is measured."""

    requestor: Requestor
    network_id: str
    rental: Rental
    direct: str
    """Address of the devnet's container, where the same program runs outside of nodes."""

    def channel(self, port: int, **options: Any) -> Any:  # noqa: ANN401 - aiohttp's context manager
        return self.requestor.channel(self.network_id, IP, port, **options)


@asynccontextmanager
async def two_nodes(devnet: Devnet) -> AsyncIterator[Node]:
    async with AsyncExitStack() as stack:
        requestor = await stack.enter_async_context(devnet.requestor())
        network_id = await stack.enter_async_context(requestor.network())
        rentals = [await stack.enter_async_context(requestor.rented(name)) for name in PROVIDERS[:2]]
        members = list(zip((IP, OTHER_IP), rentals, strict=True))
        for ip, rental in members:
            join = await requestor.join(network_id, members, rental)
            results = await requestor.execute(rental, join, START, shell(serve_node(ip)))
            assert results[-1]["result"] == "Ok", results
        await asyncio.to_thread(
            devnet.compose, "exec", "--detach", "devnet", "/opt/devnet/bin/python", "-c", PROGRAM, check=False
        )
        address = await asyncio.to_thread(devnet.address)
        await asyncio.sleep(1)
        yield Node(requestor, network_id, rentals[0], address)


async def round_trip(node: Node, report: Report, runs: int) -> None:
    values = []
    async with node.channel(ECHOES) as ws:
        for _ in range(runs * 100):
            begin = time.perf_counter()
            await ws.send_bytes(b"x" * 64)
            assert len(await ws.receive_bytes(timeout=20)) == 64
            values.append((time.perf_counter() - begin) * 1000)
    reader, writer = await asyncio.open_connection(node.direct, ECHOES)
    direct = []
    for _ in range(runs * 100):
        begin = time.perf_counter()
        writer.write(b"x" * 64)
        await reader.readexactly(64)
        direct.append((time.perf_counter() - begin) * 1000)
    writer.close()
    report.tell(ROUND_TRIP, values, direct=statistics.median(direct))


async def down(node: Node, report: Report, runs: int) -> None:
    async def through_yagna() -> float:
        async with node.channel(GIVES) as ws:
            await ws.send_bytes(b"%d\n" % SIZE)
            got = len(await ws.receive_bytes(timeout=20))
            begin, first = time.perf_counter(), got
            while got < SIZE:
                got += len(await ws.receive_bytes(timeout=20))
            return (SIZE - first) / MIB / (time.perf_counter() - begin)

    async def directly() -> float:
        reader, writer = await asyncio.open_connection(node.direct, GIVES)
        writer.write(b"%d\n" % SIZE)
        await reader.readexactly(1)
        begin = time.perf_counter()
        await reader.readexactly(SIZE - 1)
        writer.close()
        return SIZE / MIB / (time.perf_counter() - begin)

    report.tell(DOWN, await repeat(through_yagna, runs), direct=statistics.median(await repeat(directly, runs)))


async def up(node: Node, report: Report, runs: int) -> None:
    content, header = os.urandom(SIZE), b"%d\n" % SIZE

    async def by_relay() -> float:
        async with node.channel(RELAY_PORT) as ws:
            link = await Link.open(Channel(cast(Socket, ws), what="the node"), token=TOKEN, clock=SystemClock())
            try:
                stream = await link.connect(TAKES)
                begin = time.perf_counter()
                await stream.write(header)
                await stream.write(content)
                assert await stream.read() == header
                return SIZE / MIB / (time.perf_counter() - begin)
            finally:
                await link.close()

    async def directly() -> float:
        reader, writer = await asyncio.open_connection(node.direct, TAKES)
        begin = time.perf_counter()
        writer.write(header + content)
        assert await reader.readline() == header
        writer.close()
        return SIZE / MIB / (time.perf_counter() - begin)

    report.tell(UP, await repeat(by_relay, runs), direct=statistics.median(await repeat(directly, runs)))


async def between(node: Node, report: Report, runs: int, devnet: Devnet) -> None:
    pull = PULL.format(port=GIVES)

    async def over_the_bridge() -> float:
        arguments = {"entry_point": "/usr/bin/env", "args": ["python3", "-c", pull, OTHER_IP, str(BIG)]}
        (result,) = await node.requestor.execute(node.rental, {"run": arguments})
        assert result["result"] == "Ok", result
        return float(result["stdout"]) / MIB

    async def directly() -> float:
        command = ("exec", "-T", "devnet", "python3", "-c", pull, "127.0.0.1", str(BIG))
        return float(await asyncio.to_thread(devnet.compose, *command)) / MIB

    report.tell(BETWEEN, await repeat(over_the_bridge, runs), direct=statistics.median(await repeat(directly, runs)))
