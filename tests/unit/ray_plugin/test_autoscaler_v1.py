"""Under Ray's first autoscaler (RAY_UP_enable_autoscaler_v2=0, and Ray 2.9)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from ray.autoscaler._private.autoscaler import StandardAutoscaler
from ray.autoscaler._private.load_metrics import LoadMetrics

from ray_on_golem.errors import BridgeDownError
from ray_on_golem.provider import node_provider
from tests.unit.ray_plugin.fake_bridge import FakeBridge, node_view
from tests.unit.ray_plugin.test_defaults import bootstrap, load

WORKER = "ray.worker.default"
MakeAutoscaler = Callable[..., StandardAutoscaler]


@pytest.fixture
def make_autoscaler(bridge: FakeBridge, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> MakeAutoscaler:
    """As on the head, but that it touches no node by ssh."""
    config = bootstrap(load("examples/minimal.yaml"))
    monkeypatch.setenv("ON_GOLEM_NETWORK", "1")
    monkeypatch.setattr(node_provider, "Bridge", lambda _place: bridge)
    config["provider"] = {
        "type": "external",
        "module": "ray_on_golem.provider.node_provider.GolemNodeProvider",
        "parameters": {"webserver_port": 4578},
        "disable_node_updaters": True,
        "disable_launch_config_check": True,
        "foreground_node_launch": True,
        "test": str(tmp_path),  # Ray keeps one provider for each configuration
    }
    tags = {"ray-node-type": "head", "ray-user-node-type": "ray.head.default", "ray-node-status": "up-to-date"}
    bridge.nodes = {"head": node_view("head", tags=tags, ip="192.168.0.3")}

    def make(*, max_workers: int = 1, min_workers: int = 0, max_failures: int = 5) -> StandardAutoscaler:
        types: dict[str, Any] = {**config["available_node_types"]}
        types[WORKER] = {**types[WORKER], "min_workers": min_workers, "max_workers": max_workers}
        live = {**config, "max_workers": max_workers, "available_node_types": types}
        return StandardAutoscaler(
            lambda: live,
            LoadMetrics(),
            MagicMock(),
            max_failures=max_failures,
            update_interval_s=0,
            prom_metrics=MagicMock(),
        )

    return make


def test_a_tick_is_one_call(make_autoscaler: MakeAutoscaler, bridge: FakeBridge) -> None:
    tags = {"ray-node-type": "worker", "ray-user-node-type": WORKER, "ray-node-status": "up-to-date"}
    for number in range(50):
        node_id = f"w{number}"
        bridge.nodes[node_id] = node_view(node_id, tags={**tags}, ip=f"192.168.1.{number}")
    autoscaler = make_autoscaler(max_workers=50, min_workers=50)
    for tick in range(1, 4):
        autoscaler.update()
        assert bridge.calls == {"cluster": tick}
    assert autoscaler.num_failures == 0


def test_workers_wanted_are_asked_for_once(make_autoscaler: MakeAutoscaler, bridge: FakeBridge) -> None:
    autoscaler = make_autoscaler(max_workers=3, min_workers=3)
    for _ in range(3):
        autoscaler.update()
    asked = [node for node in bridge.nodes.values() if node["kind"] == "worker"]
    assert [node["node_type"] for node in asked] == [WORKER] * 3


def test_a_bad_minute_is_survived(make_autoscaler: MakeAutoscaler, bridge: FakeBridge) -> None:
    """The start command raises the number of failures, see ``defaults``; what is wrong must be one tick each."""
    autoscaler = make_autoscaler(max_workers=1, min_workers=1, max_failures=1_000_000)
    bridge.fail["cluster"] = BridgeDownError("The tunnel to the bridge does not answer")
    for _ in range(60):
        autoscaler.update()
    del bridge.fail["cluster"]
    autoscaler.update()
    assert bridge.calls["request_nodes"] == 1
