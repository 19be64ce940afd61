"""Another network in .env: yagna and the bridge are started anew with it, and know nothing of what was before."""

from __future__ import annotations

import os

from appliance.bridge import Bridge
from appliance.containers import made_services, running_network, running_services
from appliance.rented import refuse_while_rented
from appliance.settings import Settings
from appliance.steps import StepError, Steps

DEVNET_SERVICES = ("chain", "devnet")


def refuse_to_abandon_nodes(settings: Settings) -> None:
    """Raises StepError if a bridge runs on another network and has nodes or bills there, unless FORCE=1 is set.

    Nodes would run on, and be billed, with nobody left who knows of them; bills would stay unpaid.
    """
    now = running_network(settings)
    if now is None or now == settings.network:
        return
    refuse_while_rented(
        settings,
        harm=f"a change from {now} to {settings.network} would leave them running and costing",
        anyway=f"stay: GOLEM_NETWORK={now} in .env — or change all the same: make up FORCE=1",
    )
    if os.environ.get("FORCE") == "1" or "bridge" not in running_services(settings):
        return
    if closing := Bridge(settings).closing_clusters():
        raise StepError(
            f"{', '.join(closing)} on {now} still waits for invoices or payments, providers would stay unpaid — "
            "wait for at most 15 minutes and run make up again — or change all the same: make up FORCE=1"
        )


def remove_devnet(steps: Steps, settings: Settings) -> None:
    """The containers of a devnet that .env no longer asks for; compose leaves those of other profiles alone.

    Its volumes stay, for the way back. Raises StepError.
    """
    if settings.network == "devnet" or not made_services(settings) & {*DEVNET_SERVICES}:
        return
    with steps.step(f"The network is {settings.network}: containers of the devnet are removed"):
        steps.run(
            ["docker", "compose", "--profile", "devnet", "rm", "--stop", "--force", *DEVNET_SERVICES],
            log="switch",
            env=settings.compose_environment(),
            show=lambda _: None,
        )
