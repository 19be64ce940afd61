"""One provider's faults in a file, written by the switchboard and read by the agent; in another, what it acts by."""

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
        self._obeyed = path.with_name(f"{path.stem}.obeyed.json")
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
        _replace(self._path, faults)

    def obey(self, faults: Faults) -> None:
        """The agent acts by these from now on."""
        _replace(self._obeyed, faults)

    def is_obeyed(self) -> bool:
        """The agent acts by what is in the file."""
        try:
            return Faults.model_validate_json(self._obeyed.read_bytes()) == self.read()
        except FileNotFoundError:
            return False


def _replace(path: Path, faults: Faults) -> None:
    temporary = path.with_suffix(".new")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(faults.model_dump_json())
    temporary.replace(path)
