"""The way to a running activity, in steps that tests share. Whatever is begun here is ended here."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal

import pytest

from golem_bridge.errors import GolemError
from golem_bridge.golem.types import (
    Allocation,
    Demand,
    DocumentEvent,
    DocumentKind,
    Proposal,
    ProposalRejection,
    ProposalState,
)
from tests.contract.world import PLATFORM, World

PATIENCE = 30.0
"""Seconds."""


@dataclass(frozen=True)
class Rented:
    """An approved agreement and its activity."""

    allocation: Allocation
    agreement_id: str
    activity_id: str
    provider_id: str
    session: str


@asynccontextmanager
async def funds(world: World, amount: Decimal = Decimal(2)) -> AsyncIterator[Allocation]:
    expires = world.clock.now() + world.expiry()
    allocation = await world.golem.create_allocation(amount, platform=PLATFORM, expires=expires)
    try:
        yield allocation
    finally:
        await world.golem.release_allocation(allocation.allocation_id)


async def demand(world: World, allocation: Allocation, subnet: str) -> Demand:
    properties, constraints = await world.golem.demand_decoration(allocation.allocation_id)
    expiration = world.clock.now() + world.expiry()
    return Demand(
        {
            **properties,
            "golem.node.debug.subnet": subnet,
            "golem.srv.comp.expiration": int(expiration.timestamp() * 1000),
            "golem.srv.comp.task_package": world.image,
            "golem.com.payment.chosen-platform": PLATFORM,
            "golem.com.payment.debit-notes.accept-timeout?": 123,
        },
        f"(&(golem.node.debug.subnet={subnet})(golem.runtime.name=vm){''.join(constraints)})",
    )


async def next_event(world: World, demand_id: str) -> Proposal | ProposalRejection:
    """The first of the next events of a demand."""
    deadline = world.clock.monotonic() + PATIENCE
    while world.clock.monotonic() < deadline:
        events = await world.golem.proposals(demand_id, timeout=5)
        if events:
            return events[0]
    pytest.fail(f"no event of the demand in {PATIENCE} s: is there a provider in this subnet?")


async def answer(world: World, demand_id: str, wanted: Demand) -> tuple[str, Proposal | ProposalRejection]:
    """Counter what is offered; returns our counter-proposal's id and the provider's answer to it.

    On a real net a provider may offer anew meanwhile, so an answer need not be the next event.
    """
    countered: set[str] = set()
    failures: list[str] = []
    deadline = world.clock.monotonic() + PATIENCE
    while world.clock.monotonic() < deadline:
        for event in await world.golem.proposals(demand_id, timeout=5):
            if isinstance(event, ProposalRejection):
                if event.proposal_id in countered:
                    return event.proposal_id, event
            elif event.state is ProposalState.INITIAL:
                try:
                    countered.add(await world.golem.counter(demand_id, event.proposal_id, wanted))
                except GolemError as error:  # an offer that was withdrawn just now; the next one comes
                    failures.append(str(error))
            elif event.previous_id in countered:
                return event.previous_id, event
    pytest.fail(f"no answer in {PATIENCE} s: is there a provider in this subnet? {failures}")


@asynccontextmanager
async def drafted(world: World, subnet: str) -> AsyncIterator[tuple[Allocation, Proposal]]:
    """A draft of the subnet's first provider."""
    async with funds(world) as allocation:
        wanted = await demand(world, allocation, subnet)
        demand_id = await world.golem.subscribe(wanted)
        try:
            counter_id, draft = await answer(world, demand_id, wanted)
            assert isinstance(draft, Proposal)
            assert draft.previous_id == counter_id
            assert draft.state is ProposalState.DRAFT
            yield allocation, draft
        finally:
            await world.golem.unsubscribe(demand_id)


@asynccontextmanager
async def rented(world: World) -> AsyncIterator[Rented]:
    """An activity of the honest provider; ended afterwards, if the test has not done so."""
    session = uuid.uuid4().hex
    async with drafted(world, world.honest) as (allocation, draft):
        agreement_id = await world.golem.create_agreement(draft.proposal_id, valid_for=60)
        try:
            await world.golem.confirm_agreement(agreement_id, app_session_id=session, timeout=PATIENCE)
            activity_id = await world.golem.create_activity(agreement_id, timeout=PATIENCE)
            try:
                yield Rented(allocation, agreement_id, activity_id, draft.provider_id, session)
            finally:
                await world.golem.destroy_activity(activity_id, timeout=PATIENCE)
        finally:
            await world.golem.terminate_agreement(agreement_id, "The test is over")


async def next_document(world: World, kind: DocumentKind, rent: Rented, after: DocumentEvent | None) -> DocumentEvent:
    """The next document event that is about this rent."""
    since = after.at if after else world.clock.now() - world.expiry()
    deadline = world.clock.monotonic() + PATIENCE
    while world.clock.monotonic() < deadline:
        for event in await world.golem.document_events(kind, after=since, limit=100, timeout=5):
            since = event.at
            found = await world.golem.document(kind, event.document_id)
            if found.agreement_id == rent.agreement_id:
                return event
    pytest.fail(f"no {kind.value} in {PATIENCE} s")
