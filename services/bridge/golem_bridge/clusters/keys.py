"""ssh keys: the bridge's own, which opens every node, and those made for clusters of upstream's client."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import asyncssh

ALGORITHM = "ssh-ed25519"
RSA_BITS = 4096


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A key in OpenSSH's formats."""

    private: str
    public: str


class ClientKeys:
    """Key pairs made for clusters of upstream's client, which fetches them; one file per cluster name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @staticmethod
    def file_name(cluster: str) -> str:
        """Upstream's name for it, on the host too."""
        digest = hashlib.md5(cluster.encode(), usedforsecurity=False).hexdigest()
        return f"ray_on_golem_rsa_{digest[:10]}"

    def public_key(self, cluster: str) -> str | None:
        """The line for ``authorized_keys``; None if no key was made yet."""
        path = self._folder / self.file_name(cluster)
        return public_line(asyncssh.read_private_key(path)) if path.exists() else None

    async def get_or_create(self, cluster: str) -> KeyPair:
        """RSA, as the client's file name says."""
        path = self._folder / self.file_name(cluster)
        if not path.exists():
            await asyncio.to_thread(_create_rsa, path)
        key = asyncssh.read_private_key(path)
        return KeyPair(private=key.export_private_key().decode(), public=f"{public_line(key)}\n")


def _create_rsa(path: Path) -> None:
    """Complete or not at all; whoever is first wins."""
    key = asyncssh.generate_private_key("ssh-rsa", key_size=RSA_BITS)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent) as file:  # 0600
        file.write(key.export_private_key())
        file.flush()
        with suppress(FileExistsError):
            path.hardlink_to(file.name)


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
