"""What a user asks for: the limits of a cluster, recorded at ``ray up``."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field, model_validator

from golem_bridge.market.requirements import Model, NodeConfig

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
HEAD_PORT = 4578
"""Where our plug-in finds the bridge on a head."""

PUBLIC_KEY_PATTERN = r"^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/=]+( [^\r\n\"'`$\\]*)?$"


class ClusterSpec(Model):
    """Body of ``PUT /v1/clusters/{name}``. ``total_budget`` is GLM for the whole life of the cluster.

    ``head_port`` is where upstream's plug-in finds the bridge on the head: on the port that its host has it on.
    """

    total_budget: Annotated[Decimal, Field(gt=0, max_digits=30, decimal_places=18, allow_inf_nan=False)]
    max_workers: Annotated[int, Field(ge=0, le=1000)]
    head_node_type: str
    node_types: dict[str, NodeConfig]
    ssh_public_key: Annotated[str, Field(pattern=PUBLIC_KEY_PATTERN, max_length=2000)]
    head_port: Annotated[int, Field(ge=1, lt=1 << 16)] = HEAD_PORT

    @property
    def head_ports(self) -> frozenset[int]:
        """All that lead to the bridge from the head's loopback."""
        return frozenset({HEAD_PORT, self.head_port})

    @model_validator(mode="after")
    def _head_is_a_node_type(self) -> ClusterSpec:
        if self.head_node_type not in self.node_types:
            known = ", ".join(sorted(self.node_types)) or "none"
            raise ValueError(f"head_node_type {self.head_node_type!r} is not among node_types ({known})")
        return self
