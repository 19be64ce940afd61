"""Waiting reports, gives up and can be interrupted."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from yagna_entry.errors import StartError, StopRequested
from yagna_entry.waiting import Patience, Wish

WISH = Wish("rain", 12, "dance")


@dataclass
class Weather:
    """A clock that only pauses move; ``comes_at`` and ``stop_at`` in seconds."""

    comes_at: float
    stop_at: float = float("inf")
    now: float = 0.0
    said: list[str] = field(default_factory=list)

    def pause(self, seconds: float) -> bool:
        self.now += seconds
        return self.now >= self.stop_at

    def probe(self) -> str | None:
        return None if self.now >= self.comes_at else "dry"

    def wait(self) -> None:
        Patience(self.pause, self.said.append, lambda: self.now).until(WISH, self.probe)


def test_what_is_there_is_not_waited_for() -> None:
    weather = Weather(comes_at=0)
    weather.wait()
    assert (weather.now, weather.said) == (0, [])


def test_a_line_every_five_seconds() -> None:
    weather = Weather(comes_at=11)
    weather.wait()
    assert weather.said == ["waiting for rain since 5 s: dry", "waiting for rain since 10 s: dry"]


def test_the_limit_names_what_was_seen_and_what_to_do() -> None:
    weather = Weather(comes_at=1000)
    with pytest.raises(StartError, match="no rain within 12 s — dry — dance"):
        weather.wait()
    assert weather.now == pytest.approx(12, abs=0.3)


def test_a_stop_ends_the_wait_at_once() -> None:
    weather = Weather(comes_at=1000, stop_at=3)
    with pytest.raises(StopRequested):
        weather.wait()
    assert weather.now == pytest.approx(3, abs=0.3)
