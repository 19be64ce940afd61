"""One provider of the devnet: its resources and prices, and how it reaches its daemon."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError


class ConfigError(Exception):
    """The providers file cannot be used; the message names the entry."""


class ProviderConfig(BaseModel):
    """An entry of ``providers.yaml``. Prices in GLM: once, per second of each busy CPU, per second."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9-]{1,32}$")
    start_price: Decimal = Field(ge=0)
    per_cpu_second: Decimal = Field(ge=0)
    per_env_second: Decimal = Field(ge=0)
    threads: int = Field(ge=1, le=64)
    memory_gib: float = Field(gt=0)
    storage_gib: float = Field(gt=0)
    capabilities: tuple[str, ...] = ("vpn", "inet", "manifest-support")


class AgentConfig(BaseModel):
    """What the supervisor tells an agent, in a 0600 file. ``siblings`` are the node ids of all agents here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: ProviderConfig
    node_id: str
    app_key: str = Field(repr=False)
    api_url: str
    bus_url: str
    hub_url: str
    subnet: str
    platform: str
    siblings: tuple[str, ...]
    faults_file: Path


def read_providers(path: Path, count: int) -> list[ProviderConfig]:
    """The first ``count`` entries; the last entry of the file is always among them. Raises ConfigError."""
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))["providers"]
        providers = [ProviderConfig.model_validate(entry) for entry in entries]
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValidationError) as error:
        raise ConfigError(f"Cannot read the providers from {path} — {error}") from error
    if len({provider.name for provider in providers}) != len(providers):
        raise ConfigError(f"Cannot read the providers from {path} — two have the same name")
    if not 1 <= count <= len(providers):
        raise ConfigError(f"DEVNET_PROVIDERS is {count} — {path} describes {len(providers)} — choose 1 to that many")
    return [*providers[: count - 1], providers[-1]]
