"""Waiting by the injected clock."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from golem_bridge.clock import Clock


async def done_within(future: asyncio.Future[Any], seconds: float, clock: Clock) -> bool:
    """Wait for a future, at most ``seconds``; whether it is done. It is neither consumed nor cancelled."""
    await any_done_within([future], seconds, clock)
    return future.done()


async def any_done_within(futures: Iterable[asyncio.Future[Any]], seconds: float, clock: Clock) -> None:
    """Wait for one of the futures, at most ``seconds``. They are neither consumed nor cancelled."""
    timer = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({timer, *futures}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        timer.cancel()


class Bell:
    """Wakes everybody who waits."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    async def heard_within(self, seconds: float, clock: Clock) -> bool:
        """Whether it rang; False after ``seconds``."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            return await done_within(future, seconds, clock)
        finally:
            self._waiting.discard(future)
