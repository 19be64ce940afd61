"""``python3 -m appliance COMMAND``: what the Makefile calls."""

from __future__ import annotations

import os
import sys

from appliance.backup import bring_back, save
from appliance.bundle import write_bundle
from appliance.demo import run_demo
from appliance.doctor import examine
from appliance.down import stop
from appliance.settings import Settings, read_settings
from appliance.setup import bring_up
from appliance.steps import StepError, Steps
from appliance.testing import OWN_APPLIANCE, run_tests


def up(steps: Steps, settings: Settings) -> None:
    """``make up``."""
    bring_up(steps, settings)
    steps.say("\nThe appliance runs. Next: . .venv/bin/activate && ray up golem-cluster.yaml")


COMMANDS = {
    "up": up,
    "demo": run_demo,
    "down": stop,
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
        os.environ.update(OWN_APPLIANCE)
    try:
        settings = read_settings()
        COMMANDS[name](Steps(settings.logs), settings)
    except StepError as error:
        print(f"\nmake {name} failed: {error}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        print(f"\nmake {name} was interrupted", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
