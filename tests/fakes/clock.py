"""Time under a test's control, in which several tasks can sleep at once."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

ROUNDS = 50
"""Turns of the event loop after which everything that can go on without time passing has gone on."""


class VirtualClock:
    """A Clock that stands still until the test moves it, or lets it flow.

    While it flows, time jumps to the next moment somebody sleeps until, as soon as nobody has anything else to do.
    """

    def __init__(self, start: datetime = datetime(2026, 1, 1, 12, tzinfo=UTC)) -> None:
        self._start = start
        self._elapsed = 0.0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        wake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, next(self._order), wake))
        await wake

    async def advance(self, seconds: float) -> None:
        """Let so much time pass, waking sleepers in their order."""
        end = self._elapsed + seconds
        await self._settle()
        while self._next_moment() <= end:
            self._wake_next()
            await self._settle()
        self._elapsed = end
        await self._settle()

    @asynccontextmanager
    async def flowing(self) -> AsyncIterator[None]:
        """Time passes by itself meanwhile."""
        task = asyncio.create_task(self._flow())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _flow(self) -> None:
        while True:
            await self._settle()
            if self._next_moment() < math.inf:
                self._wake_next()

    def _next_moment(self) -> float:
        """When the next sleeper wakes; those who were cancelled let no time pass."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else math.inf

    def _wake_next(self) -> None:
        moment, _, wake = heapq.heappop(self._sleepers)
        self._elapsed = max(self._elapsed, moment)
        wake.set_result(None)

    @staticmethod
    async def _settle() -> None:
        for _ in range(ROUNDS):
            await asyncio.sleep(0)
