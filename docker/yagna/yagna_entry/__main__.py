"""``python -m yagna_entry``: the container's first process below its init."""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType

from .errors import StartError, StopRequested
from .settings import read_settings
from .start import Start


def main() -> int:
    """yagna's exit status; 1 when it cannot be used, 0 when it was stopped."""
    stop = threading.Event()

    def request_stop(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, request_stop)
    try:
        return Start(read_settings(os.environ), os.environ, stop, say).run()
    except StartError as error:
        say(str(error))
        return 1
    except StopRequested:
        say("stopped while starting")
        return 0


def say(text: str) -> None:
    """One line on standard error, beside yagna's own log."""
    sys.stderr.write(f"yagna-entry: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
