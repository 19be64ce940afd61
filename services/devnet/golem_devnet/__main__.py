"""``python -m golem_devnet [serve|health|faults …|images …]``."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time

from golem_devnet.catalogue.cli import run as images
from golem_devnet.catalogue.images import Images
from golem_devnet.faults.cli import run as faults
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


def run() -> int:
    """The devnet itself, until SIGTERM; exit code."""
    # not at the top: the health check and the switchboard's command line shall be quick
    from golem_devnet.agent.config import ConfigError  # noqa: PLC0415
    from golem_devnet.supervisor.daemon import DaemonError  # noqa: PLC0415
    from golem_devnet.supervisor.service import serve  # noqa: PLC0415

    logging.basicConfig(level="INFO", format="[devnet] %(message)s", stream=sys.stderr)
    try:
        asyncio.run(serve(Settings.from_environment()))
    except (SettingsError, ConfigError, DaemonError) as error:
        logging.getLogger(__name__).error("%s", error)
        return 1
    return 0


def main() -> int:
    """Exit code."""
    match sys.argv[1:]:
        case ["health"]:
            return health()
        case ["faults", *arguments]:
            return faults(SWITCHBOARD, arguments)
        case ["images", *arguments]:
            return images(Images(), arguments)
        case [] | ["serve"]:
            return run()
        case unknown:
            print(f"unknown command {' '.join(unknown)!r} — known: serve, health, faults, images", file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main())
