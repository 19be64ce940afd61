"""The bridge's nodes as Ray sees them, from one snapshot per tick."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable

from ray_on_golem.bridge import Bridge
from ray_on_golem.errors import RayOnGolemError

FRESH = 1.0
"""Seconds, on the host, where commands wait for one node."""

FRESH_ON_HEAD = 10.0
"""Seconds, on the head, whose autoscaler reads a snapshot in each of its ticks."""

ENDED = frozenset({"terminating", "terminated"})
COMING = frozenset({"agreed", "deploying", "starting", "bootstrapping"})
"""A provider has signed; the node runs soon, or its provider fails."""


@dataclass(frozen=True)
class NodeRecord:
    """One node of a snapshot."""

    node_id: str
    state: str
    ip: str | None
    message: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    host_key: str | None = None
    """What its sshd has to show, as OpenSSH writes it; None until it is known."""

    @classmethod
    def parse(cls, node: Mapping[str, Any]) -> NodeRecord:
        tags = dict(node["tags"])
        return cls(node["node_id"], node["state"], node["ip"], node["message"], tags, node["host_key"])

    @property
    def is_live(self) -> bool:
        return self.state not in ENDED

    @property
    def is_running(self) -> bool:
        return self.state == "running"

    @property
    def is_coming(self) -> bool:
        """It runs, or will in seconds: whoever starts Ray on it may begin, and waits for the rest with the bridge."""
        return self.is_running or self.state in COMING

    def matches(self, wanted: Mapping[str, str]) -> bool:
        """All wanted tags are there, with these values."""
        return all(self.tags.get(key) == value for key, value in wanted.items())


class Records:
    """Thread-safe cache of a cluster's nodes.

    ``fresh`` is for how many seconds a snapshot serves questions about single nodes.
    """

    def __init__(
        self, bridge: Bridge, cluster_name: str, *, fresh: float = FRESH, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._bridge = bridge
        self._name = cluster_name
        self._fresh = fresh
        self._clock = clock
        self._reading = threading.Lock()
        self._lock = threading.Lock()
        self._nodes: dict[str, NodeRecord] = {}
        self._read_at = float("-inf")
        self._puts = 0
        self._put_at: dict[str, int] = {}
        """Node id to the number of the last :meth:`put` about it."""

    def refresh(self) -> list[NodeRecord]:
        """One call to the bridge; a cluster it does not know has no nodes."""
        with self._reading:
            return self._read()

    def live(self) -> list[NodeRecord]:
        """The live nodes, asked for now."""
        return [node for node in self.refresh() if node.is_live]

    def get(self, node_id: str) -> NodeRecord:
        """A node; one the bridge does not know has ended."""
        if not self._is_fresh():
            with self._reading:
                # while this thread waited, another one may have read
                if not self._is_fresh():
                    self._read()
        with self._lock:
            return self._nodes.get(node_id) or NodeRecord(node_id, "terminated", None)

    def put(self, *nodes: Mapping[str, Any]) -> None:
        """What the bridge answered about single nodes."""
        with self._lock:
            self._puts += 1
            for node in nodes:
                self._nodes[node["node_id"]] = NodeRecord.parse(node)
                self._put_at[node["node_id"]] = self._puts

    def _is_fresh(self) -> bool:
        with self._lock:
            return self._clock() - self._read_at < self._fresh

    def _read(self) -> list[NodeRecord]:
        with self._lock:
            puts_before = self._puts
        try:
            nodes = self._bridge.cluster(self._name)["nodes"]
        except RayOnGolemError as error:
            if error.code != "unknown_cluster":
                raise
            nodes = []
        records = {node["node_id"]: NodeRecord.parse(node) for node in nodes}
        with self._lock:
            # what was put while the bridge was being asked is newer than its answer
            newer = [node_id for node_id, number in self._put_at.items() if number > puts_before]
            records.update({node_id: self._nodes[node_id] for node_id in newer})
            self._put_at = {node_id: self._put_at[node_id] for node_id in newer}
            self._nodes = records
            self._read_at = self._clock()
            return list(records.values())
