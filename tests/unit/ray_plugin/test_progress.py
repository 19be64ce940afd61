"""What ``ray up`` prints."""

from __future__ import annotations

import pytest

from ray_on_golem.provider.progress import FIRST_OFFERS, Market, Progress, first_offers, limits_text, show_plan
from tests.unit.ray_plugin.commands import plain
from tests.unit.ray_plugin.fake_bridge import node_view

WAITING = node_view("w1", "negotiating", message="Waiting: 3 offers seen")
RUNNING = node_view("w1", "running")


class Clock:
    now = 50.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


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


def market(**cheapest: object) -> Market:
    return {"node_types": {name: {"cheapest": offer} for name, offer in cheapest.items()}}


@pytest.mark.parametrize("name", ["{", "{}", "{evil}", "}"])
def test_a_provider_may_have_any_name(capsys: pytest.CaptureFixture[str], name: str) -> None:
    snapshot = {"network": "devnet", "wallet": "0xfeed", "budget": "5", "committed": "0"}
    offers = market(head={"provider_name": name, "start": "0.002", "per_hour": "0.03"})
    show_plan(snapshot, {"node_types": {"head": {"budget_control": {}}}}, offers)
    assert lines(capsys)[-1] == f"head: no price limits; from 0.002 GLM + 0.03 GLM/h ({name})"


def test_the_first_offers_of_each_node_type_are_waited_for(clock: Clock) -> None:
    answers = iter(
        [market(head=None, worker=None), market(head={}, worker={"start": "1"}), market(head={"start": "1"})]
    )
    assert first_offers(lambda: next(answers), clock=clock, sleep=clock.sleep) == market(head={"start": "1"})
    assert clock.now < 50 + FIRST_OFFERS


def test_a_market_without_offers_is_not_waited_for_longer_than_a_moment(clock: Clock) -> None:
    none = market(head=None)
    assert first_offers(lambda: none, clock=clock, sleep=clock.sleep) is none
    assert 50 + FIRST_OFFERS <= clock.now < 50 + FIRST_OFFERS + 0.2


def test_a_bridge_that_tells_nothing_of_the_market_is_not_asked_again(clock: Clock) -> None:
    assert first_offers(lambda: None, clock=clock, sleep=clock.sleep) is None
    assert clock.now == 50
