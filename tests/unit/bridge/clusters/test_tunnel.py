"""The reverse tunnel of a head comes back, whatever refuses it at first."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast

import asyncssh
import pytest

from golem_bridge.clusters.forward import Forward
from golem_bridge.clusters.model import Node
from golem_bridge.clusters.ssh import HeadTunnel, SshGate
from golem_bridge.errors import NodeUnreachableError
from tests.fakes.loop import LoopClock
from tests.unit.bridge.bench import Bench
from tests.unit.bridge.clusters.test_close import up

PORT = 4578
DOOR = Path("/door")


class Connection:
    """An ssh connection to a head that answers forwards as told."""

    def __init__(self, refusal: Exception | None = None) -> None:
        self.refusal = refusal
        self.forwarded: list[int] = []
        self._closed = asyncio.Event()

    async def create_server(self, forward: Forward, host: str, port: int) -> None:
        assert (host, forward.door) == ("127.0.0.1", DOOR)
        self.forward = forward
        if self.refusal is not None:
            raise self.refusal
        self.forwarded.append(port)

    def abort(self) -> None:
        self._closed.set()

    async def wait_closed(self) -> None:
        await self._closed.wait()


class Gate:
    """Opens the connections laid out, in their order; or fails so."""

    def __init__(self, *outcomes: Connection | Exception) -> None:
        self.outcomes = list(outcomes)

    async def open(self, node: Node) -> asyncssh.SSHClientConnection:
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return cast(asyncssh.SSHClientConnection, outcome)


def tunnel_through(gate: Gate) -> HeadTunnel:
    return HeadTunnel(gate=cast(SshGate, gate), clock=LoopClock(), door=DOOR, ports=[PORT])


async def head_of(bench: Bench) -> Node:
    bench.join("one")
    await bench.start()
    (head,) = await up(bench)
    return bench.books.nodes.get(head)


REFUSALS = [
    asyncssh.ChannelListenError("port in use"),
    asyncssh.ConnectionLost("gone"),
    ConnectionResetError("reset"),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: type(refusal).__name__)
async def test_a_refused_forward_is_tried_again(bench: Bench, refusal: Exception) -> None:
    first, second, third = Connection(), Connection(refusal), Connection()
    tunnel = tunnel_through(Gate(second, third))
    await tunnel.start(await head_of(bench), cast(asyncssh.SSHClientConnection, first))
    assert first.forwarded == [PORT]
    first.abort()
    await asyncio.sleep(60)
    assert tunnel.is_up
    assert third.forwarded == [PORT]
    assert tunnel.restarts == 1
    await tunnel.stop()


async def test_with_a_tunnel_ends_what_it_forwarded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []

    def note(forward: Forward) -> None:
        closed.append(forward)

    monkeypatch.setattr(Forward, "close", note)
    first, second = Connection(), Connection()
    tunnel = tunnel_through(Gate(second))
    await tunnel.start(await head_of(bench), cast(asyncssh.SSHClientConnection, first))
    assert not closed
    first.abort()
    await asyncio.sleep(60)
    assert closed == [first.forward]
    await tunnel.stop()
    assert closed == [first.forward, second.forward]


async def test_a_first_forward_that_is_refused_fails_the_start(bench: Bench) -> None:
    head = await head_of(bench)
    refused = Connection(asyncssh.ChannelListenError("port in use"))
    with pytest.raises(NodeUnreachableError, match="reverse forward of port 4578 — port in use"):
        await tunnel_through(Gate()).start(head, cast(asyncssh.SSHClientConnection, refused))


@pytest.mark.parametrize("failure", [OSError(24, "Too many open files"), ValueError("two results")], ids=str)
async def test_whatever_fails_is_tried_again(bench: Bench, failure: Exception) -> None:
    """Nobody waits for the tunnel's task: it must not die of what nobody thought of."""
    first, last = Connection(), Connection()
    tunnel = tunnel_through(Gate(failure, failure, last))
    await tunnel.start(await head_of(bench), cast(asyncssh.SSHClientConnection, first))
    first.abort()
    await asyncio.sleep(60)
    assert tunnel.is_up
    assert last.forwarded == [PORT]
    await tunnel.stop()
