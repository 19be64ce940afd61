"""ssh keys: the bridge's own, which opens every node, and one host key per node, which the bridge pins."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import asyncssh

ALGORITHM = "ssh-ed25519"


@dataclass(frozen=True, slots=True)
class HostKey:
    """A node's host key in OpenSSH's formats."""

    private: str
    public: str


def new_host_key() -> HostKey:
    """A fresh key; the private half goes to the node and is kept nowhere else."""
    key = asyncssh.generate_private_key(ALGORITHM)
    return HostKey(
        private=key.export_private_key().decode(),
        public=key.export_public_key().decode().strip(),
    )


def load_or_create_key(path: Path) -> asyncssh.SSHKey:
    """The bridge's own key, created 0600 at the first start."""
    if not path.exists():
        key = asyncssh.generate_private_key(ALGORITHM, comment="ray-on-golem bridge")
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(key.export_private_key())
    return asyncssh.read_private_key(path)


def public_line(key: asyncssh.SSHKey) -> str:
    """The line for ``authorized_keys``."""
    return str(key.export_public_key().decode().strip())
