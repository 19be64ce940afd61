"""One demand on the market: kept published, its offers kept fresh, its negotiations carried through."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from golem_bridge.clock import Clock
from golem_bridge.errors import GolemError, NotFoundError
from golem_bridge.golem.port import MarketPort
from golem_bridge.golem.types import Demand, Proposal, ProposalRejection, ProposalState
from golem_bridge.market.demand import SUBNET, negotiated
from golem_bridge.market.newest import Newest
from golem_bridge.market.offer import Offer
from golem_bridge.market.requirements import NodeConfig
from golem_bridge.market.screening import Refusal, RefusedOfferError, Screen
from golem_bridge.market.waiting import done_within

POLL = 5.0
"""Seconds one long poll for proposals lasts."""

ANSWER_TIMEOUT = 15.0
"""Seconds a provider may take to answer a counter-proposal."""

RENEWAL = 1800.0
"""Seconds after which the demand is published anew: yagna does not tell that an offer was withdrawn or has expired,
and proposes all that stand to a new demand."""

HURRIED_RENEWAL = 60.0
"""The same while somebody waits for an offer: who declined before is asked again."""

MAX_EARLY = 100
"""Answers kept that came before yagna told the id of what they answer."""

log = structlog.get_logger(__name__)


class NegotiationError(Exception):
    """No draft came of it. ``is_providers_fault`` is False if yagna failed."""

    def __init__(self, reason: str, *, is_providers_fault: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_providers_fault = is_providers_fault


@dataclass(frozen=True, slots=True)
class Draft:
    """A proposal both sides agree on; ready to become an agreement."""

    proposal_id: str
    offer: Offer


class Feed:
    """``offers`` are those that pass the screen and were not answered yet, one per provider: its newest.
    ``on_offer`` hears of every offer that counts and what the screen made of it. ``newest_at`` is when any offer came
    last, one that passes or not."""

    def __init__(
        self,
        *,
        golem: MarketPort,
        demand: Demand,
        config: NodeConfig,
        clock: Clock,
        on_offer: Callable[[str, Offer | Refusal], None],
    ) -> None:
        self.offers: dict[str, Offer] = {}
        self.published_at: float | None = None
        self.first_offer_at: float | None = None
        self.newest_at = 0.0
        self._golem = golem
        self._demand = demand
        self._screen = Screen(config, str(demand.properties[SUBNET]))
        self._clock = clock
        self._on_offer = on_offer
        self._demand_id: str | None = None
        self._replaced: list[str] = []
        self._hurried = False
        self._talking = 0
        self._awaited: dict[str, asyncio.Future[Proposal]] = {}
        self._early: dict[str, Proposal | ProposalRejection] = {}
        self._newest = Newest()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to gather offers in the background."""
        self._task = asyncio.create_task(self._gather_for_ever(), name="offers")

    async def stop(self) -> None:
        """Withdraw the demand; one that yagna does not let go brings offers nobody takes, until it expires."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        for answer in self._awaited.values():
            if not answer.done():
                answer.set_exception(NegotiationError("the demand was withdrawn", is_providers_fault=False))
        for demand_id in [*self._replaced, *([self._demand_id] if self._demand_id else [])]:
            try:
                await self._golem.unsubscribe(demand_id)
            except GolemError as error:
                log.warning("demand not withdrawn", demand=demand_id, reason=error.message)

    def hurry(self) -> None:
        """Somebody waits for an offer."""
        self._hurried = True

    async def negotiate(self, offer: Offer) -> Draft:
        """Counter an offer and await the provider's draft. Raises NegotiationError."""
        self.offers.pop(offer.provider_id, None)  # each proposal can be answered once
        self._talking += 1
        try:
            proposal = await self._answer_to(offer)
            return self._checked(proposal, offer)
        except GolemError as error:
            raise NegotiationError(error.finding, is_providers_fault=False) from error
        except RefusedOfferError as error:
            raise NegotiationError(f"the final offer does not pass: {error.refusal.reason}") from error
        finally:
            self._talking -= 1

    async def _answer_to(self, offer: Offer) -> Proposal:
        if self._demand_id is None:
            raise NegotiationError("the demand is being published anew", is_providers_fault=False)
        counter_id = await self._golem.counter(self._demand_id, offer.proposal_id, self._demand)
        answer: asyncio.Future[Proposal] = asyncio.get_running_loop().create_future()
        self._awaited[counter_id] = answer
        try:
            early = self._early.pop(counter_id, None)
            if early is not None:
                _settle(answer, early)
            if not await done_within(answer, ANSWER_TIMEOUT, self._clock):
                raise NegotiationError(f"no answer in {ANSWER_TIMEOUT:.0f} s")
            return answer.result()
        finally:
            del self._awaited[counter_id]

    def _checked(self, proposal: Proposal, offer: Offer) -> Draft:
        """A draft may not be dearer or smaller than the offer was, and must hold the terms we set."""
        agreed = self._screen.read(proposal)
        if proposal.provider_id != offer.provider_id:
            raise NegotiationError("somebody else answered")
        if agreed.price != offer.price or agreed.usage_vector != offer.usage_vector:
            raise NegotiationError("the provider changed its prices while negotiating")
        if agreed.threads != offer.threads:
            raise NegotiationError("the provider changed its CPU threads while negotiating")
        for name, wanted in negotiated(self._demand).items():
            if proposal.properties.get(name) != wanted:
                raise NegotiationError(f"the provider did not take over {name}")
        return Draft(proposal_id=proposal.proposal_id, offer=agreed)

    async def _gather_for_ever(self) -> None:
        while True:
            try:
                if self._demand_id is None or self._is_stale():
                    await self._publish()
                assert self._demand_id is not None
                for event in await self._golem.proposals(self._demand_id, timeout=POLL):
                    self._take(event)
                while self._replaced:
                    await self._golem.unsubscribe(self._replaced[-1])
                    self._replaced.pop()
            except NotFoundError:
                self._demand_id = None  # expired, or yagna lost it: publish again
                self.offers.clear()
            except GolemError as error:
                log.warning("gathering offers failed", reason=error.message)
                await self._clock.sleep(POLL)
            except Exception:  # nobody waits for this task: without it the node type would get no offers any more
                log.exception("gathering offers crashed")
                await self._clock.sleep(POLL)

    def _is_stale(self) -> bool:
        """Never while a negotiation is under way: its answer comes for the demand it began with."""
        if self._talking or self.published_at is None:
            return False
        age = self._clock.monotonic() - self.published_at
        return age >= (HURRIED_RENEWAL if self._hurried else RENEWAL)

    async def _publish(self) -> None:
        """The demand before goes a little later: a draft of it may be about to become an agreement."""
        demand_id = await self._golem.subscribe(self._demand)
        if self._demand_id is not None:
            self._replaced.append(self._demand_id)
        self._demand_id = demand_id
        self._hurried = False
        self.offers.clear()
        self._newest = Newest()
        self._early.clear()
        self.first_offer_at = None
        self.published_at = self._clock.monotonic()

    def _take(self, event: Proposal | ProposalRejection) -> None:
        if isinstance(event, Proposal) and event.state is ProposalState.INITIAL:
            self._consider(event)
            return
        answered = event.proposal_id if isinstance(event, ProposalRejection) else event.previous_id or ""
        if answered in self._awaited:
            _settle(self._awaited[answered], event)
        elif len(self._early) < MAX_EARLY:
            self._early[answered] = event

    def _consider(self, proposal: Proposal) -> None:
        outcome: Offer | Refusal
        self.newest_at = self._clock.monotonic()
        if not self._newest.is_news(proposal):
            return
        try:
            outcome = self._screen.read(proposal)
        except RefusedOfferError as error:
            outcome = error.refusal
            self.offers.pop(proposal.provider_id, None)  # what it offered before does not hold any more
        else:
            self.offers[proposal.provider_id] = outcome
            if self.first_offer_at is None:
                self.first_offer_at = self._clock.monotonic()
        self._on_offer(proposal.provider_id, outcome)


def _settle(answer: asyncio.Future[Proposal], event: Proposal | ProposalRejection) -> None:
    if answer.done():
        return
    if isinstance(event, ProposalRejection):
        answer.set_exception(NegotiationError(f"declined: {event.reason or 'no reason given'}"))
    else:
        answer.set_result(event)
