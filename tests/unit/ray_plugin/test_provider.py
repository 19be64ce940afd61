"""The node provider as Ray's commands and autoscalers use it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import click
import pytest
from ray.autoscaler.tags import NODE_KIND_HEAD
from ray.scripts import scripts

from ray_on_golem.errors import BridgeDownError, RayOnGolemError
from ray_on_golem.provider import node_provider
from ray_on_golem.provider.node_provider import GolemNodeProvider
from ray_on_golem.provider.plainly import NEED_HEAD
from tests.unit.ray_plugin.commands import HEAD_TAGS, WORKER_TAGS, ends, plain
from tests.unit.ray_plugin.conftest import Make
from tests.unit.ray_plugin.fake_bridge import FakeBridge, node_view


def test_a_tick_is_one_call_at_any_size(make: Make, bridge: FakeBridge) -> None:
    bridge.nodes = {f"w{number}": node_view(f"w{number}", tags=WORKER_TAGS) for number in range(200)}
    provider = make(on_head=True)
    for node_id in provider.non_terminated_nodes({}):
        assert provider.is_running(node_id)
        assert not provider.is_terminated(node_id)
        assert provider.node_tags(node_id) == WORKER_TAGS
        assert provider.internal_ip(node_id) == provider.external_ip(node_id) == "192.168.0.3"
    assert bridge.calls == {"cluster": 1}


def test_nodes_by_tag_and_state(make: Make, bridge: FakeBridge) -> None:
    states = ["requested", "negotiating", "deploying", "running", "terminating", "terminated"]
    bridge.nodes = {state: node_view(state, state, tags=WORKER_TAGS) for state in states}
    bridge.nodes["head"] = node_view("head", tags=HEAD_TAGS)
    provider = make()
    assert provider.non_terminated_nodes(WORKER_TAGS) == ["requested", "negotiating", "deploying", "running"]
    assert provider.non_terminated_nodes({"ray-node-type": NODE_KIND_HEAD}) == ["head"]
    assert [provider.is_terminated(state) for state in states] == [False, False, False, False, True, True]
    assert [provider.is_running(state) for state in states] == [False, False, True, True, False, False]
    assert provider.internal_ip("deploying") is None
    assert provider.is_terminated("never heard of")


def test_the_raw_provider_section_is_enough_to_look(bridge: FakeBridge, monkeypatch: pytest.MonkeyPatch) -> None:
    """``ray get-head-ip`` and ``get-worker-ips`` use the file as it is written."""
    monkeypatch.setattr(node_provider, "Bridge", lambda _place: bridge)
    bridge.nodes = {"head": node_view("head", tags=HEAD_TAGS)}
    raw = {"type": "external", "module": "x.Y", "parameters": {"network": "goerli", "budget": 1, "anything": 2}}
    provider = GolemNodeProvider(raw, "one")
    (head,) = provider.non_terminated_nodes({"ray-node-type": NODE_KIND_HEAD})
    assert provider.external_ip(head) == "192.168.0.3"


@contextmanager
def within(command: str, **options: object) -> Iterator[None]:
    """As called by this command of Ray's."""
    with click.Context(scripts.cli) as ray, click.Context(scripts.cli.commands[command], parent=ray) as context:
        context.params.update(options)
        yield


@pytest.mark.parametrize("command", sorted(NEED_HEAD))
def test_a_command_for_a_cluster_that_is_not_up_says_so(make: Make, bridge: FakeBridge, command: str) -> None:
    heads = {"ray-node-type": NODE_KIND_HEAD}
    provider = make()
    with within(command), pytest.raises(click.ClickException, match=r"Cluster one is not up — .* ray up"):
        provider.non_terminated_nodes(heads)
    bridge.nodes = {"head": node_view("head", tags=HEAD_TAGS)}
    with within(command):
        assert provider.non_terminated_nodes(heads) == ["head"]


def test_commands_that_need_no_cluster_find_none(make: Make) -> None:
    provider = make()
    for command, start in (("up", False), ("down", False), ("get-worker-ips", False), ("exec", True)):
        with within(command, start=start):
            assert provider.non_terminated_nodes({}) == []
    assert provider.non_terminated_nodes({}) == [], "Ray's SDK"


def test_a_command_of_somebody_elses_may_be_called_as_one_of_rays(make: Make) -> None:
    """A program of the user's, with click, that brings a cluster up."""
    with click.Context(click.Command("submit")):
        assert make().non_terminated_nodes({}) == []


def test_tags_read_back_as_written(make: Make, bridge: FakeBridge) -> None:
    bridge.nodes = {"w1": node_view("w1")}
    provider = make(on_head=True)
    provider.non_terminated_nodes({})
    provider.set_node_tags("w1", {"ray-node-status": "up-to-date"})
    assert provider.node_tags("w1") == {"ray-node-status": "up-to-date"}
    assert bridge.calls["cluster"] == 1


def test_what_was_terminated_is_gone_at_once(make: Make, bridge: FakeBridge) -> None:
    bridge.nodes = {name: node_view(name) for name in ("w1", "w2", "w3")}
    provider = make(on_head=True)
    provider.non_terminated_nodes({})
    assert set(provider.terminate_nodes(["w1", "w2"])) == {"w1", "w2"}
    provider.terminate_node("w3")
    assert all(provider.is_terminated(name) for name in ("w1", "w2", "w3"))
    assert bridge.calls == {"cluster": 1, "terminate": 2}


def test_many_threads_use_one_provider(make: Make, bridge: FakeBridge) -> None:
    provider = make(on_head=True)

    def work(number: int) -> str:
        (node_id,) = provider.create_node_with_resources_and_labels({}, WORKER_TAGS, 1, {"CPU": 1}, {})
        provider.set_node_tags(node_id, {"number": str(number)})
        assert provider.node_tags(node_id)["number"] == str(number)
        assert node_id in provider.non_terminated_nodes({"number": str(number)})
        return node_id

    with ThreadPoolExecutor(1) as pool:
        assert len(set(pool.map(work, range(20)))) == 20


# ---------------------------------------------------------------- workers


def test_workers_are_asked_for_and_not_awaited(make: Make, bridge: FakeBridge) -> None:
    made = make(on_head=True).create_node_with_resources_and_labels({}, WORKER_TAGS, 3, {"CPU": 1}, {})
    assert len(made) == 3
    assert bridge.calls == {"request_nodes": 1}


@pytest.mark.parametrize("method", ["non_terminated_nodes", "create_node", "set_node_tags", "terminate_nodes"])
def test_on_the_head_failures_go_to_the_autoscaler(make: Make, bridge: FakeBridge, method: str) -> None:
    for call in ("cluster", "request_nodes", "tag", "terminate"):
        bridge.fail[call] = RayOnGolemError("Not starting 1 worker(s)", "budget")
    arguments = {"non_terminated_nodes": ({},), "create_node": ({}, WORKER_TAGS, 1), "set_node_tags": ("w1", {})}
    with pytest.raises(RayOnGolemError, match="Not starting 1 worker"):
        getattr(make(on_head=True), method)(*arguments.get(method, (["w1"],)))


def test_what_the_budget_refused_is_not_asked_for_in_each_tick(make: Make, bridge: FakeBridge) -> None:
    bridge.fail["request_nodes"] = RayOnGolemError("The budget cannot carry another node", "budget")
    provider = make(on_head=True)
    for _ in range(5):
        with pytest.raises(RayOnGolemError, match="The budget cannot carry another node"):
            provider.create_node({}, WORKER_TAGS, 1)
    assert bridge.calls == {"request_nodes": 1}


def test_a_head_that_cannot_reach_its_bridge_still_starts_its_autoscaler(make: Make, bridge: FakeBridge) -> None:
    for call in ("ready", "cluster"):
        bridge.fail[call] = BridgeDownError("no tunnel yet")
    assert make(on_head=True)
    assert not bridge.calls


# ------------------------------------------------------------------- down


def test_a_command_on_a_bridge_that_is_down_ends_with_a_sentence(make: Make, bridge: FakeBridge) -> None:
    bridge.fail["cluster"] = BridgeDownError("The bridge at 127.0.0.1:4578 does not answer — start it: make up")
    provider = make()
    assert ends(lambda: provider.non_terminated_nodes({}))[0] == 1


def test_the_end_gives_the_rest_of_the_budget_back(
    make: Make, bridge: FakeBridge, capsys: pytest.CaptureFixture[str]
) -> None:
    make().cleanup_cluster_resources()
    assert bridge.closed
    assert "invoices are paid within a minute: ray-on-golem bill one" in plain(capsys)


def test_the_end_of_a_cluster_that_was_not_up_speaks_of_no_invoices(
    make: Make, bridge: FakeBridge, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge, "close_cluster", lambda name: {"name": name, "state": "closed"})
    make().cleanup_cluster_resources()
    shown = plain(capsys)
    assert "Cluster one was not up" in shown
    assert "invoices" not in shown
    bridge.nodes = {"head": node_view("head", "negotiating", tags=HEAD_TAGS)}
    provider = make()
    provider.terminate_node("head")
    provider.cleanup_cluster_resources()
    assert "was not up" not in plain(capsys), "it ended before Ray's pause was over"


def test_the_end_of_an_unknown_cluster_is_quiet(
    make: Make, bridge: FakeBridge, capsys: pytest.CaptureFixture[str]
) -> None:
    bridge.fail["close_cluster"] = RayOnGolemError("No cluster", "unknown_cluster")
    make().cleanup_cluster_resources()
    assert plain(capsys) == ""
    bridge.fail["close_cluster"] = BridgeDownError("The bridge does not answer")
    make().cleanup_cluster_resources()
    assert "The bridge does not answer — afterwards: ray-on-golem stop one" in plain(capsys)
