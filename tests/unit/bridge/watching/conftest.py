"""A bridge with one cluster, on an event loop in which waiting takes no time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from tests.fakes.loop import VirtualLoop
from tests.unit.bridge.bench import Bench
from tests.unit.bridge.samples import spec

UP_TO_DATE = {"ray-node-status": "up-to-date"}


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"virtual": VirtualLoop}


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """Cluster ``demo`` with a running head and a running worker, on which Ray runs."""
    bench = Bench()
    bench.join("one", "two", "three")
    await bench.start()
    await bench.service.open("demo", spec())
    for node_type in ("head", "worker"):
        bench.service.request_nodes("demo", node_type, 1, UP_TO_DATE)
    await bench.until_running("demo-1-head-0001", "demo-1-worker-0002")
    yield bench
    await bench.end()
