"""An event loop in which waiting takes no time: it jumps to the next moment something is due.

For code that waits by ``asyncio.timeout`` as well as by a Clock; with :class:`LoopClock` both agree on the time.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

ORIGIN = datetime(2026, 1, 1, 12, tzinfo=UTC)


class _Jumping(selectors.DefaultSelector):
    """Never waits for time to pass, and says so when nothing would ever happen again."""

    def __init__(self) -> None:
        super().__init__()
        self.elapsed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if events or timeout == 0:
            return events
        if timeout is None:
            raise RuntimeError("everybody waits, and nothing is due any more")
        self.elapsed += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Starts at 0 s."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)
        self.crashes: list[Mapping[str, object]] = []
        self.set_exception_handler(lambda _, context: self.crashes.append(context))

    def time(self) -> float:
        return self._jumping.elapsed


class LoopClock:
    """The running loop's time as a Clock."""

    def now(self) -> datetime:
        return ORIGIN + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
