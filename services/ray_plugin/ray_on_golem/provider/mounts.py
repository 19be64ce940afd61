"""Reads through ``file_mounts`` before a head is rented: Ray looks at them after that, and ends where it cannot."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from ray_on_golem.errors import RayOnGolemError


def check_readable(sources: Iterable[str]) -> None:
    """``sources`` are paths on the host as in the cluster file. Raises RayOnGolemError for what Ray could not read."""
    try:
        for source in sources:
            for file in _files(Path(source).expanduser()):
                file.open("rb").close()
    except OSError as error:
        raise RayOnGolemError(
            f"Cannot read {error.filename}, of file_mounts — {error.strerror} — mend that, or the cluster file"
        ) from error


def _files(path: Path) -> Iterator[Path]:
    """As Ray walks through them."""
    if not path.is_dir():
        yield path
    for folder, _, names in os.walk(path):
        yield from (Path(folder) / name for name in names)
