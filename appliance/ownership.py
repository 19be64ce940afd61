"""Run with sudo in somebody's clone, the appliance leaves nothing there that its owner cannot use."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from appliance.paths import ROOT, TEST_VENV, VENV


def hand_over(made: Iterable[Path], *, clone: Path = ROOT) -> None:
    """Give what root made here to whom the clone belongs; nothing happens for anybody but root."""
    owner = clone.stat()
    if os.geteuid() != 0 or owner.st_uid == 0:
        return
    for path in _below(made):
        if path.lstat().st_uid == 0:
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def made_here(run: Path) -> tuple[Path, ...]:
    """Folders of a clone that commands write to."""
    return (run, VENV, TEST_VENV)


def _below(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        if folder.exists():
            yield folder
            yield from folder.rglob("*")
