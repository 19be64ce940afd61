"""The client's requests. It sends JSON without a Content-Type, and its own models forbid unknown keys in settings."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from golem_bridge.clusters.spec import NAME_PATTERN

Name = Annotated[str, Field(max_length=200)]
Tags = dict[Name, Annotated[str, Field(max_length=10_000)]]


class Request(BaseModel):
    """Unknown keys are ignored, as upstream's server does."""

    model_config = ConfigDict(frozen=True)


class Settings(BaseModel):
    """Unknown keys are errors, as upstream's server does: a misspelt limit must not be no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ExpectedUsage(Settings):
    cpu_load: Decimal
    duration_hours: Decimal
    max_cost: Decimal | None = None


class PaymentInterval(Settings):
    minimal: Decimal = Decimal(12)
    optimal: Decimal | None = None


class BudgetControl(Settings):
    """GLM, GLM per CPU and hour, GLM per hour."""

    per_cpu_expected_usage: ExpectedUsage | None = None
    max_start_price: Decimal | None = None
    max_cpu_per_hour_price: Decimal | None = None
    max_env_per_hour_price: Decimal | None = None
    payment_interval_hours: PaymentInterval | None = None


class Demand(Settings):
    node_descriptor: dict[str, Any] | None = None
    image_hash: str | None = None
    image_tag: str | None = None
    capabilities: list[Name] = ["vpn", "inet"]
    outbound_urls: list[str] = []
    min_mem_gib: float = 0.0
    min_cpu_threads: int = 0
    min_storage_gib: float = 0.0
    max_cpu_threads: int | None = None
    runtime: Name = "vm"


class NodeConfig(Settings):
    subnet_tag: Name
    priority_subnet_tag: Name | None = None
    demand: Demand = Demand()
    budget_control: BudgetControl | None = None


class Parameters(Settings):
    """The provider section of the cluster file. ``ssh_private_key`` is a path on the host."""

    webserver_port: int
    ray_gcs_expose_port: int | None = None
    enable_registry_stats: bool
    payment_network: Name
    payment_driver: Name
    total_budget: Decimal
    node_config: NodeConfig
    ssh_private_key: str
    ssh_user: str
    webserver_datadir: str | None = None


class OfWallet(Request):
    payment_network: Name
    payment_driver: Name


class OfCluster(Request):
    cluster_name: Annotated[str, Field(pattern=NAME_PATTERN)]


class OfNode(OfCluster):
    node_id: Name


class NonTerminated(OfCluster):
    tags: Tags


class RequestNodes(OfCluster):
    provider_parameters: Parameters
    node_config: NodeConfig
    count: int = Field(ge=1, le=100)
    tags: Tags


class SetTags(OfNode):
    tags: Tags


class Shutdown(Request):
    ignore_self_shutdown: bool = False
    force_shutdown: bool = False
    shutdown_delay: int | None = None
