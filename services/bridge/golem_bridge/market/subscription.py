"""A standing subscription: offers are gathered before they are needed, and the best provider is asked first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from decimal import Decimal

import structlog

from golem_bridge.clock import Clock
from golem_bridge.errors import MarketError
from golem_bridge.golem.port import MarketPort
from golem_bridge.golem.types import Demand
from golem_bridge.market.claims import Claims
from golem_bridge.market.feed import POLL, Draft, Feed, NegotiationError
from golem_bridge.market.funnel import Funnel, FunnelView
from golem_bridge.market.negotiations import IMPATIENCE, Negotiations
from golem_bridge.market.offer import Offer
from golem_bridge.market.reputation import Failure, Reputation
from golem_bridge.market.requirements import NodeConfig
from golem_bridge.market.scoring import comparable_cost
from golem_bridge.market.screening import Refusal
from golem_bridge.market.waiting import Bell

GATHER = 1.0
"""Seconds to go on gathering after the first usable offer, at most, so that cheapest first means something."""

QUIET = 0.3
"""Seconds without any offer after which the rest is not waited for: yagna proposes those it knows one upon another."""

HEAD_START = 2.0
"""Seconds offers of the preferred subnet may take, from the publication of the demand, before others are considered."""

Progress = Callable[[str], None]

log = structlog.get_logger(__name__)


class SubscriptionEndedError(Exception):
    """The demands were withdrawn: there may be new ones."""


class Subscription:
    """The demands for one node type, in order of preference, and who can be had for them."""

    def __init__(
        self,
        *,
        golem: MarketPort,
        demands: Sequence[Demand],
        config: NodeConfig,
        reputation: Reputation,
        clock: Clock,
    ) -> None:
        self.config = config
        self._limits = config.budget_control
        self._reputation = reputation
        self._clock = clock
        self._news = Bell()
        self._is_over = False
        self.funnel = Funnel(limits=config.budget_control, clock=clock)
        self._feeds = [
            Feed(golem=golem, demand=demand, config=config, clock=clock, on_offer=self._saw) for demand in demands
        ]

    def start(self) -> None:
        """Begin to gather offers in the background."""
        for feed in self._feeds:
            feed.start()

    async def stop(self) -> None:
        """Withdraw the demands; whoever waits for a draft hears SubscriptionEndedError."""
        self._is_over = True
        self._news.ring()
        for feed in self._feeds:
            await feed.stop()

    async def draft(
        self,
        *,
        claims: Claims,
        avoid: Collection[str],
        budget_left: Callable[[], Decimal],
        patience: float,
        progress: Progress,
    ) -> Draft:
        """Agree with the best provider that is neither claimed nor in ``avoid``; claims it. While it keeps silent, the
        next best is asked, too.

        The best one is among those whose first hour fits what is left of the budget (GLM); if none does, it is the
        cheapest, and it is for the caller to refuse it.
        Raises MarketError after ``patience`` seconds, saying what was seen and why nobody fitted;
        SubscriptionEndedError.
        """
        deadline = self._clock.monotonic() + patience
        negotiations = Negotiations(claims=claims, clock=self._clock, failed=self._failed)
        try:
            while self._clock.monotonic() < deadline:
                await self._gather_a_little(deadline)
                if self._is_over:
                    raise SubscriptionEndedError
                found = self._whom_to_ask(negotiations, claims, avoid, budget_left())
                if found is not None:
                    progress(f"Negotiating with {found[1].provider_name}")
                    negotiations.begin(*found)
                elif not negotiations:
                    progress(f"Waiting for a provider: {self.summary(claims, avoid)}")
                    await self._wait_for_news(claims, min(deadline - self._clock.monotonic(), POLL))
                    continue
                draft = await negotiations.first_draft(within=min(deadline - self._clock.monotonic(), IMPATIENCE))
                if draft is not None:
                    self.funnel.negotiated()
                    return draft
        finally:
            await negotiations.end()
        view = self.view(claims, avoid)
        raise MarketError(f"No provider found in {patience:.0f} s — {_with_avoided(view, avoid)} — {view.advice}")

    def summary(self, claims: Claims, avoid: Collection[str] = ()) -> str:
        """The funnel as a sentence."""
        return _with_avoided(self.view(claims, avoid), avoid)

    def view(self, claims: Claims, avoid: Collection[str] = ()) -> FunnelView:
        """The funnel as it is for one cluster."""
        now = self._clock.monotonic()
        known = {offer.provider_id for feed in self._feeds for offer in feed.offers.values()}
        return self.funnel.view(
            free=len({offer.provider_id for _, _, offer in self._free(claims, avoid)}),
            in_use=len(claims),
            benched=sum(self._reputation.is_benched(provider_id, at=now) for provider_id in known),
        )

    def cheapest_known(self, claims: Claims) -> Offer | None:
        """The cheapest offer that could be negotiated now; if there is none, the cheapest usable one seen lately."""
        free = [offer for _, _, offer in self._free(claims, ())]
        return min(free, key=lambda offer: offer.first_hour, default=self.funnel.cheapest())

    def _saw(self, provider_id: str, outcome: Offer | Refusal) -> None:
        self.funnel.saw(provider_id, outcome)
        self._news.ring()

    def _failed(self, offer: Offer, error: NegotiationError) -> None:
        log.info("negotiation failed", provider=offer.provider_id, reason=error.reason)
        self.funnel.negotiation_failed(error.reason)
        if error.is_providers_fault:
            self._reputation.failed(offer.provider_id, Failure.NEGOTIATION, at=self._clock.monotonic())

    async def _gather_a_little(self, deadline: float) -> None:
        """Right after the demands were published; later, all offers are known already."""
        while any(feed.offers for feed in self._feeds):
            now = self._clock.monotonic()
            until = max((moment for feed in self._feeds for moment in self._worth_waiting_for(feed)), default=now)
            if min(until, deadline) <= now:
                return
            await self._clock.sleep(min(until, deadline) - now)

    def _worth_waiting_for(self, feed: Feed) -> Iterator[float]:
        if feed.first_offer_at is not None:
            yield min(feed.first_offer_at + GATHER, feed.newest_at + QUIET)
        elif feed is not self._feeds[-1] and feed.published_at is not None:
            yield feed.published_at + HEAD_START

    def _whom_to_ask(
        self, negotiations: Negotiations, claims: Claims, avoid: Collection[str], budget_left: Decimal
    ) -> tuple[Feed, Offer] | None:
        """Who did not fail lately, who is in the preferred subnet, who serves none of our clusters, who is cheapest.

        Who does not fit the budget is asked only if nobody else is: the caller will refuse it.
        """
        free = list(self._free(claims, avoid)) if negotiations.have_room else []
        fitting = [one for one in free if one[2].first_hour <= budget_left]
        if fitting:
            _, feed, offer = min(fitting, key=lambda one: self._order(one, claims))
        elif free and not negotiations:
            _, feed, offer = min(free, key=lambda one: one[2].first_hour)
        else:
            return None
        return feed, offer

    def _order(self, one: tuple[int, Feed, Offer], claims: Claims) -> tuple[float, int, bool, Decimal, str]:
        rank, _, offer = one
        doubt = self._reputation.doubt(offer.provider_id, at=self._clock.monotonic())
        busy = claims.serves_elsewhere(offer.provider_id)
        return doubt, rank, busy, comparable_cost(offer, self._limits), offer.provider_id

    def _free(self, claims: Claims, avoid: Collection[str]) -> Iterator[tuple[int, Feed, Offer]]:
        """Offers that could be negotiated now, with the rank of their subnet."""
        now = self._clock.monotonic()
        for rank, feed in enumerate(self._feeds):
            for provider_id, offer in feed.offers.items():
                is_benched = self._reputation.is_benched(provider_id, at=now)
                if provider_id not in avoid and claims.is_free(provider_id) and not is_benched:
                    yield rank, feed, offer

    async def _wait_for_news(self, claims: Claims, seconds: float) -> None:
        """Until there is an offer, a provider was given back, or time is up."""
        for feed in self._feeds:
            feed.hurry()
        with claims.talks.watched(self._news.ring):
            await self._news.heard_within(seconds, self._clock)


def _with_avoided(view: FunnelView, avoid: Collection[str]) -> str:
    return f"{view.sentence}, {len(avoid)} failed before" if avoid else view.sentence
