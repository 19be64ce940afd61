"""Which of the appliance's containers there are, asked of Docker itself: that works whatever they are busy with."""

from __future__ import annotations

import os

from appliance.settings import Settings
from appliance.shell import Shell
from appliance.steps import StepError

SERVICE = '{{.Label "com.docker.compose.service"}}'
ENVIRONMENT = "{{range .Config.Env}}{{println .}}{{end}}"


def running_services(settings: Settings) -> frozenset[str]:
    """Names of the compose services that run, those that start again and again included. Raises StepError."""
    return frozenset(_ask("ps", *_mine(settings), "--format", SERVICE).split())


def made_services(settings: Settings) -> frozenset[str]:
    """Those that have a container, running or not. Raises StepError."""
    return frozenset(_ask("ps", "--all", *_mine(settings), "--format", SERVICE).split())


def running_network(settings: Settings) -> str | None:
    """The network of the bridge that runs, None without one. Raises StepError.

    Docker is asked: the bridge tells it only while yagna answers.
    """
    bridge = ("--filter", "label=com.docker.compose.service=bridge")
    ids = _ask("ps", "--quiet", *_mine(settings), *bridge).split()
    if not ids:
        return None
    lines = _ask("inspect", "--format", ENVIRONMENT, ids[0]).splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line).get("GOLEM_NETWORK", "devnet")


def _mine(settings: Settings) -> tuple[str, str]:
    return "--filter", f"label=com.docker.compose.project={settings.project}"


def _ask(*arguments: str) -> str:
    answer = Shell(os.environ).ask("docker", *arguments)
    if not answer.ok:
        raise StepError(f"Docker does not answer — {answer.reason} — start it: make up")
    return answer.output
