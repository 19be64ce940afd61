"""The user's ssh key of a cluster: made once with ssh-keygen, kept where nothing tidies it away."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from ray_on_golem.errors import RayOnGolemError

TIMEOUT = 30
"""Seconds."""

FILE = "id_ed25519"


def data_folder(cluster_name: str) -> Path:
    """Where the user's host keeps what belongs to a cluster."""
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return data / "ray-on-golem" / cluster_name


def default_key(cluster_name: str) -> Path:
    """Where a cluster's own key lies."""
    return data_folder(cluster_name) / FILE


def make_default_key(cluster_name: str) -> Path:
    """Path of a cluster's key, made if it is not there. Raises RayOnGolemError."""
    path = default_key(cluster_name)
    if path.exists():
        return path
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            made = Path(folder) / FILE
            _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"ray-on-golem {cluster_name}", "-f", str(made))
            _publish(made, path)
    except OSError as error:
        raise RayOnGolemError(
            f"Cannot make an ssh key at {path} — {error.strerror} — set auth.ssh_private_key to a key of yours"
        ) from error
    return path


def public_key(private_key: Path) -> str:
    """The public half of any private key file. Raises RayOnGolemError."""
    return _run("ssh-keygen", "-y", "-P", "", "-f", str(private_key)).strip()


def _publish(made: Path, path: Path) -> None:
    """Put a whole key in place; of two commands started at once, the first one's key stays."""
    try:
        os.link(made, path)
    except FileExistsError:
        return
    Path(f"{made}.pub").replace(f"{path}.pub")


def _run(*command: str) -> str:
    try:
        result = subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=TIMEOUT, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError as error:
        raise RayOnGolemError(f"{command[0]} is not installed — install OpenSSH's client and try again") from error
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said = getattr(error, "stderr", "") or str(error)
        raise RayOnGolemError(
            f"The ssh key {command[-1]} cannot be used — {said.strip()} — correct auth.ssh_private_key"
        ) from error
    return result.stdout
