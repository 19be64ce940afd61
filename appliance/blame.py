"""Which containers did not come up, and what they said last: compose itself only says that one is unhealthy."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence

from appliance.paths import ROOT
from appliance.shell import compose_rows

TIMEOUT = 30
"""Seconds for one question to Docker."""

LAST_WORDS = 3
"""Lines of a container's log."""


def last_words(compose: Sequence[str], environment: Mapping[str, str]) -> str:
    """One paragraph per container that failed; "" if none did or Docker does not answer.

    ``compose`` is how ``docker compose`` is called for this appliance.
    """
    paragraphs = []
    for service in failed_services(_ask([*compose, "ps", "--all", "--format", "json"], environment)):
        command = [*compose, "logs", "--no-log-prefix", "--tail", str(LAST_WORDS), service]
        said = _ask(command, environment).strip()
        paragraphs.append("".join(f"\n   {service}: {line}" for line in unique(said.splitlines())))
    return "".join(paragraphs)


def failed_services(listing: str) -> list[str]:
    """From the output of ``docker compose ps --all --format json``."""
    failed = []
    for container in compose_rows(listing):
        state, health, code = container["State"], container.get("Health", ""), container.get("ExitCode", 0)
        if state == "restarting" or health == "unhealthy" or (state in {"exited", "dead"} and code != 0):
            failed.append(str(container["Service"]))
    return failed


def unique(lines: Sequence[str]) -> list[str]:
    """A container that starts again and again says the same every time."""
    return list(dict.fromkeys(lines))


def _ask(command: Sequence[str], environment: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=dict(environment), capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
