"""Real money is nothing to start with by accident: on polygon, ``make up`` says what it means and asks, once."""

from __future__ import annotations

import os
import sys

from appliance.settings import Settings
from appliance.steps import StepError, Steps

REAL_MONEY = "polygon"
AGREED = "AGREE"
"""Environment variable for those who start the appliance from a program: AGREE=polygon."""

NOTICE = """
This appliance is about to start on polygon: REAL MONEY, strangers' machines.
   what it will hold   a wallet of its own, made at the first start; its key is in a volume of this machine
   what it needs       GLM on polygon: at least total_budget of your cluster file; and POL for gas, 0.5 or more
   where to fund       the wallet's address is shown when it has started; until you send something, it is empty
   what spends         nothing but ray up: at most total_budget per cluster, and gas for each payment
   what was tested     the devnet only: begin with a small budget, or on hoodi first"""


def ask_for_consent(steps: Steps, settings: Settings) -> None:
    """Returns at once where no real money is in play, or where it was agreed to before. Raises StepError."""
    mark = settings.run / f"{REAL_MONEY}-agreed"
    if settings.network != REAL_MONEY or mark.exists():
        return
    steps.say(NOTICE)
    if os.environ.get(AGREED) != REAL_MONEY:
        _ask()
    settings.run.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark.touch()


def _ask() -> None:
    if not sys.stdin.isatty():
        raise StepError(
            "Nobody is there to be asked — nothing was changed — run make up in a terminal, or: "
            f"{AGREED}={REAL_MONEY} make up"
        )
    try:
        answer = input(f"\nType {REAL_MONEY} to go on, anything else to stop: ")
    except EOFError:
        answer = ""
    if answer.strip() != REAL_MONEY:
        raise StepError("Not agreed — nothing was changed — the devnet is free: GOLEM_NETWORK=devnet in .env")
