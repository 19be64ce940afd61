"""Every environment variable of the yagna container."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from .errors import StartError

API_PORT = 7465
DEFAULT_GSB_URL = "unix:/var/lib/yagna/gsb.sock"


class Network(Enum):
    """Where nodes are rented and paid."""

    DEVNET = "devnet"
    HOODI = "hoodi"
    POLYGON = "polygon"

    @property
    def payment_network(self) -> str:
        """yagna's name of the payment network: its names are fixed, so the devnet's chain poses as hoodi."""
        return "hoodi" if self is Network.DEVNET else self.value


@dataclass(frozen=True)
class Settings:
    """All paths and switches; ``data_dir`` is the network's own folder below the volume."""

    network: Network
    data_dir: Path
    app_key_file: Path
    identity_file: Path
    wallet_file: Path
    chain_config_dir: Path
    hub: str
    gsb_url: str
    metrics_push: bool
    program: str

    @property
    def balance_file(self) -> Path:
        """What the wallet holds, for the bridge."""
        return self.wallet_file.with_name("balance.json")

    @property
    def ready_mark(self) -> Path:
        """Exists while the daemon is usable."""
        return self.data_dir / "ready"


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Settings from the environment; raises StartError naming the variable.

    GOLEM_NETWORK (devnet): devnet, hoodi or polygon. Each has a folder, hence a wallet and a payment database,
        of its own: obligations of the devnet can never be paid with real money.
    YAGNA_VOLUME (/var/lib/yagna): the data volume.
    YAGNA_APPKEY_FILE (/run/yagna/app-key), YAGNA_IDENTITY_FILE (/run/yagna-identity), WALLET_FILE
        (/run/wallet/address), CHAIN_CONFIG_DIR (/run/chain): what docker-compose.yml mounts there.
    GOLEM_HUB (devnet:7477): the devnet's hub; yagna 0.17.6 resolves the name itself, anew at every connection,
        but takes ports of at most 4 digits.
    YAGNA_METRICS_PUSH (off): "on" lets yagna report its counters to Golem's public statistics.
    GSB_URL, YAGNA (yagna): the daemon's inner bus and its program.
    """
    network = _network(environment.get("GOLEM_NETWORK", Network.DEVNET.value))
    return Settings(
        network=network,
        data_dir=Path(environment.get("YAGNA_VOLUME", "/var/lib/yagna")) / network.value,
        app_key_file=Path(environment.get("YAGNA_APPKEY_FILE", "/run/yagna/app-key")),
        identity_file=Path(environment.get("YAGNA_IDENTITY_FILE", "/run/yagna-identity")),
        wallet_file=Path(environment.get("WALLET_FILE", "/run/wallet/address")),
        chain_config_dir=Path(environment.get("CHAIN_CONFIG_DIR", "/run/chain")),
        hub=environment.get("GOLEM_HUB", "devnet:7477"),
        gsb_url=environment.get("GSB_URL", DEFAULT_GSB_URL),
        metrics_push=_switch("YAGNA_METRICS_PUSH", environment.get("YAGNA_METRICS_PUSH", "off")),
        program=environment.get("YAGNA", "yagna"),
    )


def _network(text: str) -> Network:
    try:
        return Network(text)
    except ValueError:
        known = ", ".join(network.value for network in Network)
        raise StartError(
            f"GOLEM_NETWORK must be one of {known} — it is {text!r} — correct it in .env, then start it as before"
        ) from None


def _switch(variable: str, text: str) -> bool:
    if text not in ("on", "off"):
        raise StartError(f"{variable} must be on or off — it is {text!r} — correct it in .env")
    return text == "on"
