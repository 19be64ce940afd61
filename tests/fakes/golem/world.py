"""What the rooms of the memory Golem share: providers, agreements, activities, waiting."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from golem_bridge.clock import Clock
from golem_bridge.errors import TRY_ANOTHER, GolemTimeoutError, NotFoundError, YagnaUnavailableError
from golem_bridge.golem.types import AgreementState, Demand, Properties
from tests.fakes.golem.provider import FakeProvider

K = TypeVar("K")
T = TypeVar("T")


@dataclass
class FakeAgreement:
    agreement_id: str
    provider: FakeProvider
    offer: Properties
    demand: Demand
    valid_to: datetime
    state: AgreementState = AgreementState.PROPOSAL
    session: str | None = None


@dataclass
class FakeActivity:
    activity_id: str
    agreement: FakeAgreement
    started_at: datetime
    state: str = "Initialized"
    ended_at: datetime | None = None
    scripts: list[object] = field(default_factory=list)
    """All commands it was ever asked to run, in order."""

    def seconds(self, now: datetime) -> Decimal:
        return Decimal(str(((self.ended_at or now) - self.started_at).total_seconds()))


class World:
    """State and time. ``down`` makes yagna unreachable."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.down = False
        self.providers: dict[str, FakeProvider] = {}
        self.agreements: dict[str, FakeAgreement] = {}
        self.activities: dict[str, FakeActivity] = {}
        self.on_activity: Callable[[FakeActivity], None] = lambda _: None
        self.on_agreement_end: Callable[[str], None] = lambda _: None
        self._counter = itertools.count(1)
        self._waiting: set[asyncio.Future[None]] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        """What providers are about to do."""

    def moment(self) -> datetime:
        """Now, and later than any moment told before: a microsecond passes with each."""
        return self.clock.now() + timedelta(microseconds=next(self._counter))

    def new_id(self, kind: str) -> str:
        return f"{kind}-{next(self._counter):04d}"

    def check_up(self) -> None:
        if self.down:
            raise YagnaUnavailableError("yagna is down — as the test said — see: docker compose logs yagna")

    def provider(self, provider_id: str) -> FakeProvider:
        return self.providers[provider_id]

    def agreement(self, agreement_id: str) -> FakeAgreement:
        return found(self.agreements, agreement_id, "agreement")

    def activity(self, activity_id: str) -> FakeActivity:
        return found(self.activities, activity_id, "activity")

    def activities_of(self, agreement_id: str) -> list[FakeActivity]:
        return [item for item in self.activities.values() if item.agreement.agreement_id == agreement_id]

    def end_activity(self, activity: FakeActivity) -> None:
        if activity.ended_at is None:
            activity.state, activity.ended_at = "Terminated", self.clock.now()
            self.tell()

    def end_agreement(self, agreement: FakeAgreement) -> None:
        """Ends its activities, too, as providers do."""
        agreement.state = AgreementState.TERMINATED
        for activity in self.activities_of(agreement.agreement_id):
            self.end_activity(activity)
        self.on_agreement_end(agreement.agreement_id)

    def tell(self) -> None:
        """Something has changed: let all who wait look again."""
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    async def until(self, ready: Callable[[], bool], timeout: float) -> bool:
        """Wait until something is so, at most ``timeout`` seconds; whether it is."""
        timer = asyncio.ensure_future(self.clock.sleep(timeout))
        try:
            while not ready():
                if timer.done():
                    return False
                change: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self._waiting.add(change)
                try:
                    await asyncio.wait({timer, change}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    self._waiting.discard(change)
            return True
        finally:
            timer.cancel()

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something after a while, in the background."""

        async def wait() -> None:
            await self.clock.sleep(seconds)
            act()
            self.tell()

        self.run(wait())

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def stop(self) -> None:
        tasks = list(self.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def found(table: dict[K, T], key: K, kind: str) -> T:
    if key not in table:
        raise NotFoundError(f"No {kind} {key} — yagna answers 404 — see: docker compose logs yagna")
    return table[key]


def late(what: str, timeout: float) -> GolemTimeoutError:
    return GolemTimeoutError(f"{what} — no answer in {timeout:.0f} s — {TRY_ANOTHER}")
