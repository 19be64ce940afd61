"""How often a head may ask."""

from __future__ import annotations

import asyncio
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from golem_bridge.api.head_doors import head_server
from golem_bridge.api.pace import Paced
from tests.unit.bridge.samples import ManualClock

PER_SECOND, BURST = 4.0, 3
EXACT = 1e-4
"""Seconds; ManualClock counts microseconds."""


class StillClock(ManualClock):
    """Sleeping is noted, and takes no time: as if all had asked at once."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


async def nothing_read() -> Message:
    raise AssertionError("nothing is read")


async def nothing_sent(_message: Message) -> None:
    raise AssertionError("nothing is answered")


async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Asked, and content."""


def let_in(gaps: list[float]) -> list[tuple[float, float]]:
    """When questions were asked, each so many seconds after the one before, and when each was let in."""
    clock = StillClock()

    async def ask() -> list[tuple[float, float]]:
        paced = Paced(app, clock, per_second=PER_SECOND, burst=BURST)
        times = []
        for gap in gaps:
            clock.advance(gap)
            clock.slept.clear()
            await paced({"type": "http"}, nothing_read, nothing_sent)
            times.append((clock.monotonic(), clock.monotonic() + sum(clock.slept)))
        return times

    return asyncio.run(ask())


@given(gaps=st.lists(st.floats(0, 2), max_size=30))
def test_no_time_sees_more_than_the_burst_and_the_rate(gaps: list[float]) -> None:
    entered = [at for _, at in let_in(gaps)]
    assert entered == sorted(entered)
    for first, begin in enumerate(entered):
        for last, end in enumerate(entered[first:], first):
            assert last - first + 1 <= BURST + (end - begin + EXACT) * PER_SECOND


@given(gaps=st.lists(st.floats(1 / PER_SECOND + EXACT, 5), max_size=30))
def test_who_asks_no_more_often_than_the_rate_never_waits(gaps: list[float]) -> None:
    assert all(asked == entered for asked, entered in let_in(gaps))


def test_a_burst_is_let_in_and_what_follows_waits_its_turn() -> None:
    waits = [round(entered - asked, 3) for asked, entered in let_in([10.0] + [0.0] * 5)]
    assert waits == [0, 0, 0, 0.25, 0.5, 0.75]


def test_a_heads_door_is_paced() -> None:
    server = head_server(app, ManualClock(), cluster_id="demo-1", path=Path("demo-1.sock"))
    assert isinstance(server.config.app, Paced)
