"""Whom ssh believes to be a node: who shows the host key the bridge was told through the exe-unit.

Addresses are given out again, so a key is looked up by node id.
"""

from __future__ import annotations

import os
import shlex
import tempfile
from pathlib import Path

from ray_on_golem.errors import RayOnGolemError
from ray_on_golem.keys import data_folder
from ray_on_golem.provider.records import NodeRecord


def only(node: NodeRecord, cluster_name: str) -> dict[str, str]:
    """ssh's options under which nobody but this running node is logged in to. Raises RayOnGolemError."""
    file = data_folder(cluster_name) / "known_hosts" / str(node.ip)
    try:
        _write(file, f"{node.node_id} {node.host_key}\n")
    except OSError as error:
        raise RayOnGolemError(
            f"Cannot note a node's host key in {file} — {error.strerror} — ssh would not know whom it talks to"
        ) from error
    return {
        "StrictHostKeyChecking": "yes",
        "HostKeyAlias": node.node_id,
        "UserKnownHostsFile": shlex.quote(str(file)).replace("%", "%%"),
        "GlobalKnownHostsFile": os.devnull,
    }


def _write(file: Path, content: str) -> None:
    """Whole, or not at all: several commands may be at it."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False) as made:
        made.write(content)
    Path(made.name).replace(file)
