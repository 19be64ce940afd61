"""From the cluster file to what the bridge is asked for. Upstream's keys are all accepted.

Keys that have no effect here say so in ``WITHOUT_EFFECT``, with the reason.
"""

from __future__ import annotations

import copy
import difflib
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from ray_on_golem.errors import RayOnGolemError
from ray_on_golem.legacy import modern_node_config, modern_parameters

PARAMETERS, NODE_CONFIG = "provider.parameters", "node_config"
DEMAND, BUDGET_CONTROL = "node_config.demand", "node_config.budget_control"
EXPECTED_USAGE = "node_config.budget_control.per_cpu_expected_usage"
PAYMENT_INTERVAL = "node_config.budget_control.payment_interval_hours"

KEYS: Mapping[str, tuple[str, ...]] = {
    PARAMETERS: (
        "payment_network",
        "total_budget",
        "node_config",
        "webserver_port",
        "token_file",
        "webserver_datadir",
        "enable_registry_stats",
        "ray_gcs_expose_port",
        "payment_driver",
    ),
    NODE_CONFIG: ("subnet_tag", "priority_subnet_tag", "demand", "budget_control"),
    DEMAND: (
        "image_tag",
        "image_hash",
        "capabilities",
        "min_mem_gib",
        "min_cpu_threads",
        "min_storage_gib",
        "max_cpu_threads",
        "runtime",
        "node_descriptor",
        "outbound_urls",
    ),
    BUDGET_CONTROL: (
        "max_start_price",
        "max_cpu_per_hour_price",
        "max_env_per_hour_price",
        "per_cpu_expected_usage",
        "payment_interval_hours",
    ),
    EXPECTED_USAGE: ("cpu_load", "duration_hours", "max_cost"),
    PAYMENT_INTERVAL: ("minimal", "optimal"),
}
"""What may stand where in a cluster file."""

WITHOUT_EFFECT: Mapping[str, str] = {
    "webserver_datadir": "the appliance keeps its data in Docker volumes",
    "enable_registry_stats": "images are looked up without being counted",
    "ray_gcs_expose_port": "use: ray dashboard, or ray attach with -p",
    "payment_driver": "the appliance's network has one driver",
    "node_descriptor": "no provider of today asks for it",
    "payment_interval_hours": "the appliance sets it, see PAYMENT_TIMEOUT",
}
USUAL_SUBNET = "public"
"""In upstream's files: the subnet of the network's providers, whatever the network."""

DEFAULT_BUDGET = "5"
"""GLM, as upstream."""

CLUSTER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
"""As the bridge wants it; it is also a folder's name, see ``keys``."""


def cluster_spec(config: Mapping[str, Any]) -> dict[str, Any]:
    """Body of ``PUT /v1/clusters/{name}``, but for the ssh key. Raises RayOnGolemError."""
    if not CLUSTER_NAME.fullmatch(str(config["cluster_name"])):
        raise RayOnGolemError(
            f"cluster_name {config['cluster_name']!r} cannot be used — letters, digits and . _ - are allowed, "
            "63 at most — correct the cluster file"
        )
    parameters = parameters_of(config)
    common = parameters.get("node_config") or {}
    node_types = {
        name: bridge_node_config(name, merged(common, modern_node_config(node_type.get("node_config") or {})))
        for name, node_type in config["available_node_types"].items()
    }
    return {
        "total_budget": str(_budget(parameters.get("total_budget", DEFAULT_BUDGET))),
        "max_workers": config["max_workers"],
        "head_node_type": config["head_node_type"],
        "node_types": node_types,
    }


def check_user(auth: Mapping[str, Any]) -> None:
    """Ray would knock for a quarter of an hour, at a node that costs. Raises RayOnGolemError."""
    user = auth["ssh_user"]
    if user != "root":
        raise RayOnGolemError(
            f"auth.ssh_user must be root — it is {user!r}, and nodes have only root — correct the cluster file"
        )


def check_docker(docker: Mapping[str, Any]) -> None:
    """Ray would take it that its commands run in a container. Raises RayOnGolemError."""
    for key in ("image", "head_image", "worker_image"):
        if docker.get(key):
            raise RayOnGolemError(
                f"docker.{key} {docker[key]!r} cannot be had: a node's own system is the image that demand.image_tag "
                "names, and no container runs in it — take the docker section out of the cluster file"
            )


def parameters_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """``provider.parameters`` in today's spelling. Raises RayOnGolemError for unknown keys and bad values."""
    written = config["provider"].get("parameters") or {}
    _check_mapping(PARAMETERS, written)
    parameters = modern_parameters(written)
    _check_keys(PARAMETERS, PARAMETERS, parameters)
    _check_mapping(f"{PARAMETERS}.node_config", parameters.get("node_config") or {})
    _budget(parameters.get("total_budget", DEFAULT_BUDGET))
    port = parameters.get("webserver_port")
    if port is not None and (not isinstance(port, int) or not 0 < port < 1 << 16):
        raise RayOnGolemError(f"webserver_port must be a port number — it is {port!r} — correct the cluster file")
    return parameters


def keys_without_effect(config: Mapping[str, Any]) -> list[str]:
    """Those of ``WITHOUT_EFFECT`` that the file sets, in the order of the table."""
    parameters = modern_parameters(config["provider"].get("parameters") or {})
    node_configs = [parameters.get("node_config") or {}]
    node_configs += [node_type.get("node_config") or {} for node_type in config["available_node_types"].values()]
    used = {key for key, value in parameters.items() if value is not None}
    for node_config in node_configs:
        for part in (node_config.get("demand") or {}, node_config.get("budget_control") or {}):
            used |= {key for key, value in part.items() if value is not None}
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


def bridge_node_config(node_type: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """What the bridge is told of a node type whose ``node_config`` is whole. Raises RayOnGolemError."""
    where = f"node_config of {node_type}"
    _check_keys(where, NODE_CONFIG, config)
    demand, limits = config.get("demand") or {}, config.get("budget_control") or {}
    _check_keys(f"{where}.demand", DEMAND, demand)
    _check_keys(f"{where}.budget_control", BUDGET_CONTROL, limits)
    usage = limits.get("per_cpu_expected_usage") or {}
    _check_keys(f"{where}.budget_control.per_cpu_expected_usage", EXPECTED_USAGE, usage)
    interval = limits.get("payment_interval_hours") or {}
    _check_keys(f"{where}.budget_control.payment_interval_hours", PAYMENT_INTERVAL, interval)
    if bool(demand.get("image_tag")) == bool(demand.get("image_hash")):
        raise RayOnGolemError(
            f"{where} names no image, or two — set one of demand.image_tag and demand.image_hash in the cluster file"
        )
    control: dict[str, Any] = _texts(_effective(limits, BUDGET_CONTROL, but=("per_cpu_expected_usage",)))
    if usage:
        control["per_cpu_expected_usage"] = _texts(_effective(usage, EXPECTED_USAGE))
    subnets = _effective(config, NODE_CONFIG, but=("demand", "budget_control"))
    if subnets.get("subnet_tag") == USUAL_SUBNET:
        del subnets["subnet_tag"]
    return {
        **subnets,
        "demand": _effective(demand, DEMAND),
        "budget_control": control,
    }


def _effective(found: Mapping[str, Any], level: str, but: tuple[str, ...] = ()) -> dict[str, Any]:
    """What is set and means something to the bridge."""
    return {
        key: found[key]
        for key in KEYS[level]
        if found.get(key) is not None and key not in WITHOUT_EFFECT and key not in but
    }


def _texts(amounts: Mapping[str, Any]) -> dict[str, str]:
    """Decimal numbers travel as text."""
    return {key: str(value) for key, value in amounts.items()}


def _check_keys(where: str, level: str, found: Mapping[str, Any]) -> None:
    """Raises RayOnGolemError for an unknown key: with its right place, or the nearest right one."""
    _check_mapping(where, found)
    for key in found:
        if key not in KEYS[level]:
            raise RayOnGolemError(f"Unknown key {key!r} in {where} — {_hint(key, level)} — correct the cluster file")


def _check_mapping(where: str, found: object) -> None:
    if not isinstance(found, Mapping):
        raise RayOnGolemError(f"{where} must hold keys and values — it is {found!r} — correct the cluster file")


def _hint(key: object, level: str) -> str:
    for elsewhere, known in KEYS.items():
        if key in known:
            return f"it belongs under {elsewhere}"
    near = difflib.get_close_matches(str(key), KEYS[level], n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(KEYS[level])}"


def _budget(value: object) -> Decimal:
    try:
        budget = Decimal(str(value))
    except InvalidOperation:
        budget = Decimal("NaN")
    if not budget.is_finite() or budget <= 0:
        raise RayOnGolemError(f"total_budget must be more than 0 GLM — it is {value!r} — correct the cluster file")
    return budget
