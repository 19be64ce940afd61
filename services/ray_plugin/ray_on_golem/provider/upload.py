"""A small file as one ssh command, where rsync takes several journeys to the node and back."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIMIT = 256 * 1024
"""Bytes; above, rsync's compression and its comparing with what is there are worth their journeys."""


@dataclass(frozen=True)
class Upload:
    """``command`` run on the node with ``content`` as its input puts the file in place."""

    command: str
    content: bytes

    @classmethod
    def of(cls, source: str, target: str, options: Mapping[str, Any]) -> Upload | None:
        """None where rsync is to do it: folders, links, large files, filters."""
        path = Path(source).expanduser()
        filtered = options.get("rsync_exclude") or options.get("rsync_filter")
        if filtered or target.endswith("/") or source.endswith("/") or path.is_symlink() or not path.is_file():
            return None
        status = path.stat()
        if status.st_size > LIMIT:
            return None
        where = remote_path(target)
        # cat: sshd's input is a socket, which cannot be opened by name.
        # -T: a target that is a folder is an error, so that rsync then puts the file into it.
        return cls(f"cat | install -D -T -m {status.st_mode & 0o777:o} /dev/stdin {where}", path.read_bytes())


def remote_path(path: str) -> str:
    """Quoted for the node's shell, but for a leading ``~/``."""
    if path in {"~", "~/"}:
        return path
    if path.startswith("~/"):
        return "~/" + shlex.quote(path[2:])
    return shlex.quote(path)
