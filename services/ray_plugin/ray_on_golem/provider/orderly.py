"""A closed terminal or a ``kill`` ends a step of ``ray up`` as Ctrl-C does: by an exception, which cleans up."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

SIGNALS = (signal.SIGTERM, signal.SIGHUP)
ENDING = (signal.SIGINT, *SIGNALS)


@contextmanager
def end() -> Iterator[None]:
    """Within it SIGTERM and SIGHUP raise SystemExit, once; those that follow let the clean-up go on.

    A signal that is ignored (``nohup``), or that the program handles itself, stays so. Python handles signals in the
    main thread only: elsewhere nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours = [number for number in SIGNALS if signal.getsignal(number) is signal.SIG_DFL]

    def stop(number: int, _: object) -> NoReturn:
        for each in ours:
            signal.signal(each, signal.SIG_IGN)
        raise SystemExit(128 + number)

    for number in ours:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Within it no signal ends the program: a terminal that is closed after Ctrl-C must not end the clean-up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # None: a handler that is not Python's, which could not be put back
    ours = [number for number in ENDING if signal.getsignal(number) is not None]
    before = {number: signal.signal(number, signal.SIG_IGN) for number in ours}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
