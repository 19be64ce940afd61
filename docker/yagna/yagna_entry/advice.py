"""The next command within a message: for the compose project whose container says it."""

from __future__ import annotations

import os


def project() -> str:
    """compose tells the container its project's name."""
    return os.environ.get("PROJECT", "ray-on-golem")


def compose(command: str) -> str:
    """``docker compose`` as it must be called outside."""
    return f"docker compose -p {project()} {command}"


def logs(service: str) -> str:
    """Where a service of this project tells more."""
    return f"see {compose(f'logs {service}')}"
