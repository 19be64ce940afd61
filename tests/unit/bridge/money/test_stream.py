"""Events read by time: each is taken, whenever it was written down, and how many there are at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem_bridge.money import stream
from golem_bridge.money.stream import OVERLAP, Stream
from golem_bridge.store.database import Database
from golem_bridge.store.values import Values
from tests.unit.bridge.samples import ManualClock

FEW = 3
"""Instead of NEW, so that few events fill an answer."""

POLL = 20.0
"""Seconds an answer is waited for while nothing happens."""


@dataclass(frozen=True)
class Event:
    key: str
    at: datetime


class Teller:
    """Tells of events as yagna does; ``taken`` are the keys a reader took, in order."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.values = Values(Database.open(None))
        self.events: list[Event] = []
        self.taken: list[str] = []
        self.asked: list[datetime] = []
        self.breaks_at = ""
        """Key of the event that cannot be taken."""
        self.restart()

    def restart(self) -> None:
        self.stream = Stream[Event]("cursor:test", self.values, self.clock)

    def happened(self, *ages: float) -> None:
        """Events are written down that happened so many seconds ago."""
        for age in ages:
            self.events.append(Event(f"event-{len(self.events)}", self.clock.now() - timedelta(seconds=age)))

    async def read(self) -> None:
        await self.stream.read(self._answer, self._take)

    async def _answer(self, after: datetime, limit: int) -> Sequence[Event]:
        self.asked.append(after)
        found = sorted((event for event in self.events if event.at > after), key=lambda event: event.at)[:limit]
        if not found:
            self.clock.advance(POLL)
        return found

    async def _take(self, event: Event) -> None:
        if event.key == self.breaks_at:
            raise OSError("no room for it")
        self.taken.append(event.key)


@contextmanager
def small_answers() -> Iterator[None]:
    with mock.patch.object(stream, "NEW", FEW):
        yield


@pytest.mark.parametrize("late", [0.0, 0.001, 1.9])
async def test_what_is_written_down_late_is_taken_once(late: float) -> None:
    teller = Teller()
    teller.happened(0)
    await teller.read()
    teller.happened(late)
    for _ in range(6):
        await teller.read()
    assert teller.taken == ["event-0", "event-1"]


async def test_it_asks_for_what_is_new_only_once_nothing_can_be_late_any_more() -> None:
    teller = Teller()
    teller.happened(0)
    newest = teller.events[0].at
    for _ in range(10):
        await teller.read()
    assert teller.asked[0] == newest - OVERLAP
    assert teller.asked[-1] == newest, "and so the answer is waited for"
    assert len([after for after in teller.asked if after < newest]) <= 7


async def test_a_pause_between_two_answers_makes_nothing_late_be_missed() -> None:
    teller = Teller()
    teller.happened(0)
    await teller.read()
    teller.happened(1)
    teller.clock.advance(3600)
    await teller.read()
    assert teller.taken == ["event-0", "event-1"]


async def test_what_could_not_be_taken_is_told_again() -> None:
    teller = Teller()
    teller.happened(0, 0, 0)
    teller.breaks_at = "event-1"
    with pytest.raises(OSError, match="no room"):
        await teller.read()
    teller.breaks_at = ""
    await teller.read()
    assert teller.taken == ["event-0", "event-1", "event-2"]


async def test_of_two_of_one_moment_the_one_that_could_not_be_taken_is_told_again() -> None:
    teller = Teller()
    await teller.read()
    await teller.read()
    teller.happened(0, 0)
    teller.breaks_at = "event-1"
    with pytest.raises(OSError, match="no room"):
        await teller.read()
    teller.breaks_at = ""
    teller.clock.advance(60)
    await teller.read()
    assert teller.taken == ["event-0", "event-1"]


async def test_a_cursor_that_cannot_be_stored_is_no_reason_to_ask_without_end() -> None:
    teller = Teller()
    await teller.read()
    teller.happened(0)
    with (
        mock.patch.object(teller.values, "put_time", side_effect=OSError("disk full")),
        pytest.raises(OSError, match="disk full"),
    ):
        await teller.read()
    await teller.read()
    assert teller.taken == ["event-0", "event-0"]
    before = teller.clock.now()
    for _ in range(10):
        await teller.read()
    assert teller.clock.now() - before > timedelta(seconds=POLL), "it waits"


LATE = st.integers(0, int(OVERLAP.total_seconds() * 1000) - 1).map(lambda age: age / 1000)
SPELLS = ["read", "fail", "pause", "long pause", "restart"]
STEPS = st.lists(st.lists(LATE | st.just(0.5), max_size=3 * FEW) | st.sampled_from(SPELLS))


@given(STEPS)
async def test_every_event_is_taken(steps: Sequence[Sequence[float] | str]) -> None:
    teller, restarts = Teller(), 0
    with small_answers():
        for step in ["read", *steps]:
            match step:
                case "read":
                    await teller.read()
                case "fail":
                    teller.breaks_at = teller.events[-1].key if teller.events else ""
                    with suppress(OSError):
                        await teller.read()
                    teller.breaks_at = ""
                case "pause":
                    teller.clock.advance(1.5)
                case "long pause":
                    teller.clock.advance(60)
                case "restart":
                    teller.restart()
                    restarts += 1
                case ages:
                    teller.happened(*map(float, ages))
        for _ in range(len(teller.events) // FEW + 1):
            await teller.read()
    assert {event.key for event in teller.events} == set(teller.taken)
    assert restarts or len(teller.taken) == len(teller.events)
