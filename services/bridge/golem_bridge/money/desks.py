"""Who waits where: one line per provider's agreement, so that a slow one keeps no other waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

import structlog

from golem_bridge.errors import GolemError

LONGEST = 100
"""Items that wait in one line; for what does not get in, somebody has to come again."""

Item = TypeVar("Item", bound=Hashable)

log = structlog.get_logger(__name__)


class Desks(Generic[Item]):
    """Deals with the items of one key one after another, and with those of different keys side by side."""

    def __init__(self, deal: Callable[[Item], Awaitable[None]]) -> None:
        self._deal = deal
        self._lines: dict[str, dict[Item, None]] = {}
        """First come, first served; who is being served stands in line still."""
        self._tasks: set[asyncio.Task[None]] = set()

    def queue(self, key: str, item: Item) -> None:
        """Dealt with soon, unless it stands in line already or the line is too long."""
        line = self._lines.get(key)
        if line is None:
            self._lines[key] = {item: None}
            task = asyncio.create_task(self._serve(key), name=f"desk {key}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif len(line) < LONGEST:
            line.setdefault(item)

    async def stop(self) -> None:
        """Cancel what is under way."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _serve(self, key: str) -> None:
        line = self._lines[key]
        try:
            while line:
                item = next(iter(line))
                await self._fenced(item)
                del line[item]
        finally:
            del self._lines[key]

    async def _fenced(self, item: Item) -> None:
        try:
            await self._deal(item)
        except GolemError as error:
            log.warning("not dealt with yet", item=str(item), reason=error.message)
        except Exception:  # nobody waits for this task
            log.exception("dealing with an item crashed", item=str(item))
