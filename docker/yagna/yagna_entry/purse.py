"""Tells the other containers what the wallet holds: yagna itself tells it on its command line only."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .cli import CommandProblem, PaymentCommands
from .files import write_atomically

INTERVAL = 30.0
"""Seconds between two looks; each is a handful of questions to the chain's endpoint."""


@dataclass
class Purse:
    """Writes ``path``: GLM and gas as decimal strings, the gas coin's name, when it was so (unix seconds).

    When yagna does not tell, the file stays as it is, and its reader sees that it grows old.
    """

    payments: PaymentCommands
    path: Path
    say: Callable[[str], None]
    problem: str = ""
    """What was said last, so that it is not said every time."""

    def watch(self, stop: threading.Event) -> None:
        """Look now and every :data:`INTERVAL` until ``stop`` is set."""
        self.look()
        while not stop.wait(INTERVAL):
            self.look()

    def look(self) -> None:
        """One look; a failed one is said once."""
        try:
            balance = self.payments.balance()
            told = {"glm": str(balance.glm), "gas": str(balance.gas), "coin": balance.coin, "at": time.time()}
            write_atomically(self.path, json.dumps(told) + "\n")
        except (CommandProblem, OSError) as error:
            if str(error) != self.problem:
                self.say(f"the wallet's balance is not known — {error} — asked again every {INTERVAL:.0f} s")
            self.problem = str(error)
        else:
            self.problem = ""
