"""``make down``: stops the appliance, unless that would leave rented nodes behind."""

from __future__ import annotations

import os
import subprocess

from appliance.bridge import Bridge, LiveNode
from appliance.settings import Settings
from appliance.steps import StepError, Steps


def stop(steps: Steps, settings: Settings) -> None:
    """Volumes (wallet, books, measurements) stay. Raises StepError while nodes live, unless FORCE=1 is set."""
    if os.environ.get("FORCE") != "1" and is_running(settings):
        live = Bridge(settings).live_nodes()
        if live:
            raise StepError(_refusal(live))
    with steps.step("Stopping the appliance"):
        steps.run(
            ["docker", "compose", "--profile", "*", "down", "--remove-orphans"],
            log="down",
            env=settings.compose_environment(),
            show=lambda line: line.strip() if "Removed" in line else None,
        )


def is_running(settings: Settings) -> bool:
    label = f"label=com.docker.compose.project={settings.project}"
    service = "label=com.docker.compose.service=bridge"
    command = ["docker", "ps", "--quiet", "--filter", label, "--filter", service]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StepError(f"Docker does not answer — {done.stderr.strip()} — start it: make up")
    return bool(done.stdout.strip())


def _refusal(live: list[LiveNode]) -> str:
    rows = "\n".join(
        f"   {node.node_id}  {node.state} on {node.provider or '?'}  {node.price_per_hour or '?'} GLM/h"
        for node in live
    )
    return (
        f"{len(live)} node(s) are still rented, they would go on costing:\n{rows}\n"
        "End them first: ray down golem-cluster.yaml (or: .venv/bin/ray-on-golem stop --all) — or stop all the same: "
        "make down FORCE=1"
    )
