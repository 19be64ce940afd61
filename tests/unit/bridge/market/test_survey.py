"""A look at the market that rents nothing and leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from golem_bridge.errors import YagnaUnavailableError
from golem_bridge.market.survey import LONGEST, QUIET, Survey, survey
from golem_bridge.settings import Settings
from tests.fakes.clock import VirtualClock
from tests.fakes.golem import FakeProvider, MemoryGolem

WALLET = "0x" + "11" * 20


@pytest.fixture
async def clock() -> AsyncIterator[VirtualClock]:
    clock = VirtualClock()
    async with clock.flowing():
        yield clock


@pytest.fixture
def golem(clock: VirtualClock) -> MemoryGolem:
    return MemoryGolem(clock=clock)


async def looked(golem: MemoryGolem, clock: VirtualClock) -> Survey:
    return await survey(golem, clock, Settings(), wallet=WALLET)


async def test_those_that_could_be_rented_are_counted_with_the_lowest_price(
    golem: MemoryGolem, clock: VirtualClock
) -> None:
    golem.join(FakeProvider("dear", price_per_second=Decimal(1)))
    golem.join(FakeProvider("cheap", price_per_second=Decimal("0.001"), price_per_cpu_second=Decimal(0)))
    golem.join(FakeProvider("odd", extra_properties={"golem.com.pricing.model.linear.coeffs": [-1.0, 0.0, 0.0]}))
    golem.join(FakeProvider("far away", subnet="elsewhere"))
    found = await looked(golem, clock)
    assert found == Survey(subnet="devnet", seen=3, usable=2, cheapest_glm_per_hour="3.6")
    assert clock.monotonic() <= 2 * QUIET


async def test_of_a_providers_offers_the_last_one_counts(golem: MemoryGolem, clock: VirtualClock) -> None:
    look = asyncio.create_task(looked(golem, clock))
    await clock.sleep(0.1)
    for price in ("0.001", "0.002"):
        golem.join(FakeProvider("one", price_per_second=Decimal(price), price_per_cpu_second=Decimal(0)))
    assert await look == Survey(subnet="devnet", seen=1, usable=1, cheapest_glm_per_hour="7.2")


async def test_an_empty_market_is_waited_for_a_while(golem: MemoryGolem, clock: VirtualClock) -> None:
    assert await looked(golem, clock) == Survey(subnet="devnet", seen=0, usable=0, cheapest_glm_per_hour=None)
    assert clock.monotonic() == LONGEST


async def test_nothing_is_left_behind(golem: MemoryGolem, clock: VirtualClock) -> None:
    golem.join(FakeProvider("alder"))
    await looked(golem, clock)
    assert golem._subscriptions == {}
    assert await golem.agreements(app_session_id="any") == []
    assert await golem.allocations() == []


async def test_a_silent_yagna_is_an_error(golem: MemoryGolem, clock: VirtualClock) -> None:
    golem.down = True
    with pytest.raises(YagnaUnavailableError):
        await looked(golem, clock)
