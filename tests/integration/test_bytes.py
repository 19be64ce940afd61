"""What goes through the Net API arrives as it was sent; and the devnet's own half of the way is proven by itself."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import random
from pathlib import Path
from typing import Literal, cast

import aiohttp
import pytest

from golem_bridge.clock import SystemClock
from golem_bridge.golem.yagna.channel import Channel
from golem_bridge.relay import Link, node_source
from tests.devnet import PYTHON, inside
from tests.integration import node_program
from tests.integration.requestor import START, Requestor, shell

pytestmark = pytest.mark.usefixtures("honest")

Socket = aiohttp.ClientWebSocketResponse[Literal[True]]
IP, RELAY_PORT, TOKEN = "192.168.7.2", 4579, "token-of-this-test"
CONNECTIONS = 100
ONE_BY_ONE = 60
"""The others run four at a time."""

SIZE = 1_000_000
"""Bytes of a big transfer."""

PATIENCE = 120.0
"""Seconds for one connection."""


def test_the_devnets_own_half_changes_no_frame_and_no_order() -> None:
    """Hub, agent's line, VPN and TAP without yagna: so what yagna's stack carries wrongly is not their doing."""
    program = Path(__file__).with_name("frames_program.py").read_text(encoding="utf-8")
    report = json.loads(inside("devnet", PYTHON, "-c", program))
    assert report == {
        way: {"sent": 20_000, "arrived": 20_000, "wrong": None} for way in ("to the node", "from the node")
    }


async def test_a_hundred_mixed_connections_are_byte_exact(requestor: Requestor) -> None:
    """Downloads as they are; uploads in numbered frames (the bridge's relay), as yagna changes their places."""
    async with requestor.network() as network_id, requestor.rented("alder") as rental:
        join = await requestor.join(network_id, [(IP, rental)], rental)
        results = await requestor.execute(rental, join, START, shell(programs()))
        assert results[-1]["result"] == "Ok", results
        node = Node(requestor, network_id)
        works = (node.download, node.upload, node.both, node.keystroke)
        for seed in range(ONE_BY_ONE):
            await works[seed % 4](seed=seed)
        for place in range(ONE_BY_ONE, CONNECTIONS, 4):
            await asyncio.gather(*(work(seed=place + n) for n, work in enumerate(works)))


def programs() -> str:
    """Shell that starts both programs in the node."""
    server = Path(node_program.__file__).read_text(encoding="utf-8")
    return "\n".join(
        [
            "set -eu",
            f"printf %s {base64.b64encode(server.encode()).decode()} | base64 -d > /tmp/server.py",
            f"printf %s {base64.b64encode(node_source().encode()).decode()} | base64 -d > /tmp/relay.py",
            f"printf %s {TOKEN} > /tmp/token",
            "nohup python3 /tmp/server.py > /tmp/server.log 2>&1 &",
            f"python3 /tmp/relay.py --listen {IP}:{RELAY_PORT} --token-file /tmp/token"
            f" --allow {node_program.TAKES} --daemon",
            "sleep 1",
        ]
    )


class Node:
    """Transfers of reproducible bytes to and from the node; each on a connection of its own."""

    def __init__(self, requestor: Requestor, network_id: str) -> None:
        self._requestor = requestor
        self._network_id = network_id

    async def download(self, *, seed: int, size: int = SIZE) -> None:
        content = random.Random(seed).randbytes(size)
        async with asyncio.timeout(PATIENCE), self._requestor.channel(self._network_id, IP, node_program.GIVES) as ws:
            await ws.send_bytes(f"{seed} {size}\n".encode())
            came = bytearray()
            while len(came) < size:
                message = await ws.receive()
                assert message.type is aiohttp.WSMsgType.BINARY, f"{message.type} after {len(came)} bytes"
                came += message.data
        assert bytes(came) == content, f"download {seed} differs"

    async def upload(self, *, seed: int, size: int = SIZE) -> None:
        content = random.Random(seed).randbytes(size)
        async with asyncio.timeout(PATIENCE), self._requestor.channel(self._network_id, IP, RELAY_PORT) as ws:
            link = await Link.open(Channel(cast(Socket, ws), what="the node"), token=TOKEN, clock=SystemClock())
            try:
                stream = await link.connect(node_program.TAKES)
                await stream.write(content)
                await stream.write_eof()
                said = b""
                while piece := await stream.read():
                    said += piece
            finally:
                await link.close()
        expected = f"{size} {hashlib.sha256(content).hexdigest()}\n"
        assert said.decode() == expected, f"upload {seed} differs"

    async def both(self, *, seed: int) -> None:
        await asyncio.gather(self.download(seed=seed), self.upload(seed=seed + CONNECTIONS))

    async def keystroke(self, *, seed: int) -> None:
        await self.upload(seed=seed, size=5)
