"""A standing subscription: offers are gathered before they are needed and negotiated cheapest first."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass

import structlog

from golem_bridge.clock import Clock
from golem_bridge.errors import GolemError, MarketError, NotFoundError
from golem_bridge.golem.port import MarketPort
from golem_bridge.golem.types import Demand, Proposal, ProposalRejection, ProposalState
from golem_bridge.market.claims import Claims
from golem_bridge.market.demand import negotiated
from golem_bridge.market.offer import Offer, UnusableOfferError, read_offer, too_dear
from golem_bridge.market.requirements import BudgetControl

POLL = 5.0
"""Seconds one long poll for proposals lasts."""

GATHER = 1.0
"""Seconds to go on gathering after the first usable offer, so that cheapest first means something."""

ANSWER_TIMEOUT = 15.0
"""Seconds a provider may take to answer a counter-proposal."""

Progress = Callable[[str], None]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Draft:
    """A proposal both sides agree on; ready to become an agreement."""

    proposal_id: str
    offer: Offer


class Subscription:
    """One demand on the market, the offers it has brought and the negotiations under way."""

    def __init__(self, *, golem: MarketPort, demand: Demand, limits: BudgetControl | None, clock: Clock) -> None:
        self._golem = golem
        self._demand = demand
        self._limits = limits
        self._clock = clock
        self._demand_id: str | None = None
        self._offers: dict[str, Offer] = {}
        self._refused: Counter[str] = Counter()
        self._awaited: dict[str, asyncio.Future[Proposal]] = {}
        self._arrived = asyncio.Event()
        self._first_offer_at: float | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to gather offers in the background."""
        self._task = asyncio.create_task(self._gather_for_ever(), name="subscription")

    async def stop(self) -> None:
        """Withdraw the demand; one that yagna does not let go brings offers nobody takes, until it expires."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._demand_id is None:
            return
        try:
            await self._golem.unsubscribe(self._demand_id)
        except GolemError as error:
            log.warning("demand not withdrawn", demand=self._demand_id, reason=error.message)

    async def draft(self, *, claims: Claims, avoid: Collection[str], patience: float, progress: Progress) -> Draft:
        """Agree with the cheapest provider that is neither claimed nor in ``avoid``; claims it.

        Raises MarketError after ``patience`` seconds, saying what was seen and why nobody fitted.
        """
        deadline = self._clock.monotonic() + patience
        while (left := deadline - self._clock.monotonic()) > 0:
            await self._gather_a_little()
            offer = self._cheapest(claims, avoid)
            if offer is None:
                progress(f"Waiting for a provider: {self.summary(claims, avoid)}")
                await self._wait_for_offers(min(left, POLL))
                continue
            progress(f"Negotiating with {offer.provider_name}")
            with claims.held(offer.provider_id):
                draft = await self._negotiate(offer)
            if draft is not None:
                return draft
            claims.release(offer.provider_id)
        raise MarketError(
            f"No provider found in {patience:.0f} s — {self.summary(claims, avoid)} — "
            "raise the limits under budget_control or try again later"
        )

    def summary(self, claims: Claims, avoid: Collection[str]) -> str:
        """The funnel as a sentence."""
        usable = [offer for offer in self._offers.values() if self._is_free(offer, claims, avoid)]
        seen = len(self._offers) + sum(self._refused.values())
        parts = [f"{seen} offers seen", f"{len(usable)} usable now"]
        parts += [f"{count} refused ({why})" for why, count in self._refused.most_common(3)]
        if claims:
            parts.append(f"{len(claims)} providers of this cluster in use")
        if avoid:
            parts.append(f"{len(avoid)} failed before")
        return ", ".join(parts)

    def cheapest_known(self) -> Offer | None:
        """The cheapest usable offer seen so far, taken or not."""
        return min(self._offers.values(), key=lambda offer: offer.first_hour, default=None)

    async def _gather_a_little(self) -> None:
        if self._first_offer_at is None:
            return
        gathering = self._first_offer_at + GATHER - self._clock.monotonic()
        if gathering > 0:
            await self._clock.sleep(gathering)

    def _cheapest(self, claims: Claims, avoid: Collection[str]) -> Offer | None:
        free = (offer for offer in self._offers.values() if self._is_free(offer, claims, avoid))
        return min(free, key=lambda offer: offer.first_hour, default=None)

    @staticmethod
    def _is_free(offer: Offer, claims: Claims, avoid: Collection[str]) -> bool:
        return offer.provider_id not in claims and offer.provider_id not in avoid

    async def _wait_for_offers(self, timeout: float) -> None:
        self._arrived.clear()
        try:
            async with asyncio.timeout(timeout):
                await self._arrived.wait()
        except TimeoutError:
            return

    async def _negotiate(self, offer: Offer) -> Draft | None:
        """Counter an offer and await the provider's draft; None if it declined, changed terms or kept silent."""
        if self._demand_id is None:
            return None
        self._offers.pop(offer.provider_id, None)  # each initial proposal can be answered once
        answer: asyncio.Future[Proposal] = asyncio.get_running_loop().create_future()
        try:
            counter_id = await self._golem.counter(self._demand_id, offer.proposal_id, self._demand)
            self._awaited[counter_id] = answer
            async with asyncio.timeout(ANSWER_TIMEOUT):
                proposal = await answer
            return self._checked(proposal, offer)
        except (GolemError, TimeoutError, UnusableOfferError) as error:
            log.info("negotiation failed", provider=offer.provider_id, reason=str(error) or "no answer")
            return None
        finally:
            self._awaited = {key: future for key, future in self._awaited.items() if future is not answer}

    def _checked(self, proposal: Proposal, offer: Offer) -> Draft:
        """A draft may not be dearer than the offer was, and must hold the terms we set."""
        agreed = read_offer(proposal)
        if agreed.price != offer.price or agreed.usage_vector != offer.usage_vector:
            raise UnusableOfferError("the provider changed its prices while negotiating")
        for name, wanted in negotiated(self._demand).items():
            if proposal.properties.get(name) != wanted:
                raise UnusableOfferError(f"{name} is {proposal.properties.get(name)!r}, not {wanted!r}")
        return Draft(proposal_id=proposal.proposal_id, offer=agreed)

    async def _gather_for_ever(self) -> None:
        while True:
            try:
                if self._demand_id is None:
                    self._demand_id = await self._golem.subscribe(self._demand)
                for event in await self._golem.proposals(self._demand_id, timeout=POLL):
                    self._take(event)
            except NotFoundError:
                self._demand_id = None  # expired, or yagna lost it: publish again
                self._offers.clear()
            except GolemError as error:
                log.warning("gathering offers failed", reason=error.message)
                await self._clock.sleep(POLL)

    def _take(self, event: Proposal | ProposalRejection) -> None:
        if isinstance(event, ProposalRejection):
            answer = self._awaited.get(event.proposal_id)
            if answer is not None and not answer.done():
                answer.set_exception(UnusableOfferError(f"declined: {event.reason}"))
            return
        answer = self._awaited.get(event.previous_id or "")
        if event.state is ProposalState.DRAFT:
            if answer is not None and not answer.done():
                answer.set_result(event)
            return
        self._consider(event)

    def _consider(self, proposal: Proposal) -> None:
        try:
            offer = read_offer(proposal)
            why = too_dear(offer, self._limits)
        except UnusableOfferError as error:
            why = str(error)
        if why is not None:
            self._refused[why] += 1
            return
        self._offers[offer.provider_id] = offer
        if self._first_offer_at is None:
            self._first_offer_at = self._clock.monotonic()
        self._arrived.set()
