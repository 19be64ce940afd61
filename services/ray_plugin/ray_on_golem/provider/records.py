"""The bridge's nodes as Ray sees them, from one snapshot per tick."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ray_on_golem.bridge import Bridge
from ray_on_golem.errors import RayOnGolemError

FRESH = 1.0
"""Seconds a snapshot serves questions about single nodes."""

ENDED = frozenset({"terminating", "terminated"})


@dataclass(frozen=True)
class NodeRecord:
    """One node of a snapshot."""

    node_id: str
    state: str
    ip: str | None
    message: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, node: Mapping[str, Any]) -> NodeRecord:
        return cls(node["node_id"], node["state"], node["ip"], node["message"], dict(node["tags"]))

    @property
    def is_live(self) -> bool:
        return self.state not in ENDED

    @property
    def is_running(self) -> bool:
        return self.state == "running"

    def matches(self, wanted: Mapping[str, str]) -> bool:
        """All wanted tags are there, with these values."""
        return all(self.tags.get(key) == value for key, value in wanted.items())


class Records:
    """Thread-safe cache of a cluster's nodes."""

    def __init__(self, bridge: Bridge, cluster_name: str) -> None:
        self._bridge = bridge
        self._name = cluster_name
        self._lock = threading.Lock()
        self._nodes: dict[str, NodeRecord] = {}
        self._read_at = float("-inf")

    def refresh(self) -> list[NodeRecord]:
        """One call to the bridge; a cluster it does not know has no nodes."""
        try:
            nodes = self._bridge.cluster(self._name)["nodes"]
        except RayOnGolemError as error:
            if error.code != "unknown_cluster":
                raise
            nodes = []
        records = {node["node_id"]: NodeRecord.parse(node) for node in nodes}
        with self._lock:
            self._nodes = records
            self._read_at = time.monotonic()
        return list(records.values())

    def get(self, node_id: str) -> NodeRecord:
        """A node; one the bridge does not know has ended."""
        with self._lock:
            record = self._nodes.get(node_id)
            fresh = time.monotonic() - self._read_at < FRESH
        if record is None or not fresh:
            self.refresh()
            with self._lock:
                record = self._nodes.get(node_id)
        return record or NodeRecord(node_id, "terminated", None)

    def put(self, *nodes: Mapping[str, Any]) -> None:
        """What the bridge answered about single nodes."""
        with self._lock:
            for node in nodes:
                self._nodes[node["node_id"]] = NodeRecord.parse(node)
