"""``python -m yagna_entry.healthy``: exit 0 while the daemon is usable, for the container's healthcheck."""

from __future__ import annotations

import os
import sys

from . import rest
from .advice import compose
from .errors import StartError
from .keys import app_key
from .settings import Settings, read_settings


def check(settings: Settings) -> None:
    """Raises StartError or RestProblem unless the start was completed and REST answers to the app-key."""
    if not settings.ready_mark.exists():
        raise StartError(f"{settings.ready_mark} does not exist — yagna is starting")
    if not settings.app_key_file.exists():
        raise StartError(f"{settings.app_key_file} does not exist — {compose('restart yagna')}")
    rest.identity(app_key(settings.app_key_file))


def main() -> int:
    """0 or 1, with the reason on standard output, which docker inspect shows."""
    try:
        check(read_settings(os.environ))
    except (StartError, rest.RestProblem) as problem:
        sys.stdout.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
