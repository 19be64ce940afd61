"""Settings of the devnet's container, by environment variable; and its fixed addresses."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

HUB_PORT = 7477
"""yagna 0.17.6 takes ports of at most four digits here (measured)."""

CATALOGUE_PORT = 8480
HUB_URL = f"tcp://127.0.0.1:{HUB_PORT}"
API_URL = "http://127.0.0.1:7466"
"""The provider side's daemon; reachable inside the container only."""

PLATFORM = "erc20-hoodi-tglm"
RUN = Path("/run/golem-devnet")
BUS_URL = f"unix:{RUN}/gsb.sock"
HEALTH = RUN / "health"
FAULTS = RUN / "faults"
"""Each provider's faults, one file each."""

SWITCHBOARD = RUN / "switchboard.sock"


class SettingsError(Exception):
    """A variable makes no sense."""


@dataclass(frozen=True)
class Settings:
    """``providers`` of the file are offered in ``subnet``."""

    providers: int
    subnet: str
    providers_file: Path
    data: Path
    chain_config: Path

    @classmethod
    def from_environment(cls) -> Settings:
        """Raises SettingsError."""
        count = os.environ.get("DEVNET_PROVIDERS", "6")
        if not count.isdigit():
            raise SettingsError(f"DEVNET_PROVIDERS is {count!r} — it must be a number — correct it in .env")
        return cls(
            providers=int(count),
            subnet=os.environ.get("DEVNET_SUBNET", "devnet"),
            providers_file=Path(os.environ.get("DEVNET_PROVIDERS_FILE", "/opt/devnet/providers.yaml")),
            data=Path("/var/lib/golem-devnet"),
            chain_config=Path("/run/chain/config-payments.toml"),
        )
