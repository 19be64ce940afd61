"""Goals, and how what was measured stands to them."""

from __future__ import annotations

import statistics
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """``limit`` in ``unit``; the value shall be at most that, or at least if ``least``."""

    name: str
    unit: str
    limit: float
    least: bool = False

    def met(self, value: float) -> bool:
        return value >= self.limit if self.least else value <= self.limit


START_UP = Goal("start to first offer", "s", 15)
SSH = Goal("agreement to ssh-ready", "s", 3)
ROUND_TRIP = Goal("round trip requestor-node", "ms", 2)
DOWN = Goal("throughput node to requestor", "MiB/s", 4, least=True)
UP = Goal("throughput requestor to node", "MiB/s", 4, least=True)
BETWEEN = Goal("throughput node to node", "MiB/s", 100, least=True)
MEMORY = Goal("memory, six idle nodes", "MiB", 1024)


class Report:
    """Prints as it goes, and remembers what was missed."""

    def __init__(self) -> None:
        self.missed: list[str] = []

    def tell(self, goal: Goal, values: Sequence[float], *, direct: float | None = None, note: str = "") -> None:
        median = statistics.median(values)
        sign = "≥" if goal.least else "≤"
        met = goal.met(median)
        if not met:
            self.missed.append(goal.name)
        parts = [
            f"{goal.name:<37} {median:8.2f} {goal.unit:<6}",
            f"goal {sign} {goal.limit:g}: {'met' if met else 'MISSED'}",
            f"({len(values)} runs, {min(values):.2f} to {max(values):.2f})",
        ]
        if direct is not None:
            parts.append(f"direct TCP {direct:.2f} {goal.unit}, ratio {median / direct:.3f}")
        print("  ".join([*parts, note] if note else parts), flush=True)


async def repeat(measure: Callable[[], Awaitable[float]], runs: int) -> list[float]:
    return [await measure() for _ in range(runs)]
