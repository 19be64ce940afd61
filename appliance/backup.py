"""``make backup`` and ``make restore``: the wallet's key and the books, which exist nowhere else."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.bridge import Bridge
from appliance.down import is_running
from appliance.paths import ROOT
from appliance.settings import Settings
from appliance.steps import StepError, Steps

VOLUMES = ("yagna-data", "bridge-data", "chain-data", "devnet-data")
"""Wallet and agreements; books and the bridge's ssh key; on the devnet, the chain both refer to and its providers."""

WRITERS = ("bridge", "yagna", "devnet", "chain")
"""Stopped while their volumes are copied, so that the copy is of one moment."""

PACK = "tar -C /volumes -czf /backup/{name} ."
UNPACK = "find /volumes -mindepth 2 -delete && tar -C /volumes -xzf /backup/{name}"


def save(steps: Steps, settings: Settings) -> None:
    """Write run/backup/DATE.tar.gz (0600); the appliance pauses for that. Nodes that are rented go on."""
    folder = settings.run / "backup"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / time.strftime("%Y%m%d-%H%M%S.tar.gz")
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with _paused(steps, settings), steps.step(f"Writing {_shown(path)}"):
        _tar(steps, settings, path, PACK, read_only=True)
    steps.say(
        f"\n{_shown(path)} holds the wallet's key: keep it as you keep money.\n"
        f"Bring it back: make restore FROM={_shown(path)}"
    )


def bring_back(steps: Steps, settings: Settings) -> None:
    """Replace wallet and books by those of the backup FROM. Raises StepError while nodes live."""
    name = os.environ.get("FROM", "")
    path = (ROOT / name).resolve()
    if not name or not path.is_file():
        raise StepError(f"No backup {name!r} — name one: make restore FROM=run/backup/DATE.tar.gz")
    if is_running(settings) and (live := Bridge(settings).live_nodes()):
        raise StepError(f"{len(live)} node(s) are rented, their books would be lost — end them first: ray down")
    with _paused(steps, settings), steps.step(f"Bringing back {_shown(path)}"):
        _tar(steps, settings, path, UNPACK, read_only=False)


@contextmanager
def _paused(steps: Steps, settings: Settings) -> Iterator[None]:
    """The containers that write to the volumes stand still, and go on if they ran before."""
    ran = is_running(settings)
    if ran:
        with steps.step("Stopping what writes"):
            _compose(steps, settings, "stop", *WRITERS)
    try:
        yield
    finally:
        if ran:
            with steps.step("Starting again"):
                _compose(steps, settings, "up", "--detach", "--wait")


def _compose(steps: Steps, settings: Settings, *arguments: str) -> None:
    environment = settings.compose_environment()
    steps.run(["docker", "compose", *arguments], log="backup", env=environment, show=lambda _: None)


def _tar(steps: Steps, settings: Settings, path: Path, script: str, *, read_only: bool) -> None:
    mode = "ro" if read_only else "rw"
    mounts = [f"--volume={settings.project}_{name}:/volumes/{name}:{mode}" for name in VOLUMES]
    image = f"ray-on-golem/bridge:{os.environ.get('IMAGE_TAG', 'local')}"
    command = [
        "docker",
        "run",
        "--rm",
        "--network=none",
        "--user=0:0",
        *mounts,
        f"--volume={path.parent}:/backup",
        image,
    ]
    steps.run([*command, "/bin/sh", "-ec", script.format(name=path.name)], log="backup")


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
