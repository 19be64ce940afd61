from __future__ import annotations

from pathlib import Path

import pytest

from appliance import down
from appliance.bridge import LiveNode
from appliance.settings import Ports, Settings
from appliance.steps import StepError, Steps

SETTINGS = Settings("ray-on-golem-unit", "devnet", Ports(1, 2, 3), Path("run"))


class Recorder(Steps):
    """Notes the commands instead of running them."""

    def __init__(self) -> None:
        super().__init__(Path("logs"))
        self.commands: list[list[str]] = []

    def run(self, command: object, **_options: object) -> str:
        assert isinstance(command, list)
        self.commands.append(command)
        return ""


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> None:
    node = LiveNode("mine", "mine-1-head-0001", "running", "alder", "0.0108")
    monkeypatch.setattr(down, "is_running", lambda _settings: True)
    monkeypatch.setattr("appliance.bridge.Bridge.live_nodes", lambda _self: [node])
    monkeypatch.delenv("FORCE", raising=False)


@pytest.mark.usefixtures("live")
def test_rented_nodes_keep_the_appliance_up() -> None:
    steps = Recorder()
    with pytest.raises(
        StepError, match=r"(?s)1 node\(s\) are still rented.*mine-1-head-0001  running on alder  0.0108 GLM/h.*FORCE=1"
    ):
        down.stop(steps, SETTINGS)
    assert steps.commands == []


@pytest.mark.usefixtures("live")
def test_force_stops_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE", "1")
    steps = Recorder()
    down.stop(steps, SETTINGS)
    assert [command[-2:] for command in steps.commands] == [["down", "--remove-orphans"]]


def test_an_appliance_that_does_not_run_has_no_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(down, "is_running", lambda _settings: False)
    steps = Recorder()
    down.stop(steps, SETTINGS)
    assert len(steps.commands) == 1
