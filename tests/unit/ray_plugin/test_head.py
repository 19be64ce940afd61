"""A head from ``ray up`` to running, and every way in which that fails: nothing stays rented."""

from __future__ import annotations

from typing import NoReturn

import click
import pytest

from ray_on_golem import keys
from ray_on_golem.errors import BridgeDownError, RayOnGolemError
from ray_on_golem.provider import progress
from ray_on_golem.provider.node_provider import KEY, SPEC
from tests.unit.ray_plugin.commands import HEAD_TAGS, RUNNING, WORKER_TAGS, ends, plain
from tests.unit.ray_plugin.conftest import NODE_TYPES, Make
from tests.unit.ray_plugin.fake_bridge import FakeBridge, node_view


def test_the_head_is_awaited_and_its_way_told(
    make: Make, bridge: FakeBridge, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "FIRST_OFFERS", 0)
    bridge.progress += [
        {"state": "negotiating", "message": "Waiting: 5 offers seen, 0 under max_start_price"},
        {"state": "negotiating", "message": "Waiting: 5 offers seen, 0 under max_start_price"},
        {"state": "agreed", "message": "Agreement with alder"},
        RUNNING,
    ]
    cheapest = {"provider_name": "birch", "start": "0.002", "per_hour": "0.03"}
    bridge.prices = {
        "node_types": {
            "head": {"summary": "3 offers seen, 0 free now", "cheapest": None},
            "worker": {"summary": "5 offers seen", "cheapest": cheapest},
        }
    }
    (node_id,) = make().create_node({}, HEAD_TAGS, 1)
    assert node_id == "one-1-head-0001"
    shown = plain(capsys)
    for line in [
        "network: devnet",
        "wallet: 0xfeed",
        "budget: 5 GLM, 0.25 GLM in use",
        "head: no price limits; 3 offers seen, 0 free now",
        "worker: max_start_price 0.5 (GLM); from 0.002 GLM + 0.03 GLM/h (birch)",
        f"{node_id}: Waiting: 5 offers seen, 0 under max_start_price",
        "(still, after",
        f"{node_id}: Agreement with alder",
        f"{node_id}: Running on alder — start 0.001 GLM, at most 0.018 GLM/h",
    ]:
        assert line in shown
    assert not bridge.closed


def test_the_cluster_is_opened_with_the_files_limits_and_the_key(make: Make, bridge: FakeBridge) -> None:
    bridge.progress.append(RUNNING)
    provider = make()
    provider.create_node({}, HEAD_TAGS, 1)
    (spec,) = bridge.specs
    assert spec["ssh_public_key"] == keys.public_key(keys.default_key("one"))
    assert (spec["total_budget"], spec["node_types"]) == ("5", NODE_TYPES)
    provider.prepare_for_head_node({"provider": {SPEC: 1, KEY: 2, "parameters": {"token_file": "x"}}})
    assert bridge.calls["open_cluster"] == 1


def test_one_program_opens_a_cluster_again_after_its_end(make: Make, bridge: FakeBridge) -> None:
    """Ray's SDK keeps the provider: up, down, up."""
    provider = make()
    for _ in range(2):
        bridge.progress.append(RUNNING)
        provider.create_node({}, HEAD_TAGS, 1)
        bridge.nodes.clear()
    assert bridge.calls["open_cluster"] == 2


def test_a_command_for_a_head_that_fails_to_start_ends_plainly(make: Make, bridge: FakeBridge) -> None:
    """``ray exec`` while ``ray up`` of somebody else is at it."""
    bridge.nodes = {"head": node_view("head", "deploying", tags=HEAD_TAGS)}
    bridge.progress.append({"state": "terminated", "message": "No provider could start it", "reason": "start_failed"})
    auth = {"ssh_user": "root", "ssh_private_key": "/key"}
    runner = make().get_command_runner("", "head", auth, "one", None, use_internal_ip=False)
    code, text = ends(lambda: runner.run("true"))
    assert code == 1
    assert "No provider could start it" in text


def test_a_live_cluster_is_brought_to_new_limits(make: Make, bridge: FakeBridge) -> None:
    config = {"provider": {"type": "external", SPEC: 1, KEY: "/key", "parameters": {"token_file": "x"}}}
    prepared = make().prepare_for_head_node(config)
    assert bridge.calls["open_cluster"] == 1
    assert set(prepared["provider"]) == {"type", "parameters"}


def test_a_head_of_an_older_demand_is_remarked_on(
    make: Make, bridge: FakeBridge, capsys: pytest.CaptureFixture[str]
) -> None:
    bridge.progress.append(RUNNING)
    make().create_node({}, HEAD_TAGS, 1)
    capsys.readouterr()
    for image, expected in (("x", False), ("y", True), ("y", True), ("x", False)):
        provider = make()
        head = {"demand": {"image_tag": image}, "budget_control": {"max_start_price": "7"}}
        spec = {"head_node_type": "head", "node_types": {**NODE_TYPES, "head": head}}
        provider._opening._spec = spec
        provider.prepare_for_head_node({"provider": {}})
        assert ("The head goes on as it was rented" in plain(capsys)) == expected


def test_of_a_head_that_nothing_is_noted_of_nothing_is_said(
    make: Make, bridge: FakeBridge, capsys: pytest.CaptureFixture[str]
) -> None:
    bridge.nodes = {"head": node_view("head", tags=HEAD_TAGS)}
    make().prepare_for_head_node({"provider": {}})
    assert "as it was rented" not in plain(capsys)


def test_a_head_whose_set_up_fails_is_said_to_go_on(
    make: Make, bridge: FakeBridge, capsys: pytest.CaptureFixture[str]
) -> None:
    bridge.nodes = {"head": node_view("head", tags=HEAD_TAGS), "gone": node_view("gone", "terminating", tags=HEAD_TAGS)}
    make().set_node_tags("gone", {"ray-node-status": "update-failed"})
    assert plain(capsys) == ""
    make().set_node_tags("head", {"ray-node-status": "update-failed"})
    shown = plain(capsys)
    assert "head goes on, and costs — start 0.001 GLM, at most 0.018 GLM/h" in shown
    assert "ray down" in shown


def test_on_the_head_ray_ends_a_worker_whose_set_up_failed(
    make: Make, bridge: FakeBridge, capsys: pytest.CaptureFixture[str]
) -> None:
    bridge.nodes = {"worker": node_view("worker", tags=WORKER_TAGS)}
    make(on_head=True).set_node_tags("worker", {"ray-node-status": "update-failed"})
    assert plain(capsys) == ""


def test_a_head_gets_what_upstreams_plug_in_wants_and_no_price_limit(make: Make) -> None:
    """Upstream's models forbid unknown keys and ask for all of these; see its server/models.py."""
    types = {name: {"node_config": {"budget_control": {"max_start_price": 1}}} for name in NODE_TYPES}
    config = {"provider": {"parameters": {"token_file": "x", "budget": 7}}, "available_node_types": types}
    prepared = make().prepare_for_head_node(config)
    parameters = prepared["provider"]["parameters"]
    assert set(parameters) == {
        *("webserver_port", "webserver_datadir", "ray_gcs_expose_port", "enable_registry_stats", "payment_network"),
        *("payment_driver", "total_budget", "node_config", "ssh_private_key", "ssh_user"),
    }
    assert (parameters["webserver_port"], parameters["total_budget"]) == (4578, 5.0)
    assert {name: kind["node_config"] for name, kind in prepared["available_node_types"].items()} == {
        name: {"subnet_tag": "public", "demand": {"image_tag": "x"}} for name in NODE_TYPES
    }


def test_a_node_type_of_upstreams_client_is_told_to_the_bridge(make: Make, bridge: FakeBridge) -> None:
    """It bootstraps the file, and tells the bridge of the head's type only."""
    bootstrapped = {
        "subnet_tag": "public",
        "demand": {"image_tag": "x", "outbound_urls": [], "node_descriptor": None},
        "budget_control": {"max_start_price": 0.5, "payment_interval_hours": {"minimal": 12}},
    }
    provider = make(on_head=True)
    provider.create_node_with_resources_and_labels(bootstrapped, WORKER_TAGS, 1, {}, {})
    assert bridge.named["worker"] == {
        "demand": {"image_tag": "x", "outbound_urls": []},
        "budget_control": {"max_start_price": "0.5"},
    }
    provider.create_node_with_resources_and_labels({}, WORKER_TAGS, 1, {}, {})
    assert bridge.named["worker"] is None


FAILURES = {
    "open_cluster": "The wallet cannot set 5 GLM aside",
    "request_nodes": "Not starting 1 head(s)",
    "wait_for_node": "Node is unknown",
    "ready": "The bridge at 127.0.0.1:4578 does not answer",
}


@pytest.mark.parametrize("call", FAILURES)
def test_a_head_that_cannot_be_had_ends_the_command(make: Make, bridge: FakeBridge, call: str) -> None:
    bridge.fail[call] = RayOnGolemError(FAILURES[call], status=409)
    provider = make()
    code, output = ends(lambda: provider.create_node({}, HEAD_TAGS, 1))
    assert code == 1
    assert output.count(FAILURES[call]) == 1, output
    assert "Traceback" not in output
    assert bridge.closed is (call in {"request_nodes", "wait_for_node"})


def test_the_reason_is_printed_once(make: Make, bridge: FakeBridge) -> None:
    bridge.progress.append({"state": "terminating", "reason": "start_failed", "message": "5 providers failed"})
    provider = make()
    code, output = ends(lambda: provider.create_node({}, HEAD_TAGS, 1))
    assert code == 1
    (line,) = [line for line in output.splitlines() if "\tERR " in line]
    assert "5 providers failed" in line
    assert bridge.closed


def test_an_interrupted_wait_leaves_nothing_rented(make: Make, bridge: FakeBridge) -> None:
    provider = make()
    bridge.fail["wait_for_node"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        provider.create_node({}, HEAD_TAGS, 1)
    assert bridge.closed


LOST = {
    "interrupt": KeyboardInterrupt(),
    "timeout": BridgeDownError("The bridge at 127.0.0.1:4578 does not answer (timed out) — start the appliance"),
    "failure": RayOnGolemError("Internal error", "internal", 500),
    "not the bridge": RayOnGolemError("What answers at 127.0.0.1:4578 is not the bridge"),
}


@pytest.mark.parametrize("lost", LOST)
def test_a_head_whose_asking_got_no_answer_is_not_left_rented(make: Make, bridge: FakeBridge, lost: str) -> None:
    bridge.answer_lost = LOST[lost]
    with pytest.raises((KeyboardInterrupt, click.ClickException)):
        make().create_node({}, HEAD_TAGS, 1)
    assert bridge.nodes
    assert bridge.closed


@pytest.mark.parametrize("lost", LOST)
def test_a_budget_is_given_back_when_nobody_tells_what_runs(make: Make, bridge: FakeBridge, lost: str) -> None:
    bridge.fail_once["cluster"] = LOST[lost]
    with pytest.raises((KeyboardInterrupt, click.ClickException)):
        make().create_node({}, HEAD_TAGS, 1)
    assert bridge.closed


def test_another_ray_up_at_work_is_left_alone(make: Make, bridge: FakeBridge) -> None:
    bridge.nodes = {"one-1-head-0001": node_view("one-1-head-0001", "deploying", tags=HEAD_TAGS)}
    bridge.fail["request_nodes"] = RayOnGolemError("1 live, at most 1", "over_limit", 409)
    with pytest.raises(click.ClickException, match="Another ray up of cluster one is at work — one-1-head-0001"):
        make().create_node({}, HEAD_TAGS, 1)
    assert not bridge.closed


def test_another_ray_up_that_asked_in_between_is_left_alone(
    make: Make, bridge: FakeBridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked_by_another(*_: object) -> NoReturn:
        bridge.nodes = {"one-1-head-0001": node_view("one-1-head-0001", "deploying", tags=HEAD_TAGS)}
        raise RayOnGolemError("1 live, at most 1", "over_limit", 409)

    monkeypatch.setattr(bridge, "request_nodes", asked_by_another)
    with pytest.raises(click.ClickException, match="Another ray up of cluster one is at work — one-1-head-0001"):
        make().create_node({}, HEAD_TAGS, 1)
    assert not bridge.closed


@pytest.mark.parametrize("lost", LOST)
def test_another_ray_up_is_left_alone_when_no_answer_comes(make: Make, bridge: FakeBridge, lost: str) -> None:
    bridge.nodes = {"one-1-head-0001": node_view("one-1-head-0001", "deploying", tags=HEAD_TAGS)}
    bridge.fail["request_nodes"] = LOST[lost]
    with pytest.raises((KeyboardInterrupt, click.ClickException)):
        make().create_node({}, HEAD_TAGS, 1)
    assert not bridge.closed


@pytest.mark.parametrize("call", ["open_cluster", "market"])
@pytest.mark.parametrize("lost", LOST)
def test_a_budget_set_aside_for_no_head_is_given_back(make: Make, bridge: FakeBridge, call: str, lost: str) -> None:
    bridge.fail[call] = LOST[lost]
    with pytest.raises((KeyboardInterrupt, click.ClickException)):
        make().create_node({}, HEAD_TAGS, 1)
    assert bridge.closed


@pytest.mark.parametrize("call", ["open_cluster", "market"])
@pytest.mark.parametrize("lost", LOST)
def test_a_live_cluster_stays_when_no_answer_comes(make: Make, bridge: FakeBridge, call: str, lost: str) -> None:
    bridge.nodes = {"one-1-head-0001": node_view("one-1-head-0001", tags=HEAD_TAGS)}
    bridge.fail[call] = LOST[lost]
    with pytest.raises((KeyboardInterrupt, click.ClickException)):
        make().prepare_for_head_node({"provider": {}})
    assert not bridge.closed


def test_a_cluster_that_was_not_opened_after_all_is_not_complained_of(
    make: Make, bridge: FakeBridge, capsys: pytest.CaptureFixture[str]
) -> None:
    bridge.fail["open_cluster"] = LOST["timeout"]
    bridge.fail["close_cluster"] = RayOnGolemError("No cluster 'one'", "unknown_cluster", 404)
    with pytest.raises(click.ClickException, match="does not answer"):
        make().create_node({}, HEAD_TAGS, 1)
    assert bridge.calls["close_cluster"] == 1
    assert "could not be closed" not in plain(capsys)


def test_a_cluster_that_cannot_be_closed_is_told(
    make: Make, bridge: FakeBridge, capsys: pytest.CaptureFixture[str]
) -> None:
    bridge.progress.append({"state": "terminated", "message": "The provider vanished"})
    bridge.fail["close_cluster"] = BridgeDownError("gone")
    with pytest.raises(click.ClickException, match="The provider vanished"):
        make().create_node({}, HEAD_TAGS, 1)
    assert "ray-on-golem stop one" in plain(capsys)


def test_a_file_for_another_network_rents_nothing(make: Make, bridge: FakeBridge) -> None:
    with pytest.raises(click.ClickException, match="for network 'polygon', the appliance runs on 'devnet'"):
        make(payment_network="polygon").create_node({}, HEAD_TAGS, 1)
    assert bridge.calls["open_cluster"] == 0


def test_a_closed_network_is_remarked_on(make: Make, bridge: FakeBridge, capsys: pytest.CaptureFixture[str]) -> None:
    bridge.progress.append(RUNNING)
    make(network="goerli").create_node({}, HEAD_TAGS, 1)
    assert "Network 'goerli' of the cluster file is closed" in plain(capsys)
