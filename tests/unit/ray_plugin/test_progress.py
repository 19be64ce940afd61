"""What ``ray up`` prints."""

from __future__ import annotations

import pytest

from ray_on_golem.provider.progress import Progress, limits_text
from tests.unit.ray_plugin.fake_bridge import node_view
from tests.unit.ray_plugin.test_provider import plain

WAITING = node_view("w1", "negotiating", message="Waiting: 3 offers seen")
RUNNING = node_view("w1", "running")


class Clock:
    now = 50.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.split(" -- ", 1)[1] for line in plain(capsys).splitlines()]


def test_each_step_once_and_the_price_at_the_end(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(clock)
    progress.expect("w1")
    progress.tell(WAITING)
    clock.now += 20
    progress.tell(WAITING)
    clock.now += 5
    progress.tell(RUNNING)
    progress.tell(RUNNING)
    assert lines(capsys) == [
        "w1: Waiting: 3 offers seen",
        "w1: Waiting: 3 offers seen (still, after 20 s)",
        "w1: Running on alder — start 0.001 GLM, at most 0.018 GLM/h, after 25 s",
    ]


def test_a_quick_start_shows_its_price(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(clock)
    progress.expect("w1")
    clock.now += 2
    progress.tell(RUNNING)
    assert lines(capsys) == ["w1: Running on alder — start 0.001 GLM, at most 0.018 GLM/h, after 2 s"]


def test_a_node_that_ran_before_is_not_news(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """``ray exec`` prints what the command prints."""
    Progress(clock).tell(RUNNING)
    assert lines(capsys) == []


def test_limits() -> None:
    assert limits_text({}) == "no price limits"
    usage = {"cpu_load": "0.8", "max_cost": "1.5"}
    assert limits_text({"max_start_price": "0.5", "per_cpu_expected_usage": usage}) == (
        "max_start_price 0.5, max_cost 1.5 (GLM)"
    )
