"""What is looked at before anything is changed."""

from __future__ import annotations

import socket
import subprocess

from appliance.settings import Settings
from appliance.steps import StepError

TIMEOUT = 20
"""Seconds for one question to Docker."""


def check_ports(settings: Settings) -> None:
    """Every port to publish is free, or held by this very appliance. Raises StepError."""
    for key, port in settings.ports.by_key().items():
        check_port(settings.project, key, port)


def check_port(project: str, key: str, port: int, *, place: str = ".env") -> None:
    """A port is free, or held by this compose project. Raises StepError."""
    if _is_taken(port) and not _is_ours(project, port):
        raise StepError(
            f"Port {port} on 127.0.0.1 is taken by another program — nothing was changed — "
            f"end that program, or choose another port: {key}={port + 1} in {place}"
        )


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False


def _is_ours(project: str, port: int) -> bool:
    label = f"label=com.docker.compose.project={project}"
    command = ["docker", "ps", "--quiet", "--filter", label, "--filter", f"publish={port}"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False  # without Docker nothing is ours
    return found.returncode == 0 and bool(found.stdout.strip())
