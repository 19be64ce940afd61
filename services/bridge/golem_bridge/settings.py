"""Every setting of the bridge, read from environment variables and documented here.

Secrets are never values of variables: a variable names the file that holds them.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class GolemNetwork(StrEnum):
    """Where machines are rented and with what they are paid."""

    DEVNET = "devnet"
    HOODI = "hoodi"
    POLYGON = "polygon"

    @property
    def payment_platform(self) -> str:
        """yagna's name of driver, chain and token. On devnet the chain poses as hoodi."""
        return "erc20-polygon-glm" if self is GolemNetwork.POLYGON else "erc20-hoodi-tglm"

    @property
    def default_subnet(self) -> str:
        return "devnet" if self is GolemNetwork.DEVNET else "public"

    @property
    def default_registry(self) -> str:
        """Where image tags are looked up."""
        return "http://devnet:8480" if self is GolemNetwork.DEVNET else "https://registry.golem.network"

    @property
    def default_debit_note_interval(self) -> int:
        """Seconds; short on the devnet, so that spending is seen while one watches."""
        return 10 if self is GolemNetwork.DEVNET else 180


class Settings(BaseSettings):
    """Environment of the bridge's container."""

    model_config = SettingsConfigDict(env_prefix="", extra="ignore", frozen=True)

    golem_network: GolemNetwork = GolemNetwork.DEVNET
    """GOLEM_NETWORK: devnet (free, local), hoodi (public test network) or polygon (real money)."""

    yagna_api_url: str = "http://yagna:7465"
    """YAGNA_API_URL: REST address of the yagna daemon."""

    yagna_appkey_file: Path = Path("/run/yagna/app-key")
    """YAGNA_APPKEY_FILE: file with the app-key, written by the yagna container."""

    balance_file: Path = Path("/run/wallet/balance.json")
    """BALANCE_FILE: what the wallet holds, written by the yagna container."""

    bridge_token_file: Path = Path("/run/bridge/token")
    """BRIDGE_TOKEN_FILE: token of the host door."""

    metrics_token_file: Path = Path("/run/bridge/metrics-token")
    """METRICS_TOKEN_FILE: token that opens /metrics only."""

    bridge_data_dir: Path = Path("/var/lib/bridge")
    """BRIDGE_DATA_DIR: books (SQLite), the bridge's ssh key and the head doors' sockets."""

    bridge_listen_host: str = "0.0.0.0"  # noqa: S104 - inside the container; compose publishes on 127.0.0.1
    """BRIDGE_LISTEN_HOST: address to listen on."""

    bridge_listen_port: int = 4578
    """BRIDGE_LISTEN_PORT: port to listen on, inside the container."""

    bridge_allowed_hosts: str = "127.0.0.1,localhost,bridge"
    """BRIDGE_ALLOWED_HOSTS: comma list of names a request's Host header may carry."""

    bridge_admit_upstream_client: bool = False
    """BRIDGE_ADMIT_UPSTREAM_CLIENT: let upstream's ray-on-golem 0.13 client in, which can send no token. Everybody
    who can connect to the bridge's port can then rent nodes and read the ssh keys made for that client."""

    bridge_upstream_max_workers: int = Field(default=10, ge=0, le=1000)
    """BRIDGE_UPSTREAM_MAX_WORKERS: max_workers of clusters opened by upstream's client, which does not send its own."""

    appliance_dir: Path | None = None
    """APPLIANCE_DIR: the appliance's folder as the host sees it; upstream's client is told to run its relay client."""

    run_dir: Path = Path("run")
    """RUN_DIR: folder of tokens as the host sees it, within the appliance's or absolute."""

    grafana_port: int | None = None
    """GRAFANA_PORT: port on the user's machine for the console's link; unset: no link."""

    prometheus_port: int | None = None
    """PROMETHEUS_PORT: port on the user's machine for the console's link; unset: no link."""

    appliance_profiles: str = ""
    """APPLIANCE_PROFILES: comma list of the compose profiles in use; without ``grafana`` there is no link to it."""

    image_registry_url: str | None = None
    """IMAGE_REGISTRY_URL: where image tags are looked up; default by network."""

    debit_note_interval: int | None = Field(default=None, ge=1)
    """DEBIT_NOTE_INTERVAL: seconds between debit notes to agree on; default by network."""

    payment_timeout: int = Field(default=43_200, ge=60)
    """PAYMENT_TIMEOUT: seconds after which a debit note may become payable on its own."""

    market_patience: float = Field(default=300.0, gt=0)
    """MARKET_PATIENCE: seconds to look for a fitting provider before a node's start fails."""

    deploy_timeout: float = Field(default=300.0, gt=0)
    """DEPLOY_TIMEOUT: seconds one provider may take to deploy the image and start."""

    settlement_patience: float = Field(default=900.0, gt=0)
    """SETTLEMENT_PATIENCE: seconds a closing cluster waits for invoices and payments."""

    log_level: str = "INFO"
    """LOG_LEVEL: DEBUG, INFO, WARNING or ERROR."""

    @field_validator("appliance_dir", "image_registry_url", "debit_note_interval", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return value or None

    @property
    def registry_url(self) -> str:
        return self.image_registry_url or self.golem_network.default_registry

    @property
    def agreed_debit_note_interval(self) -> int:
        return self.debit_note_interval or self.golem_network.default_debit_note_interval

    @property
    def linked_grafana_port(self) -> int | None:
        """Of a Grafana that was started."""
        profiles = {name.strip() for name in self.appliance_profiles.split(",")}
        return self.grafana_port if "grafana" in profiles else None

    @property
    def allowed_hosts(self) -> frozenset[str]:
        return frozenset(name.strip() for name in self.bridge_allowed_hosts.split(",") if name.strip())


PLACEHOLDERS = frozenset({"", "changeme", "changethis", "secret", "token", "password", "try_golem"})
MIN_SECRET_LENGTH = 16


class SecretError(Exception):
    """A secret file is missing, unreadable or holds a placeholder."""


def read_secret(path: Path) -> str:
    """The one line of a secret file. Raises SecretError, never naming the content."""
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SecretError(
            f"Cannot read the secret {path} — {error.strerror} — start the whole appliance: make up"
        ) from error
    if secret.lower() in PLACEHOLDERS or len(secret) < MIN_SECRET_LENGTH:
        raise SecretError(f"The secret {path} is a placeholder ({len(secret)} characters) — remove it and run: make up")
    return secret
