from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from aiohttp.test_utils import TestServer

from golem_bridge.golem.yagna import YagnaGolem
from tests.fakes.clock import VirtualClock
from tests.unit.golem.fake_yagna import FakeYagna

KEY = "s3cret-app-key-of-the-test"


@dataclass(frozen=True)
class Bench:
    """A YagnaGolem in front of a scripted yagna; time flows by itself."""

    yagna: FakeYagna
    golem: YagnaGolem
    clock: VirtualClock
    url: str


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    yagna, clock = FakeYagna(), VirtualClock()
    async with TestServer(yagna.application()) as server, clock.flowing():
        url = str(server.make_url("/"))
        async with YagnaGolem(url, KEY, clock=clock) as golem:
            yield Bench(yagna, golem, clock, url)
