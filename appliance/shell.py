"""Commands whose answer is for us, as one thing that tests can replace."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appliance.paths import ROOT

TIMEOUT = 30.0
"""Seconds a question may take."""


@dataclass(frozen=True)
class Answer:
    """Exit code, standard output, standard error; a command that is not there or hangs has code 127 or 124."""

    code: int
    output: str
    errors: str = ""

    @property
    def ok(self) -> bool:
        return self.code == 0

    @property
    def reason(self) -> str:
        """The last line of what was said about a failure."""
        lines = (self.errors or self.output).strip().splitlines()
        return lines[-1] if lines else f"exit code {self.code}"


class Shell:
    """Runs commands in the repository's root; never raises."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)

    def ask(self, *command: str, timeout: float = TIMEOUT) -> Answer:
        """The command's end and output."""
        try:
            done = subprocess.run(
                command,
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout,
                check=False,
            )
        except FileNotFoundError:
            return Answer(127, "", f"{command[0]} is not installed")
        except subprocess.TimeoutExpired:
            return Answer(124, "", f"no answer in {timeout:.0f} s")
        return Answer(done.returncode, done.stdout, done.stderr)

    def compose(self, *arguments: str, timeout: float = TIMEOUT) -> Answer:
        """``docker compose ARGUMENTS``."""
        return self.ask("docker", "compose", *arguments, timeout=timeout)

    def inside(self, service: str, *command: str) -> Answer:
        """A command in a running container."""
        return self.compose("exec", "-T", service, *command)


def compose_rows(listing: str) -> list[dict[str, Any]]:
    """What ``docker compose ps --format json`` tells: an object a line, or one list before Compose 2.21."""
    if listing.lstrip().startswith("["):
        return list(json.loads(listing))
    return [json.loads(line) for line in listing.splitlines() if line.strip()]
