"""What the bridge tells of a cluster at ``/v1``: also of nodes that have ended, and why."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from tests.e2e.cluster import ClusterFile

TIMEOUT = 15
"""Seconds."""


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
    settings = cluster.settings
    request = urllib.request.Request(
        f"http://127.0.0.1:{settings.ports.bridge}/v1/clusters/{cluster.name}",
        headers={"Authorization": f"Bearer {settings.token_file.read_text(encoding='utf-8').strip()}"},
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
        body = json.load(answer)
    nodes = [
        Node(node["node_id"], node["state"], node["reason"], node["message"], Decimal(node["spent"]))
        for node in body["nodes"]
    ]
    return Told(body["incarnation"], body["state"], nodes)
