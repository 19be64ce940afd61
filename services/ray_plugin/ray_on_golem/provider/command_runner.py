"""ssh as Ray does it, without its five-second naps: the bridge says when a node is ready."""

from __future__ import annotations

import time
from typing import Any, Callable

from ray.autoscaler._private.command_runner import SSHCommandRunner

WaitUntilRunning = Callable[[str, float], str]
"""(node id, deadline in unix seconds) to the node's address; raises when it ended."""


class GolemCommandRunner(SSHCommandRunner):
    """Ray's own runner; only waiting is different."""

    def __init__(self, *, wait_until_running: WaitUntilRunning, **arguments: Any) -> None:
        super().__init__(**arguments)  # type: ignore[no-untyped-call]
        self._wait_until_running = wait_until_running

    def _wait_for_ip(self, deadline: float) -> str:
        return self._wait_until_running(self.node_id, max(deadline, time.time()))
