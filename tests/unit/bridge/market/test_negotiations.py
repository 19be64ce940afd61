"""Several providers asked for one node, on the memory Golem."""

from __future__ import annotations

import asyncio

import pytest

from golem_bridge.errors import MarketError
from golem_bridge.market.negotiations import AT_ONCE
from tests.fakes.golem import FakeProvider
from tests.unit.bridge.market.stall import Stall, provider, stall


def mute(number: int) -> FakeProvider:
    return provider(f"mute-{number}", f"0.00{number}", silent_on_proposals=True)


def in_use(market: Stall) -> int:
    """Providers that are claimed."""
    return len(market.claims)


async def test_the_next_is_asked_while_the_cheapest_keeps_silent() -> None:
    async with stall(mute(1), mute(2), mute(3), provider("good", "0.03")) as market:
        assert await market.partner() == "good"
        assert market.clock.monotonic() < 12
        assert in_use(market) == 1
        failed = {reason.text for reason in market.subscription.view(market.claims).failed}
        assert failed == {"no answer in 3 s"}


async def test_a_late_answer_counts() -> None:
    late = provider("late", "0.001")
    async with stall(late, mute(2)) as market:
        await market.clock.sleep(1)
        late.delay = 5
        assert await market.partner() == "late"
        assert market.clock.monotonic() < 7
        assert market.said == ["Negotiating with late", "Negotiating with mute-2"]


async def test_of_two_drafts_that_come_together_one_is_taken() -> None:
    first, second = provider("first", "0.001"), provider("second", "0.002")
    async with stall(first, second) as market:
        await market.clock.sleep(1)
        first.delay, second.delay = 4, 1
        draft = await market.draft()
        assert market.clock.monotonic() < 6
        assert market.said == ["Negotiating with first", "Negotiating with second"]
        assert in_use(market) == 1
        assert draft.offer.provider_id in market.claims


async def test_who_does_not_fit_the_budget_is_not_asked_while_one_that_does_may_answer() -> None:
    fits = provider("fits", "0.001")
    async with stall(fits, provider("too-dear", "90")) as market:
        await market.clock.sleep(1)
        fits.delay = 5
        assert (await market.draft(left="1")).offer.provider_name == "fits"
        assert market.said == ["Negotiating with fits"]


async def test_not_the_whole_market_is_asked_at_once() -> None:
    silent = [mute(number) for number in range(1, 9)]
    async with stall(*silent) as market:
        start = asyncio.create_task(market.draft(patience=14))
        await market.clock.sleep(13.5)
        assert in_use(market) == AT_ONCE
        with pytest.raises(MarketError):
            await start
        assert in_use(market) == 0


async def test_a_start_that_is_given_up_gives_its_providers_back() -> None:
    async with stall(mute(1), mute(2)) as market:
        start = asyncio.create_task(market.draft())
        await market.clock.sleep(5)
        assert in_use(market) == 2
        start.cancel()
        with pytest.raises(asyncio.CancelledError):
            await start
        assert in_use(market) == 0


async def test_parallel_starts_ask_nobody_twice() -> None:
    async with stall(mute(1), mute(2), provider("one", "0.01"), provider("two", "0.02")) as market:
        drafts = await asyncio.gather(market.draft(), market.draft())
        assert {draft.offer.provider_name for draft in drafts} == {"one", "two"}
        assert in_use(market) == 2
