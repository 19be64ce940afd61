"""The user's ssh key of a cluster: made once with ssh-keygen, kept where nothing tidies it away."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from ray_on_golem.errors import RayOnGolemError

TIMEOUT = 30
"""Seconds."""


def default_key(cluster_name: str) -> Path:
    """Path of a cluster's key, made if it is not there. Raises RayOnGolemError."""
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    path = data / "ray-on-golem" / cluster_name / "id_ed25519"
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"ray-on-golem {cluster_name}", "-f", str(path))
    return path


def public_key(private_key: Path) -> str:
    """The public half of any private key file. Raises RayOnGolemError."""
    return _run("ssh-keygen", "-y", "-P", "", "-f", str(private_key)).strip()


def _run(*command: str) -> str:
    try:
        result = subprocess.run(command, check=True, capture_output=True, text=True, timeout=TIMEOUT)
    except FileNotFoundError as error:
        raise RayOnGolemError(f"{command[0]} is not installed — install OpenSSH's client and try again") from error
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said = getattr(error, "stderr", "") or str(error)
        raise RayOnGolemError(
            f"The ssh key {command[-1]} cannot be used — {said.strip()} — correct auth.ssh_private_key"
        ) from error
    return result.stdout
