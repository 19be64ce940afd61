"""``make devnet-reset``: a new devnet, where the old one's chain is damaged or its wallet is empty.

It takes away what is the devnet's alone. The wallets of other networks, which may hold real money, lie in the same
volume as the devnet's: ``docker compose down --volumes`` would delete them, too.
"""

from __future__ import annotations

import os

from appliance.down import take_down
from appliance.rented import refuse_while_rented
from appliance.settings import Settings
from appliance.shell import Shell
from appliance.steps import StepError, Steps
from appliance.volumes import WALLETS, in_container

OWN_VOLUMES = ("chain-config", "chain-data", "devnet-data")
"""Which hold nothing of any other network."""


def reset(steps: Steps, settings: Settings) -> None:
    """Stop the appliance, take the devnet's chain, providers and wallet away. Raises StepError.

    Books and measurements stay: the bridge shares them among networks, and closes clusters whose chain is gone.
    """
    refuse_while_rented(
        settings,
        harm="the devnet's would be lost, others would go on costing",
        anyway="do it all the same: make devnet-reset FORCE=1",
    )
    take_down(steps, settings)
    with steps.step("Removing the devnet's chain, providers and wallet"):
        if exists(f"{settings.project}_{WALLETS}"):
            in_container(steps, settings, "forget-devnet", [WALLETS])
        volumes = [f"{settings.project}_{name}" for name in OWN_VOLUMES]
        steps.run(["docker", "volume", "rm", "--force", *volumes], log="reset", show=lambda _: None)
    steps.say("\nThe devnet is gone. Wallets of other networks, books and measurements are as they were.")
    begin = "a new devnet" if settings.network == "devnet" else f"the appliance, on {settings.network}"
    steps.say(f"Start {begin}: make up")


def exists(volume: str) -> bool:
    """Docker would make one that is mounted and not there, and compose would not know it as its own."""
    answer = Shell(os.environ).ask("docker", "volume", "ls", "--quiet", "--filter", f"name={volume}")
    if not answer.ok:
        raise StepError(f"Docker does not answer — {answer.reason} — start it: make up")
    return volume in answer.output.split()
