"""When a provider has waited long enough for a requestor that does nothing with its agreement."""

from __future__ import annotations

import asyncio

import pytest

from golem_devnet.agent.deal import IDLE_LIMIT
from tests.unit.devnet.timeless.deals import DealBench


@pytest.fixture
async def bench() -> DealBench:
    return DealBench()


async def housekeeping(bench: DealBench, seconds: float) -> None:
    """Looks at the deal every five seconds, as its provider does."""
    for _ in range(int(seconds / 5)):
        await asyncio.sleep(5)
        if not bench.deal.ended.is_set():
            await bench.deal.check_idle()


async def test_an_agreement_without_an_activity_is_broken(bench: DealBench) -> None:
    await housekeeping(bench, IDLE_LIMIT)
    assert not bench.deal.ended.is_set()
    await housekeeping(bench, 10)
    assert bench.rest.broken() == ["no activity for 120 s"]


async def test_an_activity_that_ends_itself_leaves_its_requestor_time_for_another(bench: DealBench) -> None:
    await bench.deal.create_activity("a1")
    await housekeeping(bench, 2 * IDLE_LIMIT)
    await bench.units["a1"].execute("terminate")
    await housekeeping(bench, IDLE_LIMIT - 10)
    assert bench.rest.broken() == []
    await housekeeping(bench, 20)
    assert bench.rest.broken() == ["no activity for 120 s"]
