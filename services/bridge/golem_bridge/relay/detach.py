"""Leaving the exe-unit's command. Part of what is sent to nodes: standard library only, Python 3.9 or newer."""

from __future__ import annotations

import os


def detach() -> None:
    """Go on as a process of its own: own session, no inherited files."""
    if os.fork():
        os._exit(0)
    os.setsid()
    if os.fork():
        os._exit(0)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
