"""A subscription on the memory Golem, and what it needs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal

from golem_bridge.market.claims import Claims
from golem_bridge.market.demand import PaymentTerms, build_demands
from golem_bridge.market.feed import Draft
from golem_bridge.market.images import Image
from golem_bridge.market.reputation import Reputation
from golem_bridge.market.requirements import NodeConfig
from golem_bridge.market.subscription import Subscription
from tests.fakes.clock import VirtualClock
from tests.fakes.golem import FakeProvider, MemoryGolem
from tests.unit.bridge.samples import node_config

TERMS = PaymentTerms(platform="erc20-hoodi-tglm", debit_note_interval=10, payment_timeout=60, decoration=({}, ()))


@dataclass
class Stall:
    """A subscription and what it needs."""

    golem: MemoryGolem
    clock: VirtualClock
    subscription: Subscription
    claims: Claims = field(default_factory=Claims)
    reputation: Reputation = field(default_factory=Reputation)
    said: list[str] = field(default_factory=list)

    async def draft(
        self, *, avoid: Collection[str] = (), patience: float = 100, claims: Claims | None = None, left: str = "100"
    ) -> Draft:
        return await self.subscription.draft(
            claims=self.claims if claims is None else claims,
            avoid=avoid,
            budget_left=lambda: Decimal(left),
            patience=patience,
            progress=self.said.append,
        )

    async def partner(self, *, avoid: Collection[str] = (), patience: float = 100) -> str:
        """Name of the provider that is agreed with."""
        return (await self.draft(avoid=avoid, patience=patience)).offer.provider_name

    def counts(self) -> dict[str, int]:
        return {step.name: step.count for step in self.subscription.view(self.claims).steps}


@asynccontextmanager
async def stall(
    *providers: FakeProvider, config: NodeConfig | None = None, golem_type: type[MemoryGolem] = MemoryGolem
) -> AsyncIterator[Stall]:
    clock, reputation, config = VirtualClock(), Reputation(), config or node_config()
    golem = golem_type(clock=clock)
    for provider in providers:
        golem.join(provider)
    subscription = subscribed(golem, clock, config, reputation)
    try:
        async with clock.flowing():
            yield Stall(golem, clock, subscription, reputation=reputation)
    finally:
        await subscription.stop()
        await golem.close()


def subscribed(golem: MemoryGolem, clock: VirtualClock, config: NodeConfig, reputation: Reputation) -> Subscription:
    demands = build_demands(config, Image("http://image", "ab"), TERMS, subnet="devnet", now=clock.now())
    subscription = Subscription(golem=golem, demands=demands, config=config, reputation=reputation, clock=clock)
    subscription.start()
    return subscription


def provider(name: str, start: str = "0.01", **habits: object) -> FakeProvider:
    return FakeProvider(name, price_start=Decimal(start), **habits)  # type: ignore[arg-type]
