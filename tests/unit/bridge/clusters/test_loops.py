"""Background loops: fenced, backed off, woken by hints; and the bell that tells of changes."""

from __future__ import annotations

import asyncio

import pytest

from golem_bridge.errors import MarketError
from golem_bridge.loops import MAX_BACKOFF, Changes, Loop
from tests.fakes.loop import LoopClock

CLOCK = LoopClock()


class Steps:
    """Remembers when it was called; fails while told to."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.at: list[float] = []

    async def __call__(self) -> None:
        self.at.append(CLOCK.monotonic())
        if self.error is not None:
            raise self.error

    @property
    def pauses(self) -> list[float]:
        return [after - before for before, after in zip(self.at, self.at[1:], strict=False)]


async def test_it_steps_at_its_interval() -> None:
    steps = Steps()
    loop = Loop("loop", steps, interval=10, clock=CLOCK)
    loop.start()
    await asyncio.sleep(35)
    await loop.stop()
    assert steps.at == [0, 10, 20, 30]
    assert (CLOCK.now() - loop.last_success).total_seconds() == 5
    await asyncio.sleep(60)
    assert len(steps.at) == 4


async def test_a_hint_wakes_it() -> None:
    steps = Steps()
    loop = Loop("loop", steps, interval=10, clock=CLOCK)
    loop.start()
    await asyncio.sleep(3)
    loop.hint()
    await asyncio.sleep(1)
    await loop.stop()
    assert steps.at == [0, 3]


@pytest.mark.parametrize("error", [MarketError("nobody there — again"), ZeroDivisionError()])
async def test_failures_are_fenced_backed_off_and_forgotten(error: Exception) -> None:
    steps = Steps(error)
    loop = Loop("loop", steps, interval=0.1, clock=CLOCK)
    began = loop.last_success
    loop.start()
    await asyncio.sleep(300)
    assert loop.last_success == began
    for number, pause in enumerate(steps.pauses):
        nominal = min(MAX_BACKOFF, 0.5 * 2 ** (number + 1))
        assert nominal * 0.8 <= pause <= nominal * 1.2 + 0.001
    failures = len(steps.at)
    assert loop.failed_steps == failures > 8
    steps.error = None
    await asyncio.sleep(60)
    await loop.stop()
    assert steps.pauses[-1] == pytest.approx(0.1)
    assert loop.last_success > began


async def test_a_night_of_failures_stops_no_loop() -> None:
    """yagna may be down from one evening to the next."""
    steps = Steps(MarketError("nobody there — again"))
    loop = Loop("loop", steps, interval=1, clock=CLOCK)
    loop.start()
    await asyncio.sleep(24 * 3600)
    steps.error = None
    await asyncio.sleep(60)
    await loop.stop()
    assert loop.steps > loop.failed_steps > 2000


async def test_a_step_that_runs_sees_the_stop() -> None:
    cancelled = False

    async def hang() -> None:
        nonlocal cancelled
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            cancelled = True
            raise

    loop = Loop("loop", hang, interval=0, clock=CLOCK)
    await loop.stop()
    loop.start()
    await asyncio.sleep(1)
    await loop.stop()
    assert cancelled
    assert CLOCK.monotonic() == pytest.approx(1)


async def test_changes_wake_all_who_wait_for_their_key_and_nobody_else() -> None:
    changes = Changes()
    changes.tell("a")  # nobody waits: not kept
    waits = [asyncio.create_task(changes.wait(key, 5)) for key in ("a", "a", "b")]
    await asyncio.sleep(1)
    changes.tell("a")
    assert await asyncio.gather(*waits) == [True, True, False]
    assert CLOCK.monotonic() == pytest.approx(5)
