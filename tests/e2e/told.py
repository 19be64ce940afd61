"""What the bridge tells of a cluster at ``/v1``: also of nodes that have ended, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from appliance.bridge import Bridge
from tests.e2e.cluster import ClusterFile


@dataclass(frozen=True)
class Node:
    """``spent`` is what was accepted of its debit notes, in GLM."""

    node_id: str
    state: str
    reason: str | None
    message: str
    spent: Decimal


@dataclass(frozen=True)
class Told:
    """The newest incarnation."""

    incarnation: int
    state: str
    nodes: Sequence[Node]


def told_of(cluster: ClusterFile) -> Told:
    """One look."""
    body = Bridge(cluster.settings).ask(f"/v1/clusters/{cluster.name}")
    nodes = [
        Node(node["node_id"], node["state"], node["reason"], node["message"], Decimal(node["spent"]))
        for node in body["nodes"]
    ]
    return Told(body["incarnation"], body["state"], nodes)
