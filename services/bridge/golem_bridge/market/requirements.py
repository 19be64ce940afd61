"""What a cluster file may ask of a node: resources, image and price limits (upstream's key names)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Glm = Annotated[Decimal, Field(ge=0, max_digits=30, decimal_places=18, allow_inf_nan=False)]
"""A non-negative amount of GLM with at most 18 decimals."""

MAX_URLS = 100
MAX_URL_LENGTH = 2000


def _web_address(url: str) -> str:
    """Whether a node may be let out to it; nobody here ever fetches it."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or not url.isprintable():
        raise ValueError("an outbound URL starts with http:// or https:// and names a host, and no user")
    return url


OutboundUrl = Annotated[str, Field(max_length=MAX_URL_LENGTH), AfterValidator(_web_address)]


class Model(BaseModel):
    """Frozen, and unknown keys are errors: a misspelt limit must not be no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Gib = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""Never endless: JSON has no such number, so a row with one could be written, but not be read again."""


class DemandSpec(Model):
    """Resources and image of a node."""

    image_tag: str | None = None
    image_hash: str | None = None
    capabilities: tuple[str, ...] = ("vpn",)
    outbound_urls: tuple[OutboundUrl, ...] = Field(default=(), max_length=MAX_URLS)
    min_mem_gib: Gib = 0
    min_cpu_threads: int = Field(default=0, ge=0)
    min_storage_gib: Gib = 0
    max_cpu_threads: int | None = Field(default=None, ge=1)
    runtime: str = "vm"

    @model_validator(mode="after")
    def _one_image(self) -> DemandSpec:
        if (self.image_tag is None) == (self.image_hash is None):
            raise ValueError("exactly one of image_tag and image_hash must be given")
        return self

    @property
    def needed_capabilities(self) -> tuple[str, ...]:
        """What the provider's runtime must be able to do, sorted: nodes live in a VPN, ways out need a manifest."""
        outbound = {"inet", "manifest-support"} if self.outbound_urls else set()
        return tuple(sorted({"vpn", *self.capabilities, *outbound}))


Amount = Annotated[Decimal, Field(ge=0, max_digits=30, allow_inf_nan=False)]


class ExpectedUsage(Model):
    """How a CPU will be used: offers are compared by what that would cost per CPU.

    ``cpu_load`` is the busy part of the time, ``max_cost`` GLM per CPU, start price included.
    """

    cpu_load: Amount
    duration_hours: Amount
    max_cost: Glm | None = None


class BudgetControl(Model):
    """Offers above any of these are not considered. GLM, GLM per CPU and hour, GLM per hour."""

    per_cpu_expected_usage: ExpectedUsage | None = None
    max_start_price: Glm | None = None
    max_cpu_per_hour_price: Glm | None = None
    max_env_per_hour_price: Glm | None = None


class NodeConfig(Model):
    """One node type's part of the cluster file. Offers of the priority subnet are preferred to all others."""

    subnet_tag: str | None = None
    priority_subnet_tag: str | None = None
    demand: DemandSpec
    budget_control: BudgetControl | None = None
