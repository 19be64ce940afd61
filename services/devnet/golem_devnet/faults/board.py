"""One provider's faults in a file: written by the switchboard, read by the agent, which need not answer."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from pydantic import ValidationError

from golem_devnet.faults.model import HONEST, Faults

log = logging.getLogger(__name__)


class FaultBoard:
    """The file; a missing one means honest."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._faults = HONEST

    def read(self) -> Faults:
        """As of now; reads the file only if it has changed."""
        try:
            status = self._path.stat()
            seen = (status.st_ino, status.st_mtime_ns)
            if seen != self._seen:
                self._faults = Faults.model_validate_json(self._path.read_bytes())
                self._seen = seen
        except FileNotFoundError:
            self._faults, self._seen = HONEST, None
        except (OSError, ValidationError) as error:
            log.error("faults stay as they were: %s", error)
        return self._faults

    def write(self, faults: Faults) -> None:
        """Replace the file at once."""
        temporary = self._path.with_suffix(".new")
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(faults.model_dump_json())
        temporary.replace(self._path)
