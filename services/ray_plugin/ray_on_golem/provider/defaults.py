"""What a cluster file may leave out."""

from __future__ import annotations

import copy
from typing import Any

METRICS_PORT = 8090

_START = (
    "(pgrep -x raylet >/dev/null && ray stop --force || true); ulimit -n 65536 2>/dev/null; "
    "AUTOSCALER_UPDATE_INTERVAL_S=1 ray start {where} --node-ip-address=$NODE_IP "
    f"--metrics-export-port={METRICS_PORT} --object-store-memory=209715200 --disable-usage-stats"
)
HEAD_START = _START.format(where="--head --port=6379 --dashboard-host=127.0.0.1") + (
    " --autoscaling-config=~/ray_bootstrap_config.yaml"
)
WORKER_START = _START.format(where="--address=$RAY_HEAD_IP:6379")


def fill_defaults(config: dict[str, Any]) -> dict[str, Any]:
    """The config with everything Ray and the bridge need; what is there is kept."""
    filled = copy.deepcopy(config)
    for key in ("file_mounts",):
        filled.setdefault(key, {})
    for key in ("cluster_synced_files", "initialization_commands", "rsync_exclude", "rsync_filter"):
        filled.setdefault(key, [])
    if not filled.get("head_start_ray_commands"):
        filled["head_start_ray_commands"] = [HEAD_START]
    if not filled.get("worker_start_ray_commands"):
        filled["worker_start_ray_commands"] = [WORKER_START]
    filled.setdefault("auth", {}).setdefault("ssh_user", "root")
    for node_type in filled.get("available_node_types", {}).values():
        node_type.setdefault("node_config", {})
        node_type.setdefault("resources", {})
    filled["provider"].setdefault("use_internal_ips", True)
    return filled
