"""``make down``: stops the appliance, unless that would leave rented nodes behind."""

from __future__ import annotations

import os

from appliance.bridge import Bridge
from appliance.containers import running_services
from appliance.rented import refuse_while_rented
from appliance.settings import Settings
from appliance.steps import Steps


def stop(steps: Steps, settings: Settings) -> None:
    """Volumes (wallet, books, measurements) stay. Raises StepError while nodes live, unless FORCE=1 is set."""
    refuse_while_rented(settings, harm="they would go on costing", anyway="stop all the same: make down FORCE=1")
    tell_of_bills(steps, settings)
    take_down(steps, settings)


def tell_of_bills(steps: Steps, settings: Settings) -> None:
    """Clusters that are not settled wait until the bridge runs again. Raises StepError."""
    if os.environ.get("FORCE") == "1" or "bridge" not in running_services(settings):
        return
    if closing := Bridge(settings).closing_clusters():
        steps.say(
            f"   {', '.join(closing)} still waits for invoices or payments: providers are paid after the next make up"
        )


def take_down(steps: Steps, settings: Settings) -> None:
    """All containers go, volumes stay. Raises StepError."""
    with steps.step("Stopping the appliance"):
        steps.run(
            ["docker", "compose", "--profile", "*", "down", "--remove-orphans"],
            log="down",
            env=settings.compose_environment(),
            show=lambda line: line.strip() if "Removed" in line else None,
        )
