"""Older spellings in upstream's cluster files, and networks that are no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ray_on_golem.errors import RayOnGolemError

RENAMED: Mapping[str, str] = {"network": "payment_network", "budget": "total_budget"}
"""Keys of ``provider.parameters`` up to ray-on-golem 0.1."""

ONCE_IN_NODE_CONFIG = (
    "image_tag",
    "image_hash",
    "capabilities",
    "min_mem_gib",
    "min_cpu_threads",
    "min_storage_gib",
)
"""They stood in ``node_config`` itself before there was ``demand``."""

CLOSED_NETWORKS = frozenset({"goerli", "holesky", "rinkeby"})
"""Test networks older files name; they have been shut down."""

TEST_NETWORKS = frozenset({"devnet", "hoodi"})
"""What the appliance can run on without real money."""


def modern_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """``provider.parameters`` with today's keys; where both spellings are there, today's wins."""
    result = dict(parameters)
    for old, new in RENAMED.items():
        if old in result:
            value = result.pop(old)
            result.setdefault(new, value)
    if isinstance(result.get("node_config"), Mapping):
        result["node_config"] = modern_node_config(result["node_config"])
    return result


def modern_node_config(node_config: Mapping[str, Any]) -> dict[str, Any]:
    """A ``node_config`` whose demand has a section of its own."""
    result = dict(node_config)
    flat = {key: result.pop(key) for key in ONCE_IN_NODE_CONFIG if key in result}
    if flat:
        demand = result.get("demand") or {}
        result["demand"] = {**flat, **demand} if isinstance(demand, Mapping) else demand
    return result


def check_network(wanted: str | None, actual: str) -> str | None:
    """A remark for the user, or None. Raises RayOnGolemError if the file means another network than the appliance's.

    A closed test network is taken for the test network of today; never for one with real money.
    """
    if wanted is None or wanted == actual:
        return None
    if wanted in CLOSED_NETWORKS and actual in TEST_NETWORKS:
        return f"Network {wanted!r} of the cluster file is closed; the appliance's test network {actual!r} is used"
    raise RayOnGolemError(
        f"The cluster file is for network {wanted!r}, the appliance runs on {actual!r} — change "
        "payment_network in the cluster file, or GOLEM_NETWORK in the appliance's .env and run: make up"
    )
