"""Under the newest Ray's autoscaler, which wraps providers of the older kind."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ray.autoscaler.v2.instance_manager.node_provider import NodeProviderAdapter
from ray.core.generated import instance_manager_pb2

from ray_on_golem.errors import RayOnGolemError
from tests.unit.ray_plugin.commands import HEAD_TAGS, WORKER_TAGS
from tests.unit.ray_plugin.conftest import Make
from tests.unit.ray_plugin.fake_bridge import FakeBridge, node_view


@pytest.fixture
def adapter(make: Make) -> NodeProviderAdapter:
    config = SimpleNamespace(
        get_cloud_node_config=lambda _node_type: {},
        get_node_resources=lambda _node_type: {"CPU": 1},
        get_node_labels=lambda _node_type: {},
        get_config=lambda _key, default: default,
    )
    reader = SimpleNamespace(get_cached_autoscaling_config=lambda: config)
    return NodeProviderAdapter(make(on_head=True), reader)  # type: ignore[arg-type]


def test_a_tick_is_one_call(adapter: NodeProviderAdapter, bridge: FakeBridge) -> None:
    bridge.nodes = {f"w{number}": node_view(f"w{number}", tags=WORKER_TAGS) for number in range(50)}
    bridge.nodes["starting"] = node_view("starting", "deploying", tags=WORKER_TAGS)
    bridge.nodes["waiting"] = node_view("waiting", "negotiating", tags=WORKER_TAGS)
    bridge.nodes["gone"] = node_view("gone", "terminating", tags=WORKER_TAGS)
    bridge.nodes["head"] = node_view("head", tags=HEAD_TAGS)
    seen = adapter.get_non_terminated()
    assert len(seen) == 53
    assert bridge.calls == {"cluster": 1}
    kinds = instance_manager_pb2.NodeKind  # type: ignore[attr-defined]
    assert (seen["head"].node_kind, seen["w1"].node_kind) == (kinds.HEAD, kinds.WORKER)
    assert [seen[node].is_running for node in ("w1", "starting", "waiting")] == [True, True, False]


def test_what_it_launches_it_sees_at_once(adapter: NodeProviderAdapter, bridge: FakeBridge) -> None:
    adapter._launch_nodes_by_type("worker", 3, "request-1")
    seen = adapter.get_non_terminated()
    assert [(node.node_type, node.request_id, node.is_running) for node in seen.values()] == [
        ("worker", "request-1", False)
    ] * 3
    assert adapter.poll_errors() == []


def test_why_it_cannot_launch_reaches_it(adapter: NodeProviderAdapter, bridge: FakeBridge) -> None:
    bridge.fail["request_nodes"] = RayOnGolemError("The budget cannot carry another node", "budget")
    adapter._launch_nodes_by_type("worker", 1, "request-1")
    (error,) = adapter.poll_errors()
    assert str(error.__cause__) == "The budget cannot carry another node"
