"""What one node is being negotiated for: with the next provider while the one before keeps silent.

Many offers on the market are of providers that have gone; nothing but their silence tells. A draft binds nobody: the
first one is taken, what comes of the others is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from golem_bridge.clock import Clock
from golem_bridge.market.claims import Claims
from golem_bridge.market.feed import Draft, Feed, NegotiationError
from golem_bridge.market.offer import Offer
from golem_bridge.market.waiting import any_done_within

IMPATIENCE = 3.0
"""Seconds of silence after which the next provider is asked, too."""

AT_ONCE = 4
"""Providers that are asked at the same time, at most."""

Failed = Callable[[Offer, NegotiationError], None]


@dataclass(frozen=True, slots=True)
class _Try:
    """A negotiation under way. ``since`` is monotonic seconds."""

    offer: Offer
    since: float
    draft: asyncio.Task[Draft]


class Negotiations:
    """Claims each provider it asks, and gives back all but the one whose draft is taken. ``failed`` hears of each
    negotiation that brought nothing by the provider's fault or yagna's."""

    def __init__(self, *, claims: Claims, clock: Clock, failed: Failed) -> None:
        self._claims = claims
        self._clock = clock
        self._failed = failed
        self._tries: list[_Try] = []

    def __len__(self) -> int:
        return len(self._tries)

    @property
    def have_room(self) -> bool:
        return len(self._tries) < AT_ONCE

    def begin(self, feed: Feed, offer: Offer) -> None:
        """Ask a provider; nobody else may from now on."""
        self._claims.take(offer.provider_id)
        talk = ExitStack()
        talk.enter_context(self._claims.talks.with_(offer.provider_id))
        draft = asyncio.create_task(feed.negotiate(offer), name=f"negotiate with {offer.provider_id}")
        draft.add_done_callback(lambda _: talk.close())
        self._tries.append(_Try(offer, self._clock.monotonic(), draft))

    async def first_draft(self, *, within: float) -> Draft | None:
        """The first draft that comes, its provider claimed. None if a negotiation failed, or after ``within`` seconds:
        then it is time to ask somebody else."""
        await any_done_within([one.draft for one in self._tries], within, self._clock)
        for one in [one for one in self._tries if one.draft.done()]:
            self._tries.remove(one)
            try:
                return one.draft.result()
            except NegotiationError as error:
                self._failed(one.offer, error)
            except BaseException:
                self._claims.release(one.offer.provider_id)
                raise
            self._claims.release(one.offer.provider_id)
        return None

    async def end(self) -> None:
        """Leave those that go on. Who kept silent for long is told as failed."""
        tries, self._tries = self._tries, []
        for one in tries:
            silence = self._clock.monotonic() - one.since
            if not one.draft.done() and silence >= IMPATIENCE:
                self._failed(one.offer, NegotiationError(f"no answer in {IMPATIENCE:.0f} s"))
            one.draft.cancel()
            self._claims.release(one.offer.provider_id)
        await asyncio.gather(*(one.draft for one in tries), return_exceptions=True)
