"""Values the bridge's unit tests are built from, and a clock that tests move."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from golem_bridge.clusters.spec import ClusterSpec
from golem_bridge.golem.types import DocumentKind, DocumentStatus, PaymentDocument, Proposal, ProposalState
from golem_bridge.market.requirements import DemandSpec, NodeConfig
from golem_bridge.money.contracts import Contract
from golem_bridge.money.price import Price

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
PRICE = Price(start=Decimal("0.01"), per_cpu_second=Decimal("0.00001"), per_env_second=Decimal("0.000005"))
USAGE = ("golem.usage.duration_sec", "golem.usage.cpu_sec")
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJUcDmnPfT8sFiGJ3mwBMuZNqyg2yL0oCmTz0x0x0x0x user@host"


class ManualClock:
    """Time stands still until a test moves it; sleeping moves it too."""

    def __init__(self) -> None:
        self.time = START
        self._origin = START

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return (self.time - self._origin).total_seconds()

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


def contract(**changes: object) -> Contract:
    """A contract whose activity began at START."""
    columns: dict[str, object] = {
        "agreement_id": "agreement-1",
        "cluster_id": "demo-1",
        "node_id": "demo-1-head-0001",
        "provider_id": "0xprovider",
        "provider_name": "provider",
        "price": PRICE,
        "usage_vector": USAGE,
        "threads": 2,
        "created_at": START,
        "activity_id": "activity-1",
        "activity_since": START,
    }
    return Contract(**{**columns, **changes})  # type: ignore[arg-type]


def document(total: Decimal | str, **changes: object) -> PaymentDocument:
    """A debit note of that total, without usage."""
    fields: dict[str, object] = {
        "kind": DocumentKind.DEBIT_NOTE,
        "document_id": "note-1",
        "agreement_id": "agreement-1",
        "activity_ids": ("activity-1",),
        "total_due": Decimal(total),
        "usage": (),
        "issued_at": START,
        "due_at": None,
        "status": DocumentStatus.RECEIVED,
    }
    return PaymentDocument(**{**fields, **changes})  # type: ignore[arg-type]


def offer_properties(**changes: object) -> dict[str, object]:
    """Properties of a good VM provider's offer."""
    return {
        "golem.com.pricing.model": "linear",
        "golem.com.usage.vector": list(USAGE),
        "golem.com.pricing.model.linear.coeffs": [0.000005, 0.00001, 0.01],
        "golem.node.id.name": "provider",
        "golem.inf.cpu.threads": 2,
        "golem.inf.mem.gib": 4.0,
        "golem.inf.storage.gib": 20.0,
        "golem.node.debug.subnet": "devnet",
        "golem.runtime.capabilities": ["vpn"],
        "golem.runtime.name": "vm",
        **changes,
    }


def proposal(provider_id: str = "0xprovider", properties: Mapping[str, object] | None = None) -> Proposal:
    """An initial proposal; ``properties`` differ from the usual ones."""
    return Proposal(
        proposal_id=f"proposal-of-{provider_id}",
        previous_id=None,
        provider_id=provider_id,
        state=ProposalState.INITIAL,
        properties=offer_properties(**(properties or {})),  # type: ignore[arg-type]
        made_at=START,
    )


def node_config(**changes: object) -> NodeConfig:
    """A node type that asks for an image and nothing else."""
    return NodeConfig(demand=DemandSpec(image_tag="ray-on-golem/ray-node:local"), **changes)  # type: ignore[arg-type]


def spec(budget: str = "5", max_workers: int = 3) -> ClusterSpec:
    """A cluster of one head and some workers."""
    return ClusterSpec(
        total_budget=Decimal(budget),
        max_workers=max_workers,
        head_node_type="head",
        node_types={"head": node_config(), "worker": node_config()},
        ssh_public_key=PUBLIC_KEY,
    )
