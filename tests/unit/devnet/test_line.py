"""An agent's line to the hub: a hub that is killed and comes back finds everything as it was."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator

import pytest

from golem_devnet.net.bus import BusClient, BusError
from golem_devnet.net.line import HubLine
from golem_devnet.net.wire import pack
from tests.unit.devnet.waiting import PATIENCE, until


class HubProcess:
    """The hub as the supervisor runs it, on a port of its own."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"tcp://127.0.0.1:{self.port}"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "golem_devnet.net", str(self.port)),
            env=environment,
            stderr=asyncio.subprocess.DEVNULL,
        )

    async def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()
            self._process = None

    async def client(self) -> BusClient:
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    return await BusClient.connect(self.url, "other")
                except OSError:
                    await asyncio.sleep(0.05)


@pytest.fixture
async def hub() -> AsyncIterator[HubProcess]:
    made = HubProcess()
    yield made
    await made.kill()


async def ok(_caller: str, _address: str, _body: bytes) -> bytes:
    return pack({"Ok": "here"})


async def test_what_was_bound_is_bound_again(hub: HubProcess) -> None:
    frames: list[bytes] = []
    line = HubLine(hub.url, "agent")
    try:
        await hub.start()
        await line.bind("/net/0xa/vpn/1", ok, raw=lambda _, frame: frames.append(frame))
        await line.bind("/net/0xa/vpn/2", ok)
        await line.unbind("/net/0xa/vpn/2")
        for restart in range(2):
            await hub.kill()
            answered = asyncio.Event()
            line.send_raw("/net/0xb/vpn/1/raw", b"lost", caller="0xa", answered=answered.set)
            async with asyncio.timeout(PATIENCE):
                await answered.wait()
            await hub.start()
            other = await hub.client()
            async with asyncio.timeout(PATIENCE):
                while True:
                    try:
                        assert await other.call("/net/0xa/vpn/1/VpnControl", None) == "here"
                        break
                    except BusError:
                        await asyncio.sleep(0.05)
            with pytest.raises(BusError, match="not found"):
                await other.call("/net/0xa/vpn/2/VpnControl", None)
            arrived = asyncio.Event()
            other.send_raw("/net/0xa/vpn/1/raw", b"frame", caller="0xb", answered=arrived.set)
            async with asyncio.timeout(PATIENCE):
                await arrived.wait()
            await until(lambda expected=restart + 1: len(frames) == expected)  # type: ignore[misc]
            await other.close()
            async with asyncio.timeout(PATIENCE):
                await line.returns()
        assert frames == [b"frame", b"frame"]
    finally:
        await line.close()


async def test_a_name_that_is_taken_is_refused_and_not_kept(hub: HubProcess) -> None:
    await hub.start()
    owner = await hub.client()
    await owner.bind("/net/0xa/vpn/1", ok)
    line = HubLine(hub.url, "agent")
    try:
        with pytest.raises(BusError, match="409"):
            await line.bind("/net/0xa/vpn/1", ok)
        await hub.kill()
        await hub.start()
        await line.ready(PATIENCE)
        other = await hub.client()
        await asyncio.sleep(0.5)
        with pytest.raises(BusError, match="not found"):
            await other.call("/net/0xa/vpn/1/VpnControl", None)
        await other.close()
    finally:
        await line.close()
        await owner.close()


async def test_a_hub_that_never_comes_is_named() -> None:
    line = HubLine("tcp://127.0.0.1:1", "agent")
    try:
        with pytest.raises(TimeoutError, match=r"tcp://127\.0\.0\.1:1 was not reached"):
            await line.ready(0.5)
    finally:
        await line.close()
