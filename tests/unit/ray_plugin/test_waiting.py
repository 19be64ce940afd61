"""Waiting for a node, without waiting."""

from __future__ import annotations

from typing import Any

import pytest

from ray_on_golem.errors import BridgeDownError, RayOnGolemError
from ray_on_golem.provider.waiting import OUTAGE, Waiter
from tests.unit.ray_plugin.fake_bridge import FakeBridge, node_view

RUNNING = {"state": "running", "message": "Running on alder"}


class Time:
    """Each look at the clock takes a second; naps take as long as they say."""

    now = 0.0

    def clock(self) -> float:
        self.now += 1
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def waiter(bridge: FakeBridge, told: list[str]) -> Waiter:
    bridge.nodes = {"w1": node_view("w1", "requested", message="Requested")}
    time = Time()

    def tell(node: dict[str, Any]) -> None:
        told.append(node["message"])

    return Waiter(bridge, "one", tell, clock=time.clock, sleep=time.sleep)


def test_until_it_runs(waiter: Waiter, bridge: FakeBridge, told: list[str]) -> None:
    bridge.progress += [{}, {"state": "deploying", "message": "Deploying"}, RUNNING]
    assert waiter.until_running("w1")["state"] == "running"
    assert told == ["Requested", "Deploying", "Running on alder"]


@pytest.mark.parametrize("state", ["terminating", "terminated"])
def test_until_it_ends(waiter: Waiter, bridge: FakeBridge, state: str) -> None:
    bridge.progress.append({"state": state, "message": "No provider fits", "reason": "start_failed"})
    with pytest.raises(RayOnGolemError, match="No provider fits") as caught:
        waiter.until_running("w1")
    assert caught.value.code == "start_failed"


def test_until_the_deadline(waiter: Waiter) -> None:
    with pytest.raises(RayOnGolemError, match="Node w1 is not running yet — Requested — see: ray-on-golem status"):
        waiter.until_running("w1", seconds=10)


def test_a_bridge_that_starts_anew_is_waited_for(waiter: Waiter, bridge: FakeBridge) -> None:
    bridge.progress += [BridgeDownError("restarting")] * 5 + [RUNNING]
    assert waiter.until_running("w1")["state"] == "running"


def test_a_bridge_that_stays_away_is_not(waiter: Waiter, bridge: FakeBridge) -> None:
    bridge.progress += [BridgeDownError("gone")] * 200
    with pytest.raises(BridgeDownError):
        waiter.until_running("w1")
    assert 200 - len(bridge.progress) == pytest.approx(OUTAGE / 2, abs=2)


def test_a_node_that_is_gone_is_not_asked_for_again(waiter: Waiter, bridge: FakeBridge) -> None:
    bridge.progress += [RayOnGolemError("No node", "unknown_node"), RUNNING]
    with pytest.raises(RayOnGolemError, match="No node"):
        waiter.until_running("w1")
