from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from golem_bridge.clock import SystemClock
from golem_bridge.golem.yagna import YagnaGolem
from tests.contract.world import World
from tests.fakes.clock import VirtualClock
from tests.fakes.golem import FakeProvider, MemoryGolem

# the generated clients ask an old certifi for certificates they never use
CERTIFI = pytest.mark.filterwarnings("ignore:path is deprecated:DeprecationWarning")


@pytest.fixture(params=["memory", pytest.param("yagna", marks=CERTIFI)])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    make = _memory if request.param == "memory" else _yagna
    async for made in make():
        yield made


async def _memory() -> AsyncIterator[World]:
    clock = VirtualClock()
    golem = MemoryGolem(clock=clock)
    golem.join(FakeProvider("honest", run_output="hello\n", debit_note_interval=2.0))
    golem.join(FakeProvider("refusing", subnet="refusing", refuses_agreements=True))
    golem.join(FakeProvider("silent", subnet="silent", silent_on_agreements=True))
    golem.join(FakeProvider("declining", subnet="declining", rejects_proposals=True))
    async with clock.flowing():
        yield World(golem, clock, honest="devnet", refusing="refusing", silent="silent", declining="declining")
        await golem.close()


async def _yagna() -> AsyncIterator[World]:
    url, key_file = os.environ.get("RAY_ON_GOLEM_YAGNA_URL"), os.environ.get("RAY_ON_GOLEM_YAGNA_APPKEY_FILE")
    if not url or not key_file:
        pytest.skip("RAY_ON_GOLEM_YAGNA_URL and RAY_ON_GOLEM_YAGNA_APPKEY_FILE name no yagna")
    key = Path(key_file).read_text(encoding="utf-8").strip()  # noqa: ASYNC240 - a test's set-up
    async with YagnaGolem(url, key) as golem:
        yield World(
            golem,
            SystemClock(),
            honest=os.environ.get("RAY_ON_GOLEM_SUBNET", "devnet"),
            refusing=os.environ.get("RAY_ON_GOLEM_SUBNET_REFUSING"),
            silent=os.environ.get("RAY_ON_GOLEM_SUBNET_SILENT"),
            declining=os.environ.get("RAY_ON_GOLEM_SUBNET_DECLINING"),
        )
