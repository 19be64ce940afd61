"""Waiting that says what it waits for, gives up in time and can be interrupted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from .errors import StartError, StopRequested

Probe = Callable[[], str | None]
"""None once satisfied, else what is observed instead."""

Pause = Callable[[float], bool]
"""Sleep for some seconds; True as soon as a stop was requested."""

_POLL = 0.2
_PROGRESS = 5.0


@dataclass(frozen=True)
class Wish:
    """What is waited for, how long (seconds) and what the user should do if it does not come."""

    what: str
    limit: float
    remedy: str


@dataclass(frozen=True)
class Patience:
    """Waits with one progress line every five seconds."""

    pause: Pause
    say: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def interrupted_by(cls, stop: threading.Event, say: Callable[[str], None]) -> Patience:
        return cls(pause=stop.wait, say=say)

    def until(self, wish: Wish, probe: Probe) -> None:
        """Return once ``probe`` gives None; raises StartError after the limit, StopRequested when stopped."""
        began = self.clock()
        next_line = began + _PROGRESS
        while (observed := probe()) is not None:
            now = self.clock()
            if now - began >= wish.limit:
                raise StartError(f"no {wish.what} within {wish.limit:g} s — {observed} — {wish.remedy}")
            if now >= next_line:
                self.say(f"waiting for {wish.what} since {now - began:.0f} s: {observed}")
                next_line = now + _PROGRESS
            if self.pause(_POLL):
                raise StopRequested
