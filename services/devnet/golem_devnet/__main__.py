"""``python -m golem_devnet [serve|health|faults …]``."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time

from golem_devnet.agent.config import ConfigError
from golem_devnet.faults.cli import run as faults
from golem_devnet.supervisor.daemon import DaemonError
from golem_devnet.supervisor.service import serve
from golem_devnet.supervisor.settings import HEALTH, SWITCHBOARD, Settings, SettingsError

STALE = 15.0
"""Seconds after which a health file that is not written any more counts for nothing."""


def health() -> int:
    """0 if the devnet can be used."""
    try:
        waiting = json.loads(HEALTH.read_text())["waiting"]
        age = time.time() - HEALTH.stat().st_mtime
    except (OSError, ValueError, KeyError) as error:
        print(f"the devnet is starting: {error}", file=sys.stderr)
        return 1
    if age > STALE or waiting:
        print(f"no offer yet from: {', '.join(waiting) or 'anybody'} ({age:.0f} s ago)", file=sys.stderr)
        return 1
    return 0


def main() -> int:
    """Exit code."""
    if sys.argv[1:] == ["health"]:
        return health()
    if sys.argv[1:2] == ["faults"]:
        return faults(SWITCHBOARD, sys.argv[2:])
    logging.basicConfig(level="INFO", format="[devnet] %(message)s", stream=sys.stderr)
    try:
        asyncio.run(serve(Settings.from_environment()))
    except (SettingsError, ConfigError, DaemonError) as error:
        logging.getLogger(__name__).error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
