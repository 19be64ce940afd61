"""What the user is told when something fails: one sentence with the next command."""

from __future__ import annotations


class RayOnGolemError(Exception):
    """``code`` is the bridge's stable name of the failure, or one of ours; ``status`` is HTTP's, if there was one."""

    def __init__(self, message: str, code: str = "plugin", status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status

    @property
    def is_refusal(self) -> bool:
        """The bridge said no, so nothing came of the request; any other failure leaves that open."""
        return self.status is not None and 400 <= self.status < 500


class BridgeDownError(RayOnGolemError):
    """Nobody answers."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "bridge_down")
