"""One ``ray up`` of a cluster at a time: two at work on one head would undo each other's steps."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ray_on_golem.errors import RayOnGolemError
from ray_on_golem.keys import data_folder

FILE = "ray-up.lock"

_held: dict[Path, int] = {}
"""Open file descriptors of the locks this process holds; the system frees them however the process ends."""


@contextmanager
def step(cluster_name: str) -> Iterator[None]:
    """A step of ``ray up``: takes the turn, gives it back if it fails. Raises RayOnGolemError as :func:`take`."""
    take(cluster_name)
    try:
        yield
    except BaseException:
        give_back(cluster_name)
        raise


def take(cluster_name: str) -> None:
    """Keep other processes' ``ray up`` of the cluster out. Raises RayOnGolemError when one is at work."""
    path = data_folder(cluster_name) / FILE
    if path in _held:
        return
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise RayOnGolemError(
            f"Cannot write {path} — {error.strerror} — set XDG_DATA_HOME to a folder of yours"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 20).decode(errors="replace").strip() or "not known yet"
        os.close(descriptor)
        raise RayOnGolemError(
            f"Another ray up of cluster {cluster_name} is at work (process {holder}) — wait for it and run ray up again"
        ) from None
    os.truncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    _held[path] = descriptor


def give_back(cluster_name: str) -> None:
    """Let the next one; nothing happens where no turn was taken."""
    descriptor = _held.pop(data_folder(cluster_name) / FILE, None)
    if descriptor is not None:
        os.close(descriptor)
