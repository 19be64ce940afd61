"""Books of an appliance at work, and a bridge's routes over them: what the console's tests and its picture show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from golem_bridge.api.app import create_app
from golem_bridge.api.context import Context
from golem_bridge.api.views import Presenter
from golem_bridge.clock import Clock
from golem_bridge.clusters.books import Books
from golem_bridge.clusters.caretaker import Caretaker
from golem_bridge.clusters.model import Cluster, Node
from golem_bridge.clusters.runtime import Runtimes
from golem_bridge.clusters.service import ClusterService
from golem_bridge.clusters.states import ClusterState, EndReason, NodeKind, NodeState
from golem_bridge.market.images import ImageRegistry
from golem_bridge.money.contracts import Contract
from golem_bridge.money.funds import Funds
from golem_bridge.money.ledger import EntryKind
from golem_bridge.money.price import Price, to_wei
from golem_bridge.relay import Stream
from golem_bridge.settings import GolemNetwork, Settings
from golem_bridge.store.database import Database
from tests.fakes.clock import VirtualClock
from tests.fakes.golem import MemoryGolem
from tests.unit.bridge.samples import USAGE, spec

WALLET = "0x90ccd78ceec8047b78279eaff0b377d042af623b"
NOTE_EVERY = 60
"""Seconds between a provider's debit notes."""

OPEN = "golem-cluster"
CLOSED = "mandelbrot"


class SampleAppliance:
    """Fills books, by default in memory, with clusters; ``now`` is when the books are looked at."""

    def __init__(self, clock: Clock, path: Path | None = None) -> None:
        self.database = Database.open(path)
        self.books = Books.on(self.database, clock)
        self.now = clock.now()

    def ago(self, minutes: float) -> datetime:
        return self.now - timedelta(minutes=minutes)

    def cluster(self, name: str, incarnation: int, *, minutes: float, budget: str, closed: bool = False) -> str:
        """A cluster opened that many minutes ago; its id."""
        cluster_id = f"{name}-{incarnation}"
        self.books.clusters.add(
            Cluster(
                cluster_id=cluster_id,
                name=name,
                incarnation=incarnation,
                spec=spec(budget, max_workers=6),
                created_at=self.ago(minutes),
                golem_network=GolemNetwork.DEVNET,
                state=ClusterState.CLOSED if closed else ClusterState.ACTIVE,
            )
        )
        return cluster_id

    def node(
        self,
        cluster_id: str,
        number: int,
        *,
        minutes: float,
        provider: str | None = None,
        state: NodeState = NodeState.RUNNING,
        reason: EndReason | None = None,
        message: str = "",
        lasted: float | None = None,
        paid: bool = False,
    ) -> Node:
        """A node asked for that many minutes ago; with a provider, it has a contract and was billed for its time."""
        kind = NodeKind.HEAD if number == 1 else NodeKind.WORKER
        ended = None if lasted is None else self.ago(minutes - lasted)
        agreement_id = f"agreement-{cluster_id}-{number}" if provider else None
        node = Node(
            node_id=f"{cluster_id}-{kind.value}-{number:04d}",
            cluster_id=cluster_id,
            kind=kind,
            node_type=f"ray.{kind.value}.default",
            ip=f"192.168.0.{number + 2}",
            created_at=self.ago(minutes),
            state=state,
            reason=reason,
            message=message,
            agreement_id=agreement_id,
            running_at=self.ago(minutes - 0.6) if provider and state.value[:3] in {"run", "ter"} else None,
            ended_at=ended,
        )
        self.books.nodes.add(node)
        if provider and agreement_id:
            self._bill(node, provider, number, until=ended or self.now, paid=paid)
        return node

    def _bill(self, node: Node, provider: str, number: int, *, until: datetime, paid: bool) -> None:
        assert node.agreement_id is not None
        price = Price(
            start=Decimal("0.001"),
            per_cpu_second=Decimal("0.0000035") + number * Decimal("0.0000004"),
            per_env_second=Decimal("0.000002"),
        )
        since = node.created_at + timedelta(seconds=20)
        self.books.contracts.add(
            Contract(
                agreement_id=node.agreement_id,
                cluster_id=node.cluster_id,
                node_id=node.node_id,
                provider_id=f"0x{number:02x}{'4f1ca85c1b5f6b99681884a8385efe88ff26'[:36]}{number:02x}",
                provider_name=provider,
                price=price,
                usage_vector=USAGE,
                threads=4,
                created_at=since,
                activity_id=f"activity-{node.node_id}",
                activity_since=since,
                ended_at=node.ended_at,
            )
        )
        at, total = since, price.start
        while (at := at + timedelta(seconds=NOTE_EVERY)) <= until:
            busy = Decimal(str(round(2.4 + 1.5 * math.sin(at.timestamp() / 400 + number), 3)))
            cost = price.cost(env_seconds=Decimal(NOTE_EVERY), cpu_seconds=busy * NOTE_EVERY) - price.start
            parts = {EntryKind.CPU: to_wei(cost), EntryKind.START: to_wei(price.start) if total == price.start else 0}
            total += cost
            self.books.ledger.accept(
                cluster_id=node.cluster_id,
                agreement_id=node.agreement_id,
                document_id=f"note-{node.node_id}-{at.timestamp()}",
                parts=parts,
                at=at,
            )
        if paid:
            self.books.ledger.pay(
                cluster_id=node.cluster_id,
                agreement_id=node.agreement_id,
                payment_id=f"payment-{node.node_id}",
                wei=self.books.ledger.accepted(node.agreement_id),
                tx_hash="0xabc",
                at=until,
            )

    def fill(self) -> None:
        """One cluster at work, one closed."""
        own = self.cluster(OPEN, 3, minutes=47, budget="5")
        self.node(own, 1, minutes=47, provider="alder")
        self.node(own, 2, minutes=41, provider="birch.golem.example")
        self.node(own, 3, minutes=40.5, provider="cedar")
        gone = {"state": NodeState.TERMINATED, "paid": True}
        self.node(own, 4, minutes=38, provider="dogwood", lasted=14, **gone, **_lost())  # type: ignore[arg-type]
        self.node(own, 5, minutes=33, provider="elm", lasted=20, **gone, **_idle())  # type: ignore[arg-type]
        self.node(own, 6, minutes=23, provider="fir-4-threads")
        self.node(own, 7, minutes=9, provider="hazel")
        waiting = "Deploying the image at juniper: 41 % of 512 MB"
        self.node(own, 8, minutes=0.7, provider="juniper", state=NodeState.DEPLOYING, message=waiting)
        other = self.cluster(CLOSED, 1, minutes=1700, budget="2", closed=True)
        self.node(other, 1, minutes=1700, provider="alder", lasted=52, **gone, **_idle())  # type: ignore[arg-type]
        self.node(other, 2, minutes=1690, provider="cedar", lasted=40, **gone, **_idle())  # type: ignore[arg-type]

    def events(self) -> Sequence[dict[str, object]]:
        """As the API tells them: oldest first."""
        told = [
            (24.0, 4, "terminating", "Its provider dogwood ended the activity"),
            (22.4, 6, "running", "Runs at fir-4-threads, 36 s after it was asked for"),
            (13.0, 5, "terminated", "Ended on request"),
            (8.4, 7, "running", "Runs at hazel, 36 s after it was asked for"),
            (0.5, 8, "agreed", "Agreed with juniper: 0.1037 GLM/h with 4 threads busy"),
            (0.4, 8, "deploying", "Deploying the image at juniper: 41 % of 512 MB"),
        ]
        return [
            {
                "at": self.ago(minutes).timestamp(),
                "cluster": OPEN,
                "node_id": f"{OPEN}-3-worker-{node:04d}",
                "kind": kind,
                "message": text,
            }
            for minutes, node, kind, text in told
        ]

    def app(self) -> FastAPI:
        """The bridge's routes over these books; nothing behind them works."""
        golem = MemoryGolem(clock=VirtualClock())
        settings = Settings(grafana_port=3000, prometheus_port=9090, appliance_profiles="devnet,grafana")
        runtimes = Runtimes()
        service = ClusterService(
            golem=golem, books=self.books, runtimes=runtimes, images=ImageRegistry("http://nowhere"), settings=settings
        )
        caretaker = Caretaker(
            golem=golem,
            books=self.books,
            runtimes=runtimes,
            service=service,
            settings=settings,
            close_door=lambda _: _nothing(),
            last_heard=lambda _: None,
            reading_since=self.books.clock.now,
        )
        return create_app(
            Context(
                service=service,
                books=self.books,
                caretaker=caretaker,
                presenter=Presenter(self.books, network="devnet", wallet=WALLET),
                connect=_no_connection,
                check_ready=_nothing,
                funds=lambda: Funds(glm=Decimal("999.84"), gas=Decimal("0.9995"), coin="tETH", at=self.now),
                registry=CollectorRegistry(),
                settings=settings,
            )
        )


def _lost() -> dict[str, object]:
    return {"reason": EndReason.PROVIDER_LOST, "message": "Its provider dogwood ended the activity"}


def _idle() -> dict[str, object]:
    return {"reason": EndReason.REQUESTED, "message": "Ended on request"}


async def _nothing() -> None:
    return None


async def _no_connection(node: Node, _port: int) -> Stream:
    raise ConnectionError(f"{node.node_id} is made up")
