"""``make down``: stops the appliance, unless that would leave rented nodes behind."""

from __future__ import annotations

from appliance.rented import refuse_while_rented
from appliance.settings import Settings
from appliance.steps import Steps


def stop(steps: Steps, settings: Settings) -> None:
    """Volumes (wallet, books, measurements) stay. Raises StepError while nodes live, unless FORCE=1 is set."""
    refuse_while_rented(settings, harm="they would go on costing", anyway="stop all the same: make down FORCE=1")
    take_down(steps, settings)


def take_down(steps: Steps, settings: Settings) -> None:
    """All containers go, volumes stay. Raises StepError."""
    with steps.step("Stopping the appliance"):
        steps.run(
            ["docker", "compose", "--profile", "*", "down", "--remove-orphans"],
            log="down",
            env=settings.compose_environment(),
            show=lambda line: line.strip() if "Removed" in line else None,
        )
