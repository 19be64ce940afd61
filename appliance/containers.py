"""Which of the appliance's containers there are, asked of Docker itself: that works whatever they are busy with."""

from __future__ import annotations

import os

from appliance.settings import Settings
from appliance.shell import Shell
from appliance.steps import StepError

SERVICE = '{{.Label "com.docker.compose.service"}}'


def running_services(settings: Settings) -> frozenset[str]:
    """Names of the compose services that run, those that start again and again included. Raises StepError."""
    mine = f"label=com.docker.compose.project={settings.project}"
    answer = Shell(os.environ).ask("docker", "ps", "--filter", mine, "--format", SERVICE)
    if not answer.ok:
        raise StepError(f"Docker does not answer — {answer.reason} — start it: make up")
    return frozenset(answer.output.split())
