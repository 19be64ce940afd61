"""``python3 -m appliance COMMAND``: what the Makefile calls."""

from __future__ import annotations

import os
import sys

from appliance.backup import bring_back, save
from appliance.bridge import Bridge
from appliance.bundle import write_bundle
from appliance.consent import ask_for_consent
from appliance.console import console_url, show_link
from appliance.demo import run_demo
from appliance.devnet import start as start_devnet
from appliance.devnet import stop as stop_devnet
from appliance.doctor import check_gas, check_wallet, examine
from appliance.down import stop
from appliance.images import put_image
from appliance.ownership import hand_over, made_here
from appliance.reset import reset
from appliance.settings import Settings, read_settings
from appliance.setup import bring_up
from appliance.shell import Shell
from appliance.steps import StepError, Steps, sentence
from appliance.testing import own_appliance, run_tests


def up(steps: Steps, settings: Settings) -> None:
    """``make up``. Starting spends nothing; on a public network it is said what will, and of which wallet."""
    ask_for_consent(steps, settings)
    bring_up(steps, settings)
    if settings.network != "devnet":
        steps.say(f"\n{PUBLIC_NOTICE[settings.network]}\n   wallet {Bridge(settings).wallet()}")
        shell = Shell(settings.compose_environment())
        steps.say("\n".join(check(settings, shell).line() for check in (check_wallet, check_gas)))
    steps.say(f"\nThe console: {console_url(settings)} (make console prints a link that lets you in)")
    steps.say("The appliance runs. Next: . .venv/bin/activate && ray up golem-cluster.yaml")


PUBLIC_NOTICE = {
    "hoodi": (
        "This appliance is on hoodi, Golem's public test network: strangers' machines, test money.\n"
        "Nothing is spent until you run ray up. Test GLM and gas: "
        "docker compose exec yagna yagna payment fund --network hoodi"
    ),
    "polygon": (
        "This appliance is on polygon: REAL MONEY, strangers' machines.\n"
        "Nothing is spent until you run ray up; then at most total_budget of the cluster file, and gas.\n"
        "Back its key up first (make backup), then send GLM and 0.5 POL or more, both on polygon, to the wallet below"
    ),
}

COMMANDS = {
    "up": up,
    "demo": run_demo,
    "down": stop,
    "console": show_link,
    "devnet": start_devnet,
    "devnet-down": stop_devnet,
    "devnet-reset": reset,
    "image": put_image,
    "test": run_tests,
    "doctor": examine,
    "backup": save,
    "restore": bring_back,
    "support-bundle": write_bundle,
}


def main() -> int:
    """Exit code 0 if everything went as promised."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in COMMANDS:
        print(f"unknown command {name!r} — known: {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    if name == "test":
        os.environ.update(own_appliance())
    try:
        settings = read_settings()
        try:
            COMMANDS[name](Steps(settings.logs), settings)
        finally:
            hand_over(made_here(settings.run))
    except StepError as error:
        print(f"\nmake {name} failed: {error}", file=sys.stderr, flush=True)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # who read our output has seen enough
        return 1
    except OSError as error:
        print(f"\nmake {name} failed: {sentence(error)}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        print(f"\nmake {name} was interrupted", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
