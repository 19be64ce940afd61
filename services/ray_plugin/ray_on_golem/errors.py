"""What the user is told when something fails: one sentence with the next command."""

from __future__ import annotations


class RayOnGolemError(Exception):
    """``code`` is the bridge's stable name of the failure, or one of ours; ``status`` is HTTP's, if there was one."""

    def __init__(self, message: str, code: str = "plugin", status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status


class BridgeDownError(RayOnGolemError):
    """Nobody answers."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "bridge_down")
