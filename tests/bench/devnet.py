"""Measures the devnet, on one of its own that is removed afterwards: ``python -m tests.bench.devnet [MEASUREMENT …]``.

Prints medians, goals and, where it applies, how the same bytes fare over plain TCP to the same container. Exit code 1
if a goal is missed. Needs the images built (``make devnet``) and a quiet machine.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

import aiohttp

from appliance.devnet import SERVICES, app_key, compose, environment_of, published_port
from appliance.paths import ROOT
from appliance.settings import read_settings
from appliance.steps import StepError
from golem_bridge.clock import SystemClock
from golem_bridge.golem.yagna.channel import Channel
from golem_bridge.relay import Link, node_source
from tests.bench import node_program
from tests.bench.node_program import ECHOES, GIVES, TAKES
from tests.integration.requestor import START, Refused, Rental, Requestor, shell

MEASURES = "the devnet: start, ssh, round trip, throughput, memory"

PROVIDERS = ("alder", "birch", "cedar", "dogwood", "elm", "gilded")
IP, OTHER_IP, RELAY_PORT, TOKEN = "192.168.7.2", "192.168.7.3", 4579, "token-of-this-bench"
MIB = 1024 * 1024
PATIENCE = 120.0
"""Seconds a start may take."""

SIZE = 16 * MIB
"""Bytes of a transfer between requestor and node."""

BIG = 2048 * MIB
"""Bytes of a transfer between nodes."""

GATED_MESSAGE, GATED_PAUSE = 16 * 1024, 0.003
"""Bytes, seconds: what docs/yagna-reordering.md tells other clients to do."""

PROGRAM = Path(node_program.__file__).read_text(encoding="utf-8")
Socket = aiohttp.ClientWebSocketResponse[Literal[True]]

SSHD = (
    "mkdir -p /run/sshd && rm -f /etc/ssh/ssh_host_* && ssh-keygen -q -t ed25519 -N '' "
    "-f /etc/ssh/ssh_host_ed25519_key && /usr/sbin/sshd -o HostKey=/etc/ssh/ssh_host_ed25519_key"
)

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


@dataclass(frozen=True)
class Goal:
    """``limit`` in ``unit``; the value shall be at most that, or at least if ``least``."""

    name: str
    unit: str
    limit: float
    least: bool = False

    def met(self, value: float) -> bool:
        return value >= self.limit if self.least else value <= self.limit


START_UP = Goal("start to first offer", "s", 15)
SSH = Goal("agreement to ssh-ready", "s", 3)
ROUND_TRIP = Goal("round trip requestor-node", "ms", 2)
DOWN = Goal("throughput node to requestor", "MiB/s", 4, least=True)
UP = Goal("throughput requestor to node, relay", "MiB/s", 4, least=True)
UP_GATED = Goal("throughput requestor to node, gated", "MiB/s", 4, least=True)
BETWEEN = Goal("throughput node to node", "MiB/s", 100, least=True)
MEMORY = Goal("memory, six idle nodes", "MiB", 1024)


class Report:
    """Prints as it goes, and remembers what was missed."""

    def __init__(self) -> None:
        self.missed: list[str] = []

    def tell(self, goal: Goal, values: Sequence[float], *, direct: float | None = None, note: str = "") -> None:
        median = statistics.median(values)
        sign = "≥" if goal.least else "≤"
        met = goal.met(median)
        if not met:
            self.missed.append(goal.name)
        parts = [
            f"{goal.name:<37} {median:8.2f} {goal.unit:<6}",
            f"goal {sign} {goal.limit:g}: {'met' if met else 'MISSED'}",
            f"({len(values)} runs, {min(values):.2f} to {max(values):.2f})",
        ]
        if direct is not None:
            parts.append(f"direct TCP {direct:.2f} {goal.unit}, ratio {median / direct:.3f}")
        print("  ".join([*parts, note] if note else parts), flush=True)


class Devnet:
    """The bench's own network."""

    def __init__(self) -> None:
        settings = read_settings()
        self.environment = environment_of(replace(settings, project=f"{settings.project}-bench"))
        self.url = f"http://127.0.0.1:{published_port()}"

    def compose(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(
            compose(*arguments), cwd=ROOT, env=dict(self.environment), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout

    def remove(self) -> None:
        self.compose("down", "--volumes", "--remove-orphans")

    @asynccontextmanager
    async def requestor(self) -> AsyncIterator[Requestor]:
        key = await asyncio.to_thread(app_key, self.environment)
        async with aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {key}"}, timeout=aiohttp.ClientTimeout(90)
        ) as session:
            yield Requestor(session, self.url, key)

    def address(self) -> str:
        """Of the container with the nodes, from here."""
        container = self.compose("ps", "--quiet", "devnet").strip()
        command = ["docker", "inspect", "-f", "{{json .NetworkSettings.Networks}}", container]
        found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        (network,) = found.values()
        return str(network["IPAddress"])

    def memory(self) -> float:
        """MiB of all containers, as ``docker stats`` says."""
        containers = self.compose("ps", "--quiet").split()
        command = ["docker", "stats", "--no-stream", "--format", "{{.MemUsage}}", *containers]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")
        return sum(mebibytes(line.partition("/")[0].strip()) for line in lines if line.strip())


def mebibytes(text: str) -> float:
    """From docker's ``12.3MiB``."""
    found = re.fullmatch(r"([0-9.]+)([KMG])iB", text)
    assert found is not None, text
    return float(found[1]) * {"K": 1 / 1024, "M": 1, "G": 1024}[found[2]]


async def first_offer(devnet: Devnet, *, fresh: bool) -> float:
    """Seconds from ``docker compose up`` to the first proposal a requestor gets."""
    if fresh:
        await asyncio.to_thread(devnet.remove)
    else:
        await asyncio.to_thread(devnet.compose, "down")
    begin = time.monotonic()
    await asyncio.to_thread(devnet.compose, "up", "--detach", *SERVICES)
    while True:
        try:
            async with devnet.requestor() as requestor:
                allocation_id = await requestor.allocate()
                await requestor.draft(allocation_id, "(golem.inf.cpu.threads>0)", patience=30)
                took = time.monotonic() - begin
                await requestor.release(allocation_id)
                return took
        except (Refused, StepError, aiohttp.ClientError, OSError):  # not up yet
            if time.monotonic() - begin > PATIENCE:
                raise
            await asyncio.sleep(0.1)


async def start_up(devnet: Devnet, report: Report, runs: int) -> None:
    for fresh in (True, False):
        values = [await first_offer(devnet, fresh=fresh) for _ in range(runs)]
        report.tell(START_UP, values, note="new volumes" if fresh else "second start")


async def ssh_ready(devnet: Devnet, report: Report, runs: int) -> None:
    values = []
    async with devnet.requestor() as requestor:
        for _ in range(runs + 2):
            async with requestor.network() as network_id:
                allocation_id = await requestor.allocate()
                proposal = await requestor.draft(allocation_id, "(golem.node.id.name=alder)")
                agreement_id = await requestor.agree(proposal)
                begin = time.monotonic()
                path = "/activity-api/v1/activity?timeout=20"
                activity = await requestor.call("POST", path, {"agreementId": agreement_id})
                rental = Rental(proposal["issuerId"], agreement_id, activity["activityId"], allocation_id)
                join = await requestor.join(network_id, [(IP, rental)], rental)
                results = await requestor.execute(rental, join, START, shell(SSHD))
                assert results[-1]["result"] == "Ok", results
                async with requestor.channel(network_id, IP, 22) as ws:
                    assert (await ws.receive_bytes(timeout=20)).startswith(b"SSH-2.0")
                values.append(time.monotonic() - begin)
                await requestor.end(rental)
                await requestor.release(allocation_id)
    report.tell(SSH, values)


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
    content = os.urandom(SIZE)

    async def by_relay() -> float:
        async with node.channel(RELAY_PORT) as ws:
            link = await Link.open(Channel(cast(Socket, ws), what="the node"), token=TOKEN, clock=SystemClock())
            try:
                stream = await link.connect(TAKES)
                begin = time.perf_counter()
                await stream.write(content)
                await stream.write_eof()
                assert await stream.read() == b"%d\n" % SIZE
                return SIZE / MIB / (time.perf_counter() - begin)
            finally:
                await link.close()

    async def gated() -> float:
        async with node.channel(TAKES, autoping=False) as ws:
            begin = time.perf_counter()
            for place in range(0, SIZE, GATED_MESSAGE):
                await ws.send_bytes(content[place : place + GATED_MESSAGE])
                await ws.ping()
                while (await ws.receive(timeout=20)).type is not aiohttp.WSMsgType.PONG:
                    pass
                await asyncio.sleep(GATED_PAUSE)
            return SIZE / MIB / (time.perf_counter() - begin)

    async def directly() -> float:
        reader, writer = await asyncio.open_connection(node.direct, TAKES)
        begin = time.perf_counter()
        writer.write(content)
        writer.write_eof()
        assert await reader.readline() == b"%d\n" % SIZE
        writer.close()
        return SIZE / MIB / (time.perf_counter() - begin)

    direct = statistics.median(await repeat(directly, runs))
    report.tell(UP, await repeat(by_relay, runs), direct=direct)
    report.tell(UP_GATED, await repeat(gated, runs), direct=direct)


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


async def memory(devnet: Devnet, report: Report) -> None:
    async with AsyncExitStack() as stack:
        requestor = await stack.enter_async_context(devnet.requestor())
        network_id = await stack.enter_async_context(requestor.network())
        rentals = [await stack.enter_async_context(requestor.rented(name)) for name in PROVIDERS]
        members = [(f"192.168.7.{number}", rental) for number, rental in enumerate(rentals, start=2)]
        for _, rental in members:
            join = await requestor.join(network_id, members, rental)
            results = await requestor.execute(rental, join, START, shell(SSHD))
            assert results[-1]["result"] == "Ok", results
        await asyncio.sleep(10)
        report.tell(MEMORY, [await asyncio.to_thread(devnet.memory)])


async def repeat(measure: Callable[[], Awaitable[float]], runs: int) -> list[float]:
    return [await measure() for _ in range(runs)]


async def run(chosen: Sequence[str], runs: int) -> int:
    """Number of goals missed."""
    devnet, report = Devnet(), Report()
    try:
        if "start" in chosen:
            await start_up(devnet, report, runs)
        await asyncio.to_thread(devnet.compose, "up", "--detach", "--wait", *SERVICES)
        if "memory" in chosen:  # before others have left something in caches
            await memory(devnet, report)
        if "ssh" in chosen:
            await ssh_ready(devnet, report, runs)
        async with two_nodes(devnet) as node:
            if "round-trip" in chosen:
                await round_trip(node, report, runs)
            if "down" in chosen:
                await down(node, report, runs)
            if "up" in chosen:
                await up(node, report, runs)
            if "between" in chosen:
                await between(node, report, runs, devnet)
    finally:
        await asyncio.to_thread(devnet.remove)
    return len(report.missed)


MEASUREMENTS = ("start", "memory", "ssh", "round-trip", "down", "up", "between")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("measurement", nargs="*", choices=[*MEASUREMENTS, []], default=[], help="default: all")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    return 1 if asyncio.run(run(options.measurement or MEASUREMENTS, options.runs)) else 0


if __name__ == "__main__":
    sys.exit(main())
