"""One script of commands and its results, polled or streamed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """How a command ended; ``message`` explains a failure."""

    ok: bool
    stdout: str = ""
    stderr: str = ""
    message: str | None = None


class Batch:
    """Results come one by one; the batch is finished after the last command or the first failure, or when closed."""

    def __init__(self, batch_id: str, script: Sequence[Mapping[str, Any]]) -> None:
        self.batch_id = batch_id
        self.script = script
        self._results: list[dict[str, Any]] = []
        self._events: list[dict[str, Any]] = []
        self._finished = False
        self._news = asyncio.Condition()

    async def started(self, index: int) -> None:
        await self._tell(index, {"started": {"command": dict(self.script[index])}})

    async def ended(self, index: int, outcome: Outcome) -> bool:
        """Book a command's outcome; True if that finishes the batch."""
        for name, output in (("stdout", outcome.stdout), ("stderr", outcome.stderr)):
            if output:
                await self._tell(index, {name: output})
        finished = not outcome.ok or index == len(self.script) - 1
        self._results.append(
            {
                "index": index,
                "result": "Ok" if outcome.ok else "Error",
                "stdout": outcome.stdout or None,
                "stderr": outcome.stderr or None,
                "message": outcome.message,
                "isBatchFinished": finished,
                "eventDate": datetime.now(UTC).isoformat(),
            }
        )
        code = 0 if outcome.ok else 1
        self._finished = finished
        await self._tell(index, {"finished": {"return_code": code, "message": outcome.message}})
        return finished

    async def close(self) -> None:
        """Nothing more will come: whoever waits gets what there is."""
        async with self._news:
            self._finished = True
            self._news.notify_all()

    async def results(self, *, timeout: float, index: int | None) -> list[dict[str, Any]] | None:
        """Results so far, after waiting for the last (or the given) one; None if the given one is not there."""
        wanted = len(self.script) if index is None else index + 1
        async with self._news:
            try:
                async with asyncio.timeout(max(timeout, 0.001)):
                    await self._news.wait_for(lambda: self._finished or len(self._results) >= wanted)
            except TimeoutError:
                if index is not None:
                    return None
            return self._results[:wanted]

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """All events from the beginning, as they come, until the batch is finished."""
        seen = 0
        while not (self._finished and seen == len(self._events)):
            if seen == len(self._events):
                async with self._news:
                    await self._news.wait()
                continue
            yield self._events[seen]
            seen += 1

    async def _tell(self, index: int, kind: dict[str, Any]) -> None:
        timestamp = datetime.now(UTC).replace(tzinfo=None).isoformat()
        async with self._news:  # uncontended: nobody awaits anything else while holding it
            self._events.append({"batch_id": self.batch_id, "index": index, "timestamp": timestamp, "kind": kind})
            self._news.notify_all()
