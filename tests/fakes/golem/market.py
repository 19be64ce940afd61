"""The market in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from golem_bridge.errors import TRY_ANOTHER, AgreementRefusedError, GolemError, NodeUnreachableError
from golem_bridge.golem.types import (
    Agreement,
    AgreementState,
    AgreementSummary,
    Demand,
    Properties,
    Proposal,
    ProposalEvent,
    ProposalRejection,
    ProposalState,
)
from tests.fakes.golem.matching import matches
from tests.fakes.golem.provider import FakeProvider
from tests.fakes.golem.world import FakeAgreement, World, found, late


@dataclass
class _Subscription:
    demand: Demand
    events: list[ProposalEvent] = field(default_factory=list)


@dataclass
class _Thread:
    """One proposal of a provider's."""

    proposal: Proposal
    demand_id: str
    demand: Demand
    answered: bool = False


class MemoryMarket:
    def __init__(self, world: World) -> None:
        self._world = world
        self._subscriptions: dict[str, _Subscription] = {}
        self._threads: dict[str, _Thread] = {}

    def join(self, provider: FakeProvider) -> FakeProvider:
        """A provider comes to the market."""
        self._world.providers[provider.provider_id] = provider
        for demand_id in self._subscriptions:
            self._offer(demand_id, provider)
        return provider

    async def subscribe(self, demand: Demand) -> str:
        self._world.check_up()
        demand_id = self._world.new_id("demand")
        self._subscriptions[demand_id] = _Subscription(demand)
        for provider in self._world.providers.values():
            self._offer(demand_id, provider)
        return demand_id

    async def unsubscribe(self, demand_id: str) -> None:
        self._world.check_up()
        self._subscriptions.pop(demand_id, None)
        self._world.tell()

    async def proposals(self, demand_id: str, *, timeout: float) -> Sequence[ProposalEvent]:
        self._world.check_up()
        events = self._subscription(demand_id).events
        await self._world.until(lambda: bool(events) or demand_id not in self._subscriptions, timeout)
        self._world.check_up()
        self._subscription(demand_id)
        taken = events[::-1]  # in no order, so not in that of time
        events.clear()
        return taken

    async def counter(self, demand_id: str, proposal_id: str, demand: Demand) -> str:
        self._world.check_up()
        subscription = self._subscription(demand_id)
        thread = found(self._threads, proposal_id, "proposal")
        if thread.answered:
            raise GolemError(f"Cannot answer a proposal — yagna answers 410: {proposal_id} is answered — nothing to do")
        thread.answered = True
        counter_id = self._world.new_id("counter")
        provider = self._world.provider(thread.proposal.provider_id)
        if not provider.vanished and not provider.silent_on_proposals:
            self._world.later(provider.delay, lambda: self._answer(subscription, counter_id, thread, demand))
        return counter_id

    async def reject(self, demand_id: str, proposal_id: str, reason: str) -> None:
        self._world.check_up()
        self._subscription(demand_id)
        found(self._threads, proposal_id, "proposal").answered = True

    async def create_agreement(self, proposal_id: str, *, valid_for: float) -> str:
        self._world.check_up()
        thread = found(self._threads, proposal_id, "proposal")
        if thread.proposal.state is not ProposalState.DRAFT:
            raise GolemError("Cannot make an agreement — yagna answers 400: no negotiation took place — counter first")
        agreement_id = self._world.new_id("agreement")
        self._world.agreements[agreement_id] = FakeAgreement(
            agreement_id=agreement_id,
            provider=self._world.provider(thread.proposal.provider_id),
            offer=thread.proposal.properties,
            demand=thread.demand,
            valid_to=self._world.clock.now() + timedelta(seconds=valid_for),
        )
        return agreement_id

    async def confirm_agreement(self, agreement_id: str, *, app_session_id: str, timeout: float) -> None:
        self._world.check_up()
        row = self._world.agreement(agreement_id)
        if row.state is AgreementState.PROPOSAL:
            row.state, row.session = AgreementState.PENDING, app_session_id
            if not row.provider.vanished and not row.provider.silent_on_agreements:
                self._world.later(row.provider.delay, lambda: _decide(row))
        if not await self._world.until(lambda: row.state is not AgreementState.PENDING, timeout):
            raise late(f"The provider did not sign agreement {agreement_id}", timeout)
        if row.state is not AgreementState.APPROVED:
            raise AgreementRefusedError(f"The provider did not sign — its state: {row.state} — {TRY_ANOTHER}")

    async def agreement(self, agreement_id: str) -> Agreement:
        self._world.check_up()
        row = self._world.agreement(agreement_id)
        return Agreement(
            agreement_id=agreement_id,
            provider_id=row.provider.provider_id,
            state=row.state,
            offer_properties=row.offer,
            demand_properties=row.demand.properties,
            app_session_id=row.session,
        )

    async def agreements(self, *, app_session_id: str) -> Sequence[AgreementSummary]:
        self._world.check_up()
        return [
            AgreementSummary(row.agreement_id, row.state, row.session)
            for row in self._world.agreements.values()
            if row.session == app_session_id
        ]

    async def terminate_agreement(self, agreement_id: str, reason: str) -> None:
        self._world.check_up()
        row = self._world.agreement(agreement_id)
        if row.state is AgreementState.PENDING:
            row.state = AgreementState.CANCELLED
        elif row.state is AgreementState.APPROVED:
            if row.provider.vanished:
                raise NodeUnreachableError(f"Cannot end agreement {agreement_id} — the provider is out of reach — wait")
            self._world.end_agreement(row)
        self._world.tell()

    def _subscription(self, demand_id: str) -> _Subscription:
        return found(self._subscriptions, demand_id, "demand")

    def _offer(self, demand_id: str, provider: FakeProvider) -> None:
        subscription = self._subscriptions[demand_id]
        if provider.vanished or not matches(subscription.demand.constraints, provider.offer()):
            return

        def publish() -> None:
            self._propose(demand_id, subscription, provider, ProposalState.INITIAL, None, provider.offer())

        self._world.later(provider.delay, publish)

    def _answer(self, subscription: _Subscription, counter_id: str, thread: _Thread, demand: Demand) -> None:
        provider = self._world.provider(thread.proposal.provider_id)
        if provider.rejects_proposals:
            subscription.events.append(ProposalRejection(counter_id, "not interested"))
            return
        taken_over = {name: value for name, value in demand.properties.items() if name.endswith("?")}
        offer = {**provider.offer(), **taken_over}
        self._propose(thread.demand_id, subscription, provider, ProposalState.DRAFT, counter_id, offer, demand)

    def _propose(
        self,
        demand_id: str,
        subscription: _Subscription,
        provider: FakeProvider,
        state: ProposalState,
        previous_id: str | None,
        offer: Properties,
        demand: Demand | None = None,
    ) -> None:
        proposal = Proposal(
            proposal_id=self._world.new_id("proposal"),
            previous_id=previous_id,
            provider_id=provider.provider_id,
            state=state,
            properties=offer,
            made_at=self._world.moment(),
        )
        self._threads[proposal.proposal_id] = _Thread(proposal, demand_id, demand or subscription.demand)
        subscription.events.append(proposal)


def _decide(row: FakeAgreement) -> None:
    if row.state is AgreementState.PENDING:
        row.state = AgreementState.REJECTED if row.provider.refuses_agreements else AgreementState.APPROVED
