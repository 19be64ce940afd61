"""Reads what yagna tells by time, so that nothing is missed: it may write down late what happened a moment before.

Two events may carry the same millisecond, and one may be written after a later one was read. So for a while after an
event all of the moments before it are read again; what is known of them is left out. After a restart some are taken
again: whoever takes them must not mind.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from golem_bridge.clock import Clock
from golem_bridge.store.values import Values

OVERLAP = timedelta(seconds=2)
"""How late something may be written down."""

NEW = 100
"""An answer has room for that many besides those that are read again."""

PAUSE = 1.0
"""Seconds between two answers that hold nothing new."""


class Told(Protocol):
    """An event of yagna's. ``key`` tells it from all others of its stream."""

    @property
    def key(self) -> str: ...

    @property
    def at(self) -> datetime: ...


Event = TypeVar("Event", bound=Told)


class Stream(Generic[Event]):
    """One stream of events, oldest first. Its cursor is stored, and moves on when an event was taken."""

    def __init__(self, name: str, cursors: Values, clock: Clock) -> None:
        self._name = name
        self._cursors = cursors
        self._clock = clock
        self._known: dict[str, datetime] = {}
        """Key and time of those the next answer may begin with."""
        self._is_settled = False
        """Nothing can be written down any more that happened before the cursor."""

    async def read(
        self,
        ask: Callable[[datetime, int], Awaitable[Sequence[Event]]],
        take: Callable[[Event], Awaitable[None]],
    ) -> None:
        """One answer: ``ask`` for so many events after a time, ``take`` each that is new. Raises what they raise.

        However many lie within the overlap: a full answer holds some that are new, since all that are not, fit in.
        """
        newest = self._cursors.time(self._name, self._clock.now())
        is_over = self._clock.now() - newest >= 2 * OVERLAP
        events = await ask(newest if self._is_settled else newest - OVERLAP, len(self._known) + NEW)
        new = [event for event in events if event.key not in self._known]
        self._is_settled = is_over and not new  # before any is taken: one that cannot be is asked for again
        for event in new:
            await take(event)
            newest = max(newest, event.at)
            self._cursors.put_time(self._name, newest)
            self._known[event.key] = event.at
        self._known = {key: at for key, at in self._known.items() if at > newest - OVERLAP}
        if events and not new:
            await self._clock.sleep(PAUSE)
