"""From the cluster file to what the bridge is asked for. Upstream's keys are all accepted.

Keys that have no effect here say so in ``WITHOUT_EFFECT``, with the reason.
"""

from __future__ import annotations

import copy
import difflib
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from ray_on_golem.errors import RayOnGolemError

PARAMETERS = ("webserver_port", "token_file", "payment_network", "total_budget", "node_config")
NODE_CONFIG = ("subnet_tag", "demand", "budget_control")
DEMAND = (
    "image_tag",
    "image_hash",
    "capabilities",
    "min_mem_gib",
    "min_cpu_threads",
    "min_storage_gib",
    "max_cpu_threads",
    "runtime",
)
BUDGET_CONTROL = ("max_start_price", "max_cpu_per_hour_price", "max_env_per_hour_price")

WITHOUT_EFFECT: Mapping[str, str] = {
    "webserver_datadir": "the appliance keeps its data in Docker volumes",
    "enable_registry_stats": "images are looked up without being counted",
    "ray_gcs_expose_port": "use: ray dashboard, or ray attach with -p",
    "payment_driver": "the appliance's network has one driver",
    "priority_subnet_tag": "all providers of the subnet are asked at once",
    "node_descriptor": "no provider of today asks for it",
    "outbound_urls": "nodes get no way out yet",
    "per_cpu_expected_usage": "offers are compared by the price of their first busy hour",
    "payment_interval_hours": "the appliance sets it, see PAYMENT_TIMEOUT",
}
DEFAULT_BUDGET = "5"
"""GLM, as upstream."""


def cluster_spec(config: Mapping[str, Any], public_key: str) -> dict[str, Any]:
    """Body of ``PUT /v1/clusters/{name}`` from a whole cluster config. Raises RayOnGolemError."""
    parameters = config["provider"].get("parameters") or {}
    check_parameters(parameters)
    common = parameters.get("node_config") or {}
    node_types = {
        name: _node_config(name, merged(common, node_type.get("node_config") or {}))
        for name, node_type in config["available_node_types"].items()
    }
    return {
        "total_budget": str(_budget(parameters.get("total_budget", DEFAULT_BUDGET))),
        "max_workers": config["max_workers"],
        "head_node_type": config["head_node_type"],
        "node_types": node_types,
        "ssh_public_key": public_key,
    }


def check_parameters(parameters: Mapping[str, Any]) -> None:
    """Raises RayOnGolemError for an unknown key, naming the nearest right one."""
    _check_keys("provider.parameters", parameters, PARAMETERS)
    _budget(parameters.get("total_budget", DEFAULT_BUDGET))


def keys_without_effect(config: Mapping[str, Any]) -> list[str]:
    """Those of ``WITHOUT_EFFECT`` that the file sets, in the order of the table."""
    parameters = config["provider"].get("parameters") or {}
    node_configs = [parameters.get("node_config") or {}]
    node_configs += [node_type.get("node_config") or {} for node_type in config["available_node_types"].values()]
    used = set(parameters)
    for node_config in node_configs:
        used |= set(node_config) | set(node_config.get("demand") or {}) | set(node_config.get("budget_control") or {})
    return [key for key in WITHOUT_EFFECT if key in used]


def merged(common: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """``own`` over ``common``, mappings key by key; lists are replaced, not joined."""
    result = copy.deepcopy(dict(common))
    for key, value in own.items():
        if isinstance(value, Mapping) and isinstance(result.get(key), Mapping):
            result[key] = merged(result[key], value)
        else:
            result[key] = copy.deepcopy(value)
    return result


def _node_config(node_type: str, config: Mapping[str, Any]) -> dict[str, Any]:
    where = f"node_config of {node_type}"
    _check_keys(where, config, NODE_CONFIG)
    demand, limits = config.get("demand") or {}, config.get("budget_control") or {}
    _check_keys(f"{where}.demand", demand, DEMAND)
    _check_keys(f"{where}.budget_control", limits, BUDGET_CONTROL)
    if bool(demand.get("image_tag")) == bool(demand.get("image_hash")):
        raise RayOnGolemError(
            f"{where} names no image, or two — set one of demand.image_tag and demand.image_hash in the cluster file"
        )
    return {
        "subnet_tag": config.get("subnet_tag"),
        "demand": {key: demand[key] for key in DEMAND if demand.get(key) is not None},
        "budget_control": {key: str(limits[key]) for key in BUDGET_CONTROL if limits.get(key) is not None},
    }


def _check_keys(where: str, found: Mapping[str, Any], known: Iterable[str]) -> None:
    allowed = [*known, *WITHOUT_EFFECT]
    for key in found:
        if key not in allowed:
            near = difflib.get_close_matches(str(key), allowed, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
            raise RayOnGolemError(f"Unknown key {key!r} in {where} — {hint} — correct the cluster file")


def _budget(value: object) -> Decimal:
    try:
        budget = Decimal(str(value))
    except InvalidOperation:
        budget = Decimal("NaN")
    if not budget.is_finite() or budget <= 0:
        raise RayOnGolemError(f"total_budget must be more than 0 GLM — it is {value!r} — correct the cluster file")
    return budget
