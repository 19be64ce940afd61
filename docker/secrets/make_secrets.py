"""Makes the tokens of an installation, once, and gives every reader a copy only it can read.

Beside the host's token it notes the port the bridge is published on, so that whoever finds one finds the other.

Runs as root in a one-shot container. A copy that is missing is made again from one that is there, so the token
stays the same for as long as any copy of it exists.
"""

from __future__ import annotations

import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

TOKEN_BYTES = 32
BRIDGE_UID = 10001
PROMETHEUS_UID = 65534


@dataclass(frozen=True)
class Copy:
    """One file with a token. ``uid`` and ``gid`` own it."""

    path: Path
    uid: int
    gid: int
    mode: int


def ensure(copies: list[Copy]) -> None:
    """All copies exist, hold the same token, and belong to their readers."""
    token = next((found for copy in copies if (found := _read(copy.path))), None) or secrets.token_urlsafe(TOKEN_BYTES)
    for copy in copies:
        if _read(copy.path) != token:
            _write(copy.path, token)
        os.chown(copy.path, copy.uid, copy.gid)
        copy.path.chmod(copy.mode)


def main(host: Path, bridge: Path, metrics: Path, *, port: str) -> None:
    """Folders: the host's ``run/``, the bridge's secrets, Prometheus' token."""
    (host / "bridge-port").write_text(f"{port}\n", encoding="utf-8")
    owner = host.stat()
    for folder, uid in ((bridge, BRIDGE_UID), (metrics, PROMETHEUS_UID)):
        os.chown(folder, uid, uid)
        folder.chmod(0o700)
    ensure(
        [
            Copy(bridge / "token", BRIDGE_UID, BRIDGE_UID, 0o400),
            Copy(host / "bridge-token", owner.st_uid, owner.st_gid, 0o600),
        ]
    )
    ensure(
        [
            Copy(bridge / "metrics-token", BRIDGE_UID, BRIDGE_UID, 0o400),
            Copy(metrics / "token", PROMETHEUS_UID, PROMETHEUS_UID, 0o400),
        ]
    )


def _read(path: Path) -> str | None:
    return (path.read_text(encoding="utf-8").strip() or None) if path.exists() else None


def _write(path: Path, token: str) -> None:
    """Private from the first byte, whole or not at all."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{token}\n")
    temporary.replace(path)


if __name__ == "__main__":
    main(Path("/host-run"), Path("/run/bridge"), Path("/run/metrics"), port=os.environ["BRIDGE_PORT"])
    print("secrets: every token is in its place", file=sys.stderr)
