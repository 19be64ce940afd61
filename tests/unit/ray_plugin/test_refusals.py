"""Remembering what was refused."""

from __future__ import annotations

import pytest

from ray_on_golem.errors import BridgeDownError, RayOnGolemError
from ray_on_golem.provider.refusals import HOLD, Refusals

BUDGET = RayOnGolemError("Too little is left", "budget", 409)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_for_a_while_and_for_its_node_type() -> None:
    clock = Clock()
    refusals = Refusals(clock)
    refusals.check("worker")
    refusals.remember("worker", BUDGET)
    clock.now = HOLD - 1
    with pytest.raises(RayOnGolemError, match="Too little is left") as caught:
        refusals.check("worker")
    assert (caught.value.code, caught.value.status) == ("budget", 409)
    refusals.check("other")
    clock.now = HOLD
    refusals.check("worker")


@pytest.mark.parametrize("error", [BridgeDownError("gone"), RayOnGolemError("At most 1", "over_limit")])
def test_what_may_pass_by_itself_is_asked_again(error: RayOnGolemError) -> None:
    refusals = Refusals(Clock())
    refusals.remember("worker", error)
    refusals.check("worker")
