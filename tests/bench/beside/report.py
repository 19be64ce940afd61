"""The table, and whether the goals are met."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.bench.beside.measures import Figures


@dataclass(frozen=True)
class Row:
    """``met`` judges ours / upstream's; for calls, ours alone."""

    title: str
    of: Callable[[Figures], Sequence[float]]
    goal: str
    met: Callable[[float, float], bool]
    form: str = "{:.1f}"


def _half(own: float, other: float) -> bool:
    return own <= 0.5 * other


ROWS = (
    Row("ray up to ready, s", lambda figures: figures.up, "<= 0.5 x", _half),
    Row("first task on a worker, s", lambda figures: figures.first_task, "<= 0.5 x", _half),
    Row("ray down, s", lambda figures: figures.down, "<= 0.5 x", _half),
    Row("worker gone for Ray, s", lambda figures: figures.worker_gone, "< 1 s", lambda own, _: own < 1, "{:.2f}"),
    Row("HTTP calls per tick", lambda figures: figures.calls_per_tick, "1 call", lambda own, _: own <= 1.05),
    Row("ticks per minute", lambda figures: figures.ticks_per_minute, "", lambda *_: True),
    Row("CPU per tick, s", lambda figures: figures.cpu_per_tick, "<= 1 x", lambda own, other: own <= other, "{:.4f}"),
    Row("ssh upload, MB/s", lambda figures: figures.upload, ">= 1 x", lambda own, other: own >= other),
    Row("ssh download, MB/s", lambda figures: figures.download, ">= 1 x", lambda own, other: own >= other),
    Row("ssh round trip, ms", lambda figures: figures.round_trip, "<= 1 x", lambda own, other: own <= other),
)


def report(own: Figures, other: Figures, say: Callable[[str], None]) -> bool:
    """Medians side by side, with all values behind. Whether every goal is met; a figure that is missing meets none."""
    all_met = True
    say(f"{'median':<28}{'ours':>10}{'upstream':>10}{'ratio':>8}  goal")
    for row in ROWS:
        values, others = row.of(own), row.of(other)
        if not values or not others:
            shown = [row.form.format(statistics.median(each)) if each else "failed" for each in (values, others)]
            met = bool(values)
            say(f"{row.title:<28}{shown[0]:>10}{shown[1]:>10}{'':>8}  {row.goal} {'' if met else 'MISSED'}")
        else:
            mine, theirs = statistics.median(values), statistics.median(others)
            met = row.met(mine, theirs)
            ratio = f"{mine / theirs:.2f}" if theirs else ""
            verdict = ("met" if met else "MISSED") if row.goal else ""
            cells = f"{row.form.format(mine):>10}{row.form.format(theirs):>10}{ratio:>8}"
            say(f"{row.title:<28}{cells}  {row.goal} {verdict}")
        say(f"{'':<4}{_list(row, values)} | {_list(row, others)}")
        all_met = all_met and met
    for name, figures in (("ours", own), ("upstream", other)):
        for failure in figures.broken:
            say(f"{name}, a transfer that failed: {failure}")
    return all_met and not own.broken


def _list(row: Row, values: Sequence[float]) -> str:
    return ", ".join(row.form.format(value) for value in values) or "-"
