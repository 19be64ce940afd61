"""Offers, negotiation, agreements."""

from __future__ import annotations

import uuid

import pytest

from golem_bridge.errors import AgreementRefusedError, GolemError, GolemTimeoutError, NotFoundError
from golem_bridge.golem.types import AgreementState, ProposalRejection
from tests.contract.steps import answer, demand, drafted, funds, next_event
from tests.contract.world import World

UNKNOWN = ["nope", "ab" * 32]


async def test_an_unsubscribed_demand_is_gone_and_may_be_withdrawn_again(world: World) -> None:
    async with funds(world) as allocation:
        demand_id = await world.golem.subscribe(await demand(world, allocation, world.honest))
    await world.golem.unsubscribe(demand_id)
    await world.golem.unsubscribe(demand_id)
    with pytest.raises(NotFoundError):
        await world.golem.proposals(demand_id, timeout=1)


async def test_a_demand_nobody_meets_brings_nothing_until_the_time_is_over(world: World) -> None:
    async with funds(world) as allocation:
        demand_id = await world.golem.subscribe(await demand(world, allocation, uuid.uuid4().hex))
        started = world.clock.monotonic()
        assert list(await world.golem.proposals(demand_id, timeout=1)) == []
        assert world.clock.monotonic() - started >= 0.9
        await world.golem.unsubscribe(demand_id)


async def test_a_draft_carries_the_offer_and_the_terms_we_set(world: World) -> None:
    async with drafted(world, world.honest) as (_, draft):
        assert draft.properties["golem.node.debug.subnet"] == world.honest
        assert draft.properties["golem.com.payment.debit-notes.accept-timeout?"] == 123
        coefficients = draft.properties["golem.com.pricing.model.linear.coeffs"]
        assert isinstance(coefficients, list)
        assert all(isinstance(price, float) for price in coefficients)


async def test_a_proposal_is_answered_once(world: World) -> None:
    async with funds(world) as allocation:
        wanted = await demand(world, allocation, world.honest)
        demand_id = await world.golem.subscribe(wanted)
        offer = await next_event(world, demand_id)
        await world.golem.counter(demand_id, offer.proposal_id, wanted)
        with pytest.raises(GolemError):
            await world.golem.counter(demand_id, offer.proposal_id, wanted)
        await world.golem.unsubscribe(demand_id)


async def test_offers_can_be_declined(world: World) -> None:
    async with funds(world) as allocation:
        demand_id = await world.golem.subscribe(await demand(world, allocation, world.honest))
        offer = await next_event(world, demand_id)
        await world.golem.reject(demand_id, offer.proposal_id, "too dear")
        await world.golem.unsubscribe(demand_id)


async def test_a_provider_that_declines_is_heard(world: World) -> None:
    if world.declining is None:
        pytest.skip("no declining provider")
    async with funds(world) as allocation:
        wanted = await demand(world, allocation, world.declining)
        demand_id = await world.golem.subscribe(wanted)
        counter_id, said = await answer(world, demand_id, wanted)
        assert isinstance(said, ProposalRejection)
        assert said.proposal_id == counter_id
        assert said.reason
        await world.golem.unsubscribe(demand_id)


async def test_an_offer_without_negotiation_makes_no_agreement(world: World) -> None:
    async with funds(world) as allocation:
        demand_id = await world.golem.subscribe(await demand(world, allocation, world.honest))
        offer = await next_event(world, demand_id)
        with pytest.raises(GolemError):
            await world.golem.create_agreement(offer.proposal_id, valid_for=60)
        await world.golem.unsubscribe(demand_id)


async def test_an_agreement_from_draft_to_end(world: World) -> None:
    session = uuid.uuid4().hex
    async with drafted(world, world.honest) as (_, draft):
        agreement_id = await world.golem.create_agreement(draft.proposal_id, valid_for=60)
        assert (await world.golem.agreement(agreement_id)).state is AgreementState.PROPOSAL
        await world.golem.confirm_agreement(agreement_id, app_session_id=session, timeout=30)
        await world.golem.confirm_agreement(agreement_id, app_session_id=session, timeout=30)
        signed = await world.golem.agreement(agreement_id)
        assert signed.state is AgreementState.APPROVED
        assert signed.provider_id == draft.provider_id
        assert signed.app_session_id == session
        assert signed.offer_properties["golem.node.debug.subnet"] == world.honest
        assert "golem.com.payment.chosen-platform" in signed.demand_properties
        await world.golem.terminate_agreement(agreement_id, "done")
        await world.golem.terminate_agreement(agreement_id, "done")
        assert (await world.golem.agreement(agreement_id)).state is AgreementState.TERMINATED


async def test_agreements_are_listed_by_session(world: World) -> None:
    session = uuid.uuid4().hex
    assert list(await world.golem.agreements(app_session_id=session)) == []
    async with drafted(world, world.honest) as (_, draft):
        agreement_id = await world.golem.create_agreement(draft.proposal_id, valid_for=60)
        assert list(await world.golem.agreements(app_session_id=session)) == []
        await world.golem.confirm_agreement(agreement_id, app_session_id=session, timeout=30)
        listed = await world.golem.agreements(app_session_id=session)
        assert [(row.agreement_id, row.state) for row in listed] == [(agreement_id, AgreementState.APPROVED)]
        await world.golem.terminate_agreement(agreement_id, "done")
        listed = await world.golem.agreements(app_session_id=session)
        assert [(row.agreement_id, row.state) for row in listed] == [(agreement_id, AgreementState.TERMINATED)]


async def test_a_refused_agreement_says_so_at_once(world: World) -> None:
    if world.refusing is None:
        pytest.skip("no refusing provider")
    async with drafted(world, world.refusing) as (_, draft):
        agreement_id = await world.golem.create_agreement(draft.proposal_id, valid_for=60)
        with pytest.raises(AgreementRefusedError):
            await world.golem.confirm_agreement(agreement_id, app_session_id=uuid.uuid4().hex, timeout=30)
        assert (await world.golem.agreement(agreement_id)).state is AgreementState.REJECTED
        await world.golem.terminate_agreement(agreement_id, "it has ended already")


async def test_a_silent_provider_times_out_and_its_agreement_can_be_taken_back(world: World) -> None:
    if world.silent is None:
        pytest.skip("no silent provider")
    session = uuid.uuid4().hex
    async with drafted(world, world.silent) as (_, draft):
        agreement_id = await world.golem.create_agreement(draft.proposal_id, valid_for=60)
        with pytest.raises(GolemTimeoutError):
            await world.golem.confirm_agreement(agreement_id, app_session_id=session, timeout=1.5)
        listed = await world.golem.agreements(app_session_id=session)
        assert [row.state for row in listed] == [AgreementState.PENDING]
        await world.golem.terminate_agreement(agreement_id, "no time to wait")
        assert (await world.golem.agreement(agreement_id)).state is AgreementState.CANCELLED
        with pytest.raises(AgreementRefusedError):
            await world.golem.confirm_agreement(agreement_id, app_session_id=session, timeout=5)


async def test_an_unconfirmed_agreement_may_be_dropped(world: World) -> None:
    async with drafted(world, world.honest) as (_, draft):
        agreement_id = await world.golem.create_agreement(draft.proposal_id, valid_for=60)
        await world.golem.terminate_agreement(agreement_id, "changed our mind")


@pytest.mark.parametrize("unknown", UNKNOWN)
async def test_unknown_agreements_and_demands(world: World, unknown: str) -> None:
    with pytest.raises(NotFoundError):
        await world.golem.agreement(unknown)
    with pytest.raises(NotFoundError):
        await world.golem.terminate_agreement(unknown, "never was")
    with pytest.raises(NotFoundError):
        await world.golem.proposals(unknown, timeout=1)
    with pytest.raises(NotFoundError):
        await world.golem.create_agreement(unknown, valid_for=60)
    await world.golem.unsubscribe(unknown)
