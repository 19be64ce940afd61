"""What a cluster file may ask of a node: resources, image and price limits (upstream's key names)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

Glm = Annotated[Decimal, Field(ge=0, max_digits=30, decimal_places=18, allow_inf_nan=False)]
"""A non-negative amount of GLM with at most 18 decimals."""


class Model(BaseModel):
    """Frozen, and unknown keys are errors: a misspelt limit must not be no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DemandSpec(Model):
    """Resources and image of a node."""

    image_tag: str | None = None
    image_hash: str | None = None
    capabilities: tuple[str, ...] = ("vpn",)
    min_mem_gib: float = Field(default=0, ge=0)
    min_cpu_threads: int = Field(default=0, ge=0)
    min_storage_gib: float = Field(default=0, ge=0)
    max_cpu_threads: int | None = Field(default=None, ge=1)
    runtime: str = "vm"

    @model_validator(mode="after")
    def _one_image(self) -> DemandSpec:
        if (self.image_tag is None) == (self.image_hash is None):
            raise ValueError("exactly one of image_tag and image_hash must be given")
        return self


class BudgetControl(Model):
    """Offers above any of these are not considered. GLM, GLM per CPU and hour, GLM per hour."""

    max_start_price: Glm | None = None
    max_cpu_per_hour_price: Glm | None = None
    max_env_per_hour_price: Glm | None = None


class NodeConfig(Model):
    """One node type's part of the cluster file."""

    subnet_tag: str | None = None
    demand: DemandSpec
    budget_control: BudgetControl | None = None
