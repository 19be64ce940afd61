"""The appliance's volumes, and what is done with them, in a container that has them and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from appliance.paths import ROOT
from appliance.settings import Settings, read_values
from appliance.steps import Steps

SCRIPT = ROOT / "appliance" / "volumes.sh"
WALLETS = "yagna-data"
"""Wallet and agreements of each network the appliance was ever on, in a folder of the network's name."""

BOOKS = "bridge-data"
"""The books, of all networks, and the bridge's ssh key."""

READING = frozenset({"pack", "wallets"})
"""What of volumes.sh changes nothing."""


def in_container(
    steps: Steps, settings: Settings, what: str, volumes: Sequence[str], *, backup: Path | None = None
) -> str:
    """Do what volumes.sh calls so with volumes, named as in the compose file; what it said. Raises StepError."""
    mode = "ro" if what in READING else "rw"
    mounts = [f"--volume={settings.project}_{name}:/volumes/{name}:{mode}" for name in volumes]
    mounts.append(f"--volume={SCRIPT}:/volumes.sh:ro")
    arguments = [what, "/volumes"]
    if backup is not None:
        mounts.append(f"--volume={backup.parent}:/backup")
        arguments.append(f"/backup/{backup.name}")
    image = f"ray-on-golem/bridge:{read_values().get('IMAGE_TAG', 'local')}"
    # with an init, an interrupted script ends instead of going on unseen
    command = ["docker", "run", "--rm", "--init", "--network=none", "--user=0:0", *mounts, image]
    return steps.run([*command, "/bin/sh", "/volumes.sh", *arguments], log="volumes", show=lambda _: None)
