"""``make down`` leaves no rented node behind, and is no dead end where the bridge cannot tell of any."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance import down
from appliance.bridge import Bridge
from appliance.steps import StepError
from tests.unit.appliance.bench import NODE, Docker, Recorder, on

DOWN = "docker compose --profile * down --remove-orphans"


@pytest.mark.usefixtures("rented")
def test_rented_nodes_keep_the_appliance_up() -> None:
    steps = Recorder()
    with pytest.raises(
        StepError, match=r"(?s)1 node\(s\) are still rented.*mine-1-head-0001  running on alder  0.0108 GLM/h.*FORCE=1"
    ):
        down.stop(steps, on("devnet"))
    assert steps.commands == []


@pytest.mark.usefixtures("rented")
def test_nodes_that_are_being_ended_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bridge, "live_nodes", lambda _self: [replace(NODE, state="terminating")])
    steps = Recorder()
    with pytest.raises(StepError, match=r"mine-1-head-0001  terminating on .*\n.*: wait a minute or two"):
        down.stop(steps, on("devnet"))
    assert steps.commands == []


@pytest.mark.usefixtures("idle")
@pytest.mark.parametrize("closing", [[], ["mine"]])
def test_who_waits_to_be_paid_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], closing: list[str]
) -> None:
    monkeypatch.setattr(Bridge, "closing_clusters", lambda _self: closing)
    steps = Recorder()
    down.stop(steps, on("devnet"))
    assert steps.commands == [DOWN]
    said = "mine still waits for invoices or payments: providers are paid after the next make up"
    assert (said in capsys.readouterr().out) is bool(closing)


@pytest.mark.usefixtures("silent")
def test_a_bridge_that_cannot_tell_is_named_with_the_way_out() -> None:
    steps = Recorder()
    expected = r"Whether nodes are rented is not known: .* does not answer — refused .* make down FORCE=1"
    with pytest.raises(StepError, match=expected):
        down.stop(steps, on("devnet"))
    assert steps.commands == []


@pytest.mark.usefixtures("rented")
def test_force_stops_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE", "1")
    steps = Recorder()
    down.stop(steps, on("devnet"))
    assert steps.commands == [DOWN]


@pytest.mark.usefixtures("stopped")
def test_an_appliance_that_does_not_run_has_no_nodes() -> None:
    steps = Recorder()
    down.stop(steps, on("devnet"))
    assert steps.commands == [DOWN]


def test_without_an_engine_it_says_so(docker: Docker) -> None:
    docker("echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    with pytest.raises(StepError, match=r"Docker does not answer — Cannot connect to the Docker daemon — .* make up"):
        down.stop(Recorder(), on("devnet"))
