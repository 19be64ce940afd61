"""A bridge's books with a cluster in them, and what Prometheus reads of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from golem_bridge.clusters.books import Books
from golem_bridge.clusters.model import Cluster, Node
from golem_bridge.clusters.runtime import Runtimes
from golem_bridge.clusters.states import ClusterState, EndReason, NodeKind, NodeState
from golem_bridge.errors import GolemError
from golem_bridge.market.funnel import FunnelView
from golem_bridge.money.funds import Funds
from golem_bridge.money.ledger import EntryKind
from golem_bridge.money.price import to_wei
from golem_bridge.settings import GolemNetwork
from golem_bridge.store.database import Database
from golem_bridge.telemetry.logs import LogCounts
from golem_bridge.telemetry.room import Telemetry
from tests.fakes.golem import MemoryGolem
from tests.unit.bridge.samples import START, ManualClock, contract, spec

Labels = dict[str, str]


class Town:
    """Everything telemetry looks at, in memory."""

    def __init__(self, network: GolemNetwork = GolemNetwork.DEVNET, database: Database | None = None) -> None:
        """Over books of its own, or over those of a bridge before."""
        self.network = network
        self.clock = ManualClock()
        self.database = database or Database.open(None)
        self.books = Books.on(self.database, self.clock)
        self.market: dict[str, FunnelView] = {}
        self.heard: dict[str, datetime | None] = {}
        self.asked: dict[str, datetime] = {}
        """When heads asked for something last, by cluster id."""
        self.runtimes = Runtimes()
        self.logs = LogCounts()
        self.golem = MemoryGolem(clock=self.clock)
        self.funds: Funds | None = None
        self.telemetry = Telemetry(
            golem=self.golem,
            books=self.books,
            database=self.database,
            network=network,
            app_session_id="session",
            market=lambda name: self.market,
            last_heard=lambda node_id: self.heard.get(node_id, START),
            head_asked_at=self.asked.get,
            runtimes=self.runtimes,
            logs=self.logs,
            funds=self._funds,
        )

    def _funds(self) -> Funds:
        if self.funds is None:
            raise GolemError("yagna has not told")
        return self.funds

    def exposed(self) -> str:
        """The body of /metrics."""
        return generate_latest(self.telemetry.registry).decode()

    def samples(self, name: str) -> list[tuple[Labels, float]]:
        """All series of one name."""
        return [
            (sample.labels, sample.value)
            for family in text_string_to_metric_families(self.exposed())
            for sample in family.samples
            if sample.name == name
        ]

    def value(self, name: str, **labels: str) -> float:
        """The one series with these labels, whatever others it has."""
        (found,) = [value for held, value in self.samples(name) if labels.items() <= held.items()]
        return found

    def cluster(self, incarnation: int = 1) -> Cluster:
        cluster = Cluster(f"demo-{incarnation}", "demo", incarnation, spec(), START, self.network)
        self.books.clusters.add(cluster)
        return cluster

    def node(self, number: int = 1, *, incarnation: int = 1) -> Node:
        """A running head, rented as ``agreement-<number>`` 10 s after it was asked for, up after 30 s."""
        cluster_id, agreement_id = f"demo-{incarnation}", f"agreement-{number}"
        node = Node(
            node_id=f"node-{number}",
            cluster_id=cluster_id,
            kind=NodeKind.HEAD,
            node_type="head",
            ip="192.168.0.2",
            created_at=START,
            state=NodeState.RUNNING,
            agreement_id=agreement_id,
            running_at=START + timedelta(seconds=30),
        )
        self.books.nodes.add(node)
        self.books.contracts.add(
            contract(
                agreement_id=agreement_id,
                cluster_id=cluster_id,
                node_id=node.node_id,
                activity_id=f"activity-{number}",
                created_at=START + timedelta(seconds=10),
                activity_since=START + timedelta(seconds=12),
            )
        )
        return node

    def accept(self, number: int, glm: str, *, kind: EntryKind = EntryKind.CPU) -> None:
        self.books.ledger.accept(
            cluster_id="demo-1",
            agreement_id=f"agreement-{number}",
            document_id=f"document-{number}-{glm}",
            parts={kind: to_wei(Decimal(glm))},
            at=START,
        )

    def end(self, node: Node, reason: EndReason) -> None:
        self.books.nodes.change(
            node.node_id, lambda node: replace(node.ending(reason, "over"), state=NodeState.TERMINATED)
        )

    def close(self, cluster: Cluster) -> None:
        self.books.clusters.change(cluster.cluster_id, lambda cluster: replace(cluster, state=ClusterState.CLOSED))
