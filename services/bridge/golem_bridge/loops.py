"""Background loops: an exception fence, jittered back-off, a wake-up hint and a last-success time each."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import structlog

from golem_bridge.clock import Clock
from golem_bridge.errors import BridgeError

MAX_BACKOFF = 30.0
"""Seconds."""

DOUBLINGS = 6
"""After that many failures the pause is longest. A night of them would double it beyond what a float holds."""

log = structlog.get_logger(__name__)


class Loop:
    """Calls ``step`` for ever: every ``interval`` seconds, at once after :meth:`hint`, later after failures."""

    def __init__(self, name: str, step: Callable[[], Awaitable[None]], *, interval: float, clock: Clock) -> None:
        self.name = name
        self.steps = 0
        self.failed_steps = 0
        self.last_success = clock.now()
        """Before the first success: when the loop was made."""
        self._step = step
        self._interval = interval
        self._clock = clock
        self._hinted = asyncio.Event()
        self._failures = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self.name)

    def hint(self) -> None:
        """Something changed: do not wait for the interval to pass."""
        self._hinted.set()

    async def stop(self) -> None:
        """Cancel and wait; the running step sees a cancellation."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def run_once(self) -> None:
        """One fenced step."""
        self.steps += 1
        try:
            await self._step()
        except BridgeError as error:
            self._failed()
            log.warning("loop step failed", loop=self.name, reason=error.message, failures=self._failures)
        except Exception:
            self._failed()
            log.exception("loop step crashed", loop=self.name, failures=self._failures)
        else:
            self._failures = 0
            self.last_success = self._clock.now()

    def _failed(self) -> None:
        self._failures += 1
        self.failed_steps += 1

    async def _run(self) -> None:
        while True:
            self._hinted.clear()
            await self.run_once()
            await self._pause()

    async def _pause(self) -> None:
        nominal = min(MAX_BACKOFF, 0.5 * 2 ** min(self._failures, DOUBLINGS))
        backoff = nominal * random.uniform(0.8, 1.2) if self._failures else 0.0  # noqa: S311
        pause = max(self._interval, backoff)
        if pause <= 0:
            return
        try:
            async with asyncio.timeout(pause):
                await self._hinted.wait()
        except TimeoutError:
            return


class Changes:
    """Wakes whoever waits for something to change, by key."""

    def __init__(self) -> None:
        self._events: dict[str, asyncio.Event] = {}

    def tell(self, key: str) -> None:
        """Something about ``key`` changed."""
        event = self._events.pop(key, None)
        if event is not None:
            event.set()

    async def wait(self, key: str, timeout: float) -> bool:
        """True when something changed, False after ``timeout`` seconds."""
        event = self._events.setdefault(key, asyncio.Event())
        try:
            async with asyncio.timeout(timeout):
                await event.wait()
        except TimeoutError:
            return False
        return True
