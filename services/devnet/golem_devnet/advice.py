"""The next command within a message: for the compose project whose container says it."""

from __future__ import annotations

import os


def compose(command: str) -> str:
    """``docker compose`` as it must be called outside; compose tells the container its project's name."""
    return f"docker compose -p {os.environ.get('PROJECT', 'ray-on-golem')} {command}"
