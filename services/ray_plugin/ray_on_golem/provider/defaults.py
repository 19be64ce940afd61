"""What a cluster file may leave out."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from ray_on_golem.config import merged
from ray_on_golem.legacy import modern_node_config, modern_parameters

METRICS_PORT = 8090

_START = (
    "(pgrep -x raylet >/dev/null && ray stop --force || true); ulimit -n 65536 2>/dev/null; "
    "AUTOSCALER_UPDATE_INTERVAL_S=1 AUTOSCALER_MAX_NUM_FAILURES=1000000 "
    "RAY_health_check_failure_threshold=3 RAY_health_check_timeout_ms=7000 "
    "GRPC_ENABLE_FORK_SUPPORT=0 "
    "ray start {where} --node-ip-address=$NODE_IP "
    f"--metrics-export-port={METRICS_PORT} --object-store-memory=209715200 --disable-usage-stats"
)
"""An autoscaler that counts failures (Ray's first one) would give up for good after five: a tunnel's bad minute.

Ray asks each node every 3 s whether it lives. Left alone it waits 10 s for an answer, five times: more than a minute,
in which tasks wait for a node that has vanished. So it is half a minute.

Each program that comes by Ray Client gets a server, forked by one in which gRPC has threads. gRPC's handlers of
forks, if left on, now and then end the child before it has begun, and the program is refused ("Starting Ray client
server failed"; in the log "Check failed: next_worker->state == KICKED"; seen with Ray 2.60).
"""

HEAD_START = _START.format(where="--head --port=6379 --dashboard-host=127.0.0.1") + (
    " --autoscaling-config=~/ray_bootstrap_config.yaml"
)
WORKER_START = _START.format(where="--address=$RAY_HEAD_IP:6379")

IDLE_TIMEOUT = 5
"""Minutes; Ray's first autoscaler stumbles where there is none."""

LEGACY_FIELDS = ("head_node", "worker_nodes")
"""Upstream's files set them to true, to please an older Ray; today's refuses them."""

COMMANDS = ("initialization_commands", "setup_commands", "head_setup_commands", "worker_setup_commands")


def fill_defaults(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config with everything Ray and the bridge need; what is there is kept."""
    filled = copy.deepcopy(dict(config))
    for field in LEGACY_FIELDS:
        filled.pop(field, None)
    _fill_empty(filled, ("file_mounts",), {})
    _fill_empty(filled, ("cluster_synced_files", "rsync_exclude", "rsync_filter", *COMMANDS), [])
    _fill_empty(filled, ("head_start_ray_commands",), [HEAD_START])
    _fill_empty(filled, ("worker_start_ray_commands",), [WORKER_START])
    filled.setdefault("idle_timeout_minutes", IDLE_TIMEOUT)
    filled["auth"] = {"ssh_user": "root", **(filled.get("auth") or {})}
    filled["provider"].setdefault("use_internal_ips", True)
    _fill_node_types(filled)
    return filled


def _fill_empty(filled: dict[str, Any], keys: tuple[str, ...], value: Any) -> None:
    for key in keys:
        if not filled.get(key):
            filled[key] = copy.deepcopy(value)


def _fill_node_types(filled: dict[str, Any]) -> None:
    common = modern_parameters(_mapping(filled["provider"].get("parameters"))).get("node_config")
    for name, node_type in filled.get("available_node_types", {}).items():
        own = node_type["node_config"] = node_type.get("node_config") or {}
        node_type.setdefault("resources", {})
        if not node_type["resources"] and name != filled.get("head_node_type"):
            # a type without resources would never be chosen by the autoscaler: it cannot know that it helps
            node_type["resources"] = {"CPU": _threads(_mapping(common), _mapping(own))}


def _threads(common: Mapping[str, Any], own: Mapping[str, Any]) -> int:
    """The least a node of the type will have; what is not a number is complained of later."""
    least = _mapping(merged(common, modern_node_config(own)).get("demand")).get("min_cpu_threads")
    return max(1, least) if isinstance(least, int) else 1


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
