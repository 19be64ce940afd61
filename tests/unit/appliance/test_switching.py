"""Another network in .env: no node is left behind, and no devnet goes on beside it."""

from __future__ import annotations

import pytest

from appliance.bridge import Bridge
from appliance.steps import StepError
from appliance.switching import refuse_to_abandon_nodes, remove_devnet
from tests.unit.appliance.bench import NODE, Docker, Recorder, on


@pytest.fixture
def polygon(docker: Docker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bridge runs on polygon, with one node."""
    docker(
        "case \"$*\" in inspect*) printf 'PATH=/bin\\nGOLEM_NETWORK=polygon\\n' ;; *--quiet*) echo 0123abcd ;; "
        "*) printf 'bridge\\nyagna\\n' ;; esac"
    )
    monkeypatch.setattr(Bridge, "live_nodes", lambda _self: [NODE])
    monkeypatch.setattr(Bridge, "closing_clusters", lambda _self: [])


@pytest.mark.usefixtures("polygon")
def test_nodes_on_the_network_before_are_named_with_what_ends_them() -> None:
    expected = (
        r"(?s)1 node\(s\) are still rented, a change from polygon to devnet would leave them running and costing:\n"
        r"   mine-1-head-0001  running on alder .*End them first: ray down .*stop --all.*GOLEM_NETWORK=polygon in \.env"
    )
    with pytest.raises(StepError, match=expected):
        refuse_to_abandon_nodes(on("devnet"))


@pytest.mark.usefixtures("polygon")
def test_on_the_same_network_they_go_on() -> None:
    refuse_to_abandon_nodes(on("polygon"))


@pytest.mark.usefixtures("polygon")
def test_without_nodes_the_network_may_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bridge, "live_nodes", lambda _self: [])
    refuse_to_abandon_nodes(on("hoodi"))


@pytest.mark.usefixtures("polygon")
def test_bills_are_paid_before_the_network_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bridge, "live_nodes", lambda _self: [])
    monkeypatch.setattr(Bridge, "closing_clusters", lambda _self: ["mine"])
    with pytest.raises(StepError, match="mine on polygon still waits for invoices or payments"):
        refuse_to_abandon_nodes(on("devnet"))
    refuse_to_abandon_nodes(on("polygon"))
    monkeypatch.setenv("FORCE", "1")
    refuse_to_abandon_nodes(on("devnet"))


@pytest.mark.usefixtures("polygon")
def test_a_bridge_that_does_not_tell_is_no_dead_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(_self: Bridge) -> None:
        raise StepError("it does not answer")

    monkeypatch.setattr(Bridge, "live_nodes", silent)
    with pytest.raises(StepError, match=r"rented is not known: it does not answer — or stay: .* make up FORCE=1"):
        refuse_to_abandon_nodes(on("hoodi"))
    monkeypatch.setenv("FORCE", "1")
    refuse_to_abandon_nodes(on("hoodi"))


@pytest.mark.usefixtures("stopped")
def test_where_nothing_runs_nothing_is_abandoned() -> None:
    refuse_to_abandon_nodes(on("hoodi"))


@pytest.mark.parametrize(
    ("network", "there", "removed"),
    [
        ("hoodi", "bridge chain", True),
        ("polygon", "devnet", True),
        ("devnet", "chain devnet", False),
        ("hoodi", "bridge yagna", False),
    ],
)
def test_a_devnet_goes_only_where_another_network_is_wanted(
    network: str, there: str, removed: bool, docker: Docker, capsys: pytest.CaptureFixture[str]
) -> None:
    docker(f"for name in {there}; do echo $name; done")
    steps = Recorder()
    remove_devnet(steps, on(network))
    expected = ["docker compose --profile devnet rm --stop --force chain devnet"]
    assert steps.commands == (expected if removed else [])
    assert (f"The network is {network}" in capsys.readouterr().out) == removed
