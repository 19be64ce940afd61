"""Waiting for a node to run, with its progress shown; a bridge that starts anew meanwhile is waited for, too."""

from __future__ import annotations

import time
from typing import Any, Callable

from ray_on_golem.bridge import Bridge
from ray_on_golem.errors import BridgeDownError, RayOnGolemError
from ray_on_golem.provider.records import ENDED

WAIT = 20.0
"""Seconds one long poll for a node's progress lasts."""

OUTAGE = 60.0
"""Seconds the bridge may be away."""

PAUSE = 1.0
"""Seconds between two tries to reach it."""


class Waiter:
    """``tell`` gets the node after each answer; ``clock`` is monotonic seconds."""

    def __init__(
        self,
        bridge: Bridge,
        cluster_name: str,
        tell: Callable[[dict[str, Any]], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._bridge = bridge
        self._name = cluster_name
        self._tell = tell
        self._clock = clock
        self._sleep = sleep

    def until_running(self, node_id: str, *, seconds: float = float("inf")) -> dict[str, Any]:
        """The running node. Raises RayOnGolemError when it ended, or is not running after ``seconds``."""
        deadline = self._clock() + seconds
        seen: str | None = None
        while True:
            node = self._ask(node_id, seen)
            self._tell(node)
            seen = str(node["message"])
            if node["state"] == "running":
                return node
            if node["state"] in ENDED:
                raise RayOnGolemError(seen, node["reason"] or "ended")
            if self._clock() > deadline:
                raise RayOnGolemError(f"Node {node_id} is not running yet — {seen} — see: ray-on-golem status")

    def _ask(self, node_id: str, seen: str | None) -> dict[str, Any]:
        give_up_at = self._clock() + OUTAGE
        while True:
            try:
                return self._bridge.wait_for_node(self._name, node_id, seconds=WAIT, message_seen=seen)
            except BridgeDownError:
                if self._clock() > give_up_at:
                    raise
            self._sleep(PAUSE)
