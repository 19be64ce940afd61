"""What of a live cluster exists only in memory: its subscriptions, claimed providers, door and tunnel."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from golem_bridge.clusters.ssh import HeadTunnel
from golem_bridge.market.claims import Claims, Talks
from golem_bridge.market.reputation import Reputation
from golem_bridge.market.subscription import Subscription


class Doors(Protocol):
    """Opens and closes the listener through which one cluster's head reaches the bridge."""

    async def open(self, cluster_id: str) -> Path:
        """Path of the unix socket."""

    async def close(self, cluster_id: str) -> None:
        """Closing a closed door is no error."""


@dataclass
class Runtime:
    """Rebuilt from the store when the bridge starts."""

    claims: Claims = field(default_factory=Claims)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    tunnel: HeadTunnel | None = None
    door: Path | None = None

    async def stop_market(self) -> None:
        """Withdraw all demands."""
        subscriptions, self.subscriptions = self.subscriptions, {}
        for subscription in subscriptions.values():
            await subscription.stop()

    async def stop_tunnel(self) -> None:
        tunnel, self.tunnel = self.tunnel, None
        if tunnel is not None:
            await tunnel.stop()


@dataclass
class Runtimes:
    """All live clusters' runtimes by cluster id, and what they share of the market."""

    by_cluster: dict[str, Runtime] = field(default_factory=dict)
    talks: Talks = field(default_factory=Talks)
    reputation: Reputation = field(default_factory=Reputation)

    def of(self, cluster_id: str) -> Runtime:
        """The runtime of a cluster, empty if it was not live yet."""
        return self.by_cluster.setdefault(cluster_id, Runtime(claims=Claims(self.talks)))

    async def drop(self, cluster_id: str, close_door: Callable[[str], Awaitable[None]]) -> None:
        """Stop everything of a cluster."""
        runtime = self.by_cluster.pop(cluster_id, None)
        if runtime is None:
            return
        await runtime.stop_tunnel()
        await runtime.stop_market()
        await close_door(cluster_id)

    async def stop_all(self) -> None:
        """Stop everything in memory; what is rented stays rented."""
        for runtime in self.by_cluster.values():
            await runtime.stop_tunnel()
            await runtime.stop_market()
