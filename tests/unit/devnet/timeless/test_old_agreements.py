"""What an agent does about agreements of before it was killed."""

from __future__ import annotations

from typing import Any, cast

import pytest

from golem_devnet.agent.recovery import close_old_agreements
from golem_devnet.agent.rest import ProviderRest, RestError
from golem_devnet.net.bus import BusClient
from tests.unit.devnet.timeless.exeunit import FakeBus


class Daemon:
    """One agreement in force, with two activities; notes what it was asked for besides."""

    def __init__(self, bus: FakeBus, *, knows_activities: bool = True) -> None:
        self.told: list[str] = []
        self._bus = bus
        self._knows_activities = knows_activities

    async def call(self, method: str, path: str, _body: object = None) -> Any:  # noqa: ANN401 - parsed JSON
        if path == "/market-api/v1/agreements?state=Approved":
            return [{"id": "old"}]
        if path == "/activity-api/v1/activity?agreementId=old":
            if not self._knows_activities:
                raise RestError(f"{method} {path}: 500")
            return ["a1", "a2"]
        if method == "GET":
            return []
        self.told.append(f"{path}, {len(self._bus.states)} activities over")
        return None


@pytest.mark.parametrize("known", [True, False])
async def test_their_activities_are_over_before_they_are_broken(known: bool) -> None:
    """An activity of which nobody tells keeps no agreement in force."""
    bus = FakeBus()
    daemon = Daemon(bus, knows_activities=known)
    await close_old_agreements(cast(ProviderRest, daemon), cast(BusClient, bus))
    over = 2 if known else 0
    assert bus.states == ["Terminated"] * over
    assert daemon.told == [f"/market-api/v1/agreements/old/terminate, {over} activities over"]
