"""Choosing and negotiating, on the memory Golem."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from golem_bridge.errors import MarketError
from golem_bridge.golem.types import Demand, Proposal, ProposalRejection
from golem_bridge.market.claims import Claims, Talks
from golem_bridge.market.feed import RENEWAL
from golem_bridge.market.reputation import Failure
from golem_bridge.market.requirements import BudgetControl, ExpectedUsage
from tests.fakes.golem import FakeProvider, MemoryGolem
from tests.unit.bridge.market.stall import provider, stall, subscribed
from tests.unit.bridge.samples import node_config


class SlowGolem(MemoryGolem):
    """yagna tells the id of a counter-proposal later than the provider answers it."""

    async def counter(self, demand_id: str, proposal_id: str, demand: Demand) -> str:
        counter_id = await super().counter(demand_id, proposal_id, demand)
        await self.world.clock.sleep(1)
        return counter_id


def three() -> Sequence[FakeProvider]:
    return provider("dear", "0.03"), provider("cheap", "0.01"), provider("middle", "0.02")


async def test_the_cheapest_is_asked_first() -> None:
    async with stall(*three()) as market:
        assert [await market.partner() for _ in range(3)] == ["cheap", "middle", "dear"]


async def test_offers_that_come_one_upon_another_are_waited_for() -> None:
    async with stall(provider("dear", "0.03")) as market:
        partner = asyncio.create_task(market.partner())
        for late in three()[1:]:
            await market.clock.sleep(0.2)
            market.golem.join(late)
        assert await partner == "cheap"


async def test_once_it_is_quiet_nobody_is_waited_for() -> None:
    async with stall(*three()) as market:
        await market.partner()
        assert market.clock.monotonic() < 0.5


async def test_a_market_that_is_never_quiet_is_listened_to_for_a_second() -> None:
    async with stall(provider("first", "0.03")) as market:
        partner = asyncio.create_task(market.partner())
        for number in range(10):
            await market.clock.sleep(0.2)
            market.golem.join(provider(f"late-{number}", f"0.02{9 - number}"))
        assert await partner in {"late-3", "late-4"}


async def test_expected_usage_decides_what_is_cheap() -> None:
    big = provider("big", "0.02", threads=16)
    usage = ExpectedUsage(cpu_load=Decimal("0.1"), duration_hours=Decimal("0.1"))
    async with stall(provider("small", "0.01"), big) as market:
        assert await market.partner() == "small"
    config = node_config(budget_control=BudgetControl(per_cpu_expected_usage=usage))
    async with stall(provider("small", "0.01"), big, config=config) as market:
        assert await market.partner() == "big"


async def test_parallel_starts_take_the_cheapest_providers_and_none_twice() -> None:
    names = [f"provider-{number}" for number in range(8)]
    crowd = [provider(name, f"0.0{number + 1}", delay=0.3) for number, name in enumerate(names)]
    async with stall(*crowd) as market:
        began = market.clock.monotonic()
        partners = await asyncio.gather(*(market.partner() for _ in range(6)))
        assert sorted(partners) == names[:6]
        assert market.clock.monotonic() - began < 2.5  # together, not one after the other


async def test_a_start_that_waits_goes_on_as_soon_as_a_provider_is_given_back() -> None:
    async with stall(provider("only")) as market:
        draft = await market.draft()
        waiting = asyncio.create_task(market.partner())
        await market.clock.sleep(7)
        assert not waiting.done()
        market.golem.join(market.golem.world.provider(draft.offer.provider_id))  # its agreement ended: it offers again
        await market.clock.sleep(1)
        began = market.clock.monotonic()
        market.claims.release(draft.offer.provider_id)
        assert await waiting == "only"
        assert market.clock.monotonic() - began < 1


async def test_clusters_do_not_talk_to_one_provider_at_the_same_time() -> None:
    async with stall(provider("cheap", "0.01", delay=1), provider("dear", "0.02", delay=1)) as market:
        other = subscribed(market.golem, market.clock, node_config(), market.reputation)
        talks = Talks()
        partners = await asyncio.gather(
            market.draft(claims=Claims(talks)), replace(market, subscription=other).draft(claims=Claims(talks))
        )
        assert [draft.offer.provider_name for draft in partners] == ["cheap", "dear"]
        await other.stop()


async def test_who_serves_another_cluster_is_asked_after_those_who_are_free() -> None:
    talks = Talks()
    first, second = Claims(talks), Claims(talks)
    async with stall(FakeProvider("cheap"), FakeProvider("dear", price_start=Decimal("0.1"))) as here:
        assert (await here.draft(claims=first)).offer.provider_name == "cheap"
        assert (await here.draft(claims=second)).offer.provider_name == "dear"


async def test_a_cluster_goes_on_as_soon_as_another_one_stops_talking_to_its_provider() -> None:
    async with stall(provider("moody", silent_on_proposals=True)) as market:
        other = subscribed(market.golem, market.clock, node_config(), market.reputation)
        talks = Talks()
        first = asyncio.create_task(market.draft(claims=Claims(talks)))
        await market.clock.sleep(3)
        market.golem.world.provider(provider("moody").provider_id).silent_on_proposals = False
        second = await replace(market, subscription=other).draft(claims=Claims(talks))
        assert second.offer.provider_name == "moody"
        assert market.clock.monotonic() == pytest.approx(15.5, abs=0.5)  # a moment to gather, fifteen to be answered
        first.cancel()
        await other.stop()


async def test_a_negotiation_is_not_cut_short_by_the_demands_renewal() -> None:
    async with stall(provider("slow", delay=10)) as market:
        await market.clock.sleep(RENEWAL - 5)
        assert await market.partner() == "slow"
        assert market.clock.monotonic() < RENEWAL + 10


async def test_offers_of_the_preferred_subnet_come_first() -> None:
    config = node_config(priority_subnet_tag="heads")
    async with stall(provider("cheap"), provider("own", "0.9", subnet="heads", delay=1), config=config) as market:
        assert [await market.partner() for _ in range(2)] == ["own", "cheap"]


async def test_an_empty_preferred_subnet_costs_two_seconds_once() -> None:
    async with stall(*three(), config=node_config(priority_subnet_tag="heads")) as market:
        assert await market.partner() == "cheap"
        assert market.clock.monotonic() < 3
        began = market.clock.monotonic()
        assert await market.partner() == "middle"
        assert market.clock.monotonic() - began < 1


async def test_who_does_not_fit_the_budget_is_not_preferred() -> None:
    config = node_config(priority_subnet_tag="heads")
    async with stall(provider("cheap"), provider("own", "5", subnet="heads"), config=config) as market:
        assert (await market.draft(left="1")).offer.provider_name == "cheap"


async def test_if_nobody_fits_the_budget_the_cheapest_tells_what_it_takes() -> None:
    config = node_config(priority_subnet_tag="heads")
    async with stall(provider("cheap", "4"), provider("own", "5", subnet="heads"), config=config) as market:
        assert (await market.draft(left="1")).offer.provider_name == "cheap"


async def test_who_declines_or_keeps_silent_is_passed_over_and_counted() -> None:
    rude = provider("rude", "0.001", rejects_proposals=True)
    mute = provider("mute", "0.002", silent_on_proposals=True)
    async with stall(rude, mute, provider("good", "0.03")) as market:
        assert await market.partner() == "good"
        view = market.subscription.view(market.claims)
        assert {reason.text for reason in view.failed} == {"declined: not interested", "no answer in 3 s"}
        assert "2 negotiations failed" in view.sentence
        assert market.counts() == {
            "seen": 3,
            "usable": 3,
            "as demanded": 3,
            "within all limits": 3,
            "free": 0,
            "negotiated": 1,
            "agreed": 0,
        }
        assert market.reputation.doubt(rude.provider_id, at=market.clock.monotonic()) > 0
        assert rude.provider_id not in market.claims


async def test_an_answer_may_come_before_yagna_told_what_it_answers() -> None:
    async with stall(provider("quick"), golem_type=SlowGolem) as market:
        assert await market.partner() == "quick"
        assert market.clock.monotonic() < 5


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"price_start": Decimal("0.5")}, "the provider changed its prices while negotiating"),
        ({"threads": 1}, "the provider changed its CPU threads while negotiating"),
        ({"subnet": "elsewhere"}, "the final offer does not pass: the subnet is not devnet"),
    ],
)
async def test_a_provider_that_changes_its_offer_is_passed_over(change: dict[str, object], why: str) -> None:
    liar = provider("liar", "0.001")
    async with stall(liar, provider("honest", "0.02")) as market:
        await market.clock.sleep(2)
        for name, value in change.items():
            setattr(liar, name, value)
        assert await market.partner() == "honest"
        assert [reason.text for reason in market.subscription.view(market.claims).failed] == [why]


async def test_who_failed_lately_is_tried_last() -> None:
    cheap, dear = provider("cheap"), provider("dear", "0.02")
    async with stall(cheap, dear) as market:
        market.reputation.failed(cheap.provider_id, Failure.START, at=market.clock.monotonic())
        assert [await market.partner() for _ in range(2)] == ["dear", "cheap"]


async def test_who_vanished_is_left_alone_for_a_minute() -> None:
    gone = provider("gone")
    async with stall(gone) as market:
        market.reputation.failed(gone.provider_id, Failure.VANISHED, at=market.clock.monotonic())
        assert await market.partner() == "gone"
        assert 50 < market.clock.monotonic() < 70
        assert any("1 left alone for a while after failures" in said for said in market.said)


async def test_who_failed_for_this_node_is_not_tried_again() -> None:
    cheap = provider("cheap")
    async with stall(cheap, provider("dear", "0.02")) as market:
        assert await market.partner(avoid=[cheap.provider_id]) == "dear"


async def test_a_new_offer_replaces_the_old_one() -> None:
    only = provider("only")
    async with stall(only) as market:
        await market.clock.sleep(1)
        only.price_start = Decimal("0.5")
        market.golem.join(only)
        draft = await market.draft()
        assert draft.offer.price.start == Decimal("0.5")
        assert market.counts()["seen"] == 1


async def test_what_a_provider_offered_before_does_not_count_however_the_two_come() -> None:
    """yagna proposes both, in one answer and in no order."""
    async with stall(provider("only", "0.003")) as market:
        await market.clock.sleep(1)
        for start in ("0.001", "0.002"):
            market.golem.join(provider("only", start))
        draft = await market.draft()
        assert draft.offer.price.start == Decimal("0.002")
        assert market.clock.monotonic() < 5
        assert market.counts()["seen"] == 1


async def test_after_an_agreement_a_provider_offers_again_and_is_taken_again() -> None:
    only = provider("only")
    async with stall(only) as market:
        first = await market.draft()
        market.claims.release(first.offer.provider_id)
        market.golem.join(only)
        second = await market.draft()
        assert second.offer.provider_id == first.offer.provider_id
        assert second.proposal_id != first.proposal_id


async def test_a_new_offer_that_is_too_dear_takes_the_old_one_away() -> None:
    only = provider("only")
    config = node_config(budget_control=BudgetControl(max_start_price=Decimal("0.1")))
    async with stall(only, config=config) as market:
        await market.clock.sleep(1)
        assert market.counts()["free"] == 1
        only.price_start = Decimal("0.5")
        market.golem.join(only)
        await market.clock.sleep(1)
        assert market.counts()["free"] == 0


async def test_an_offer_that_was_withdrawn_does_not_stay_for_ever() -> None:
    stays, goes = provider("stays"), provider("goes", "0.001")
    async with stall(stays, goes) as market:
        await market.clock.sleep(1)
        assert market.counts()["free"] == 2
        del market.golem.world.providers[goes.provider_id]
        await market.clock.sleep(RENEWAL + 20)
        assert market.counts()["free"] == 1
        assert await market.partner() == "stays"


async def test_who_declined_is_asked_again_while_a_start_waits() -> None:
    moody = provider("moody", rejects_proposals=True)
    async with stall(moody) as market:
        waiting = asyncio.create_task(market.partner(patience=300))
        await market.clock.sleep(10)
        moody.rejects_proposals = False
        assert await waiting == "moody"
        assert market.clock.monotonic() < 90


async def test_a_demand_that_yagna_lost_is_published_again() -> None:
    async with stall(provider("only")) as market:
        await market.clock.sleep(1)
        await market.golem.unsubscribe("demand-0001")
        await market.clock.sleep(10)
        assert await market.partner() == "only"


class MumblingGolem(MemoryGolem):
    """Says once what nobody can make sense of."""

    mumbled = False

    async def proposals(self, demand_id: str, *, timeout: float) -> Sequence[Proposal | ProposalRejection]:
        if not self.mumbled:
            self.mumbled = True
            raise ValueError("not what was agreed on")
        return await super().proposals(demand_id, timeout=timeout)


async def test_an_answer_nobody_thought_of_ends_no_subscription() -> None:
    async with stall(FakeProvider("one"), golem_type=MumblingGolem) as s:
        assert await s.partner() == "one"


async def test_a_start_gives_up_with_what_was_seen_and_what_to_do() -> None:
    config = node_config(budget_control=BudgetControl(max_start_price=Decimal("0.001")))
    async with stall(*three(), config=config) as market:
        with pytest.raises(MarketError) as caught:
            await market.draft(patience=30)
        assert market.clock.monotonic() == pytest.approx(30, abs=1)
    assert caught.value.message == (
        "No provider found in 30 s — 3 offers seen, 0 free now, 3 refused (start price above 0.001 GLM, the lowest is "
        "0.01) — raise the limits under budget_control or try again later"
    )


async def test_an_empty_market_is_told_as_such() -> None:
    async with stall() as market:
        with pytest.raises(MarketError, match="0 offers seen, 0 free now — check subnet_tag"):
            await market.draft(patience=10)


async def test_stopping_withdraws_all_demands() -> None:
    async with stall(provider("only"), config=node_config(priority_subnet_tag="heads")) as market:
        await market.clock.sleep(1)
        golem = market.golem
        await market.subscription.stop()
        assert not golem._subscriptions
