"""What the bridge will not do for a while: an autoscaler asks again in each tick, with a line in its log each time."""

from __future__ import annotations

import threading
import time
from typing import Callable

from ray_on_golem.errors import RayOnGolemError

HOLD = 15.0
"""Seconds."""

LASTING = frozenset({"budget"})
"""Codes of refusals that the next tick will not change."""


class Refusals:
    """By node type. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._until: dict[str, tuple[float, RayOnGolemError]] = {}

    def check(self, node_type: str) -> None:
        """Raises what the bridge said, while it can be taken as still said."""
        with self._lock:
            until, error = self._until.get(node_type, (float("-inf"), None))
            if error is not None and self._clock() < until:
                raise RayOnGolemError(error.message, error.code, error.status)

    def remember(self, node_type: str, error: RayOnGolemError) -> None:
        if error.code in LASTING:
            with self._lock:
                self._until[node_type] = (self._clock() + HOLD, error)
