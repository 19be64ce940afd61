"""What the workers of this room share: the tables, the ledger, the clock, and the bell rung at changes."""

from __future__ import annotations

from dataclasses import dataclass

from golem_bridge.clock import Clock
from golem_bridge.clusters.repository import Clusters, Nodes
from golem_bridge.loops import Changes
from golem_bridge.money.contracts import Contracts
from golem_bridge.money.ledger import Ledger
from golem_bridge.store.database import Database
from golem_bridge.store.events import Events


@dataclass(frozen=True)
class Books:
    """One per bridge."""

    clusters: Clusters
    nodes: Nodes
    contracts: Contracts
    ledger: Ledger
    events: Events
    changes: Changes
    clock: Clock

    @classmethod
    def on(cls, database: Database, clock: Clock) -> Books:
        """The books kept in a database."""
        return cls(
            clusters=Clusters(database, clock),
            nodes=Nodes(database, clock),
            contracts=Contracts(database),
            ledger=Ledger(database),
            events=Events(database),
            changes=Changes(),
            clock=clock,
        )
