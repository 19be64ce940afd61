"""How a start can end early."""

from __future__ import annotations


class StartError(Exception):
    """The daemon cannot be used; the message says what failed, the observed value, the next command."""


class StopRequested(Exception):  # noqa: N818 - not an error: somebody stopped the container while it waited
    """SIGTERM or SIGINT came during a wait."""
