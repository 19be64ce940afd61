"""What the API answers: pydantic models made from the room's values. Amounts are decimal strings in GLM."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, Field

from golem_bridge.clusters.bill import BillLine, Totals, bill_lines, earlier, totals
from golem_bridge.clusters.books import Books
from golem_bridge.clusters.history import Point, history
from golem_bridge.clusters.model import Cluster, Node
from golem_bridge.clusters.repository import Tally
from golem_bridge.market.requirements import NodeConfig
from golem_bridge.money.contracts import Contract
from golem_bridge.money.price import glm_text, to_glm


class NodeView(BaseModel):
    """One node. Times are unix seconds; ``price_per_hour`` is for all offered threads busy; ``host_key`` is what its
    sshd has to show, as OpenSSH writes it."""

    node_id: str
    kind: str
    node_type: str
    state: str
    reason: str | None
    message: str
    tags: dict[str, str]
    ip: str
    host_key: str | None
    provider_id: str | None
    provider_name: str | None
    price_start: str | None
    price_per_hour: str | None
    created_at: float
    running_at: float | None
    ended_at: float | None
    spent: str


class ClusterSnapshot(BaseModel):
    """Everything an autoscaler's tick needs, in one answer. ``version`` differs after any change.

    ``nodes`` are those that are not terminated, and the last 50 that ended within an hour; ``nodes_ended`` counts all
    that ended, and a bill names them.
    """

    version: str
    name: str
    incarnation: int
    state: str
    created_at: float
    network: str
    wallet: str
    head_node_type: str
    max_workers: int
    budget: str
    committed: str
    accepted: str
    paid: str
    nodes: list[NodeView]
    nodes_ended: int


class ClusterList(BaseModel):
    """``closing`` names clusters of which an incarnation, not only the newest, waits for its end or its bills.

    ``ending`` are nodes of incarnations before the newest that are not terminated yet, by the cluster's name.
    """

    clusters: list[ClusterSnapshot]
    closing: list[str]
    ending: dict[str, list[NodeView]]


class NodeList(BaseModel):
    nodes: list[NodeView]


class NodeRequest(BaseModel, extra="forbid"):
    """Body of ``POST …/nodes``. ``node_config`` counts where a head is the first to name a node type."""

    node_type: str
    count: int = Field(ge=1, le=100)
    tags: dict[str, str] = {}
    node_config: NodeConfig | None = None


class TerminateRequest(BaseModel, extra="forbid"):
    node_ids: list[Annotated[str, Field(max_length=200)]] = Field(max_length=10_000)
    """Without a bound on them pydantic lets halves of characters through, which the store cannot look up."""


class TagsRequest(BaseModel, extra="forbid"):
    tags: dict[str, str]


class PaymentView(BaseModel):
    tx_hash: str
    amount: str


class BillLineView(BaseModel):
    """One contract: provider, seconds it lasted by our clock, GLM accepted and paid."""

    node_id: str
    kind: str
    node_type: str
    provider_id: str
    provider_name: str
    seconds: float
    accepted: str
    paid: str
    payments: list[PaymentView]


class EarlierView(BaseModel):
    """What the incarnations before the newest cost together, in GLM."""

    incarnations: int
    accepted: str
    paid: str


class Bill(BaseModel):
    """What a cluster's newest incarnation cost."""

    name: str
    incarnation: int
    state: str
    settled: bool
    total_accepted: str
    total_paid: str
    lines: list[BillLineView]
    earlier: EarlierView


class PointView(BaseModel):
    """From ``at`` (unix seconds) on: nodes not ended, those that run, GLM accepted so far."""

    at: float
    nodes: int
    running: int
    spent: str


class History(BaseModel):
    """A cluster's newest incarnation over time: a step at every point, the last one is how things stand."""

    name: str
    incarnation: int
    points: list[PointView]


class Presenter:
    """Makes views; ``wallet`` and ``network`` are the appliance's."""

    def __init__(self, books: Books, *, network: str, wallet: str) -> None:
        self._books = books
        self.network = network
        self.wallet = wallet

    def snapshot(self, cluster: Cluster) -> ClusterSnapshot:
        sums, tally = totals(self._books, cluster), self._books.nodes.tally(cluster.cluster_id)
        return ClusterSnapshot(
            version=_version(cluster, tally, sums),
            name=cluster.name,
            incarnation=cluster.incarnation,
            state=cluster.state.value,
            created_at=cluster.created_at.timestamp(),
            network=cluster.golem_network.value,
            wallet=self.wallet,
            head_node_type=cluster.spec.head_node_type,
            max_workers=cluster.spec.max_workers,
            budget=glm_text(cluster.budget),
            committed=glm_text(sums.committed),
            accepted=glm_text(sums.accepted),
            paid=glm_text(sums.paid),
            nodes=self._current_nodes(cluster),
            nodes_ended=tally.ended,
        )

    def version(self, cluster: Cluster) -> str:
        """Counts of changes: of the cluster, of its nodes, of its ledger."""
        return _version(cluster, self._books.nodes.tally(cluster.cluster_id), totals(self._books, cluster))

    def ending(self, latest: Iterable[Cluster]) -> dict[str, list[NodeView]]:
        """Nodes of incarnations before the latest that are not terminated yet, by the cluster's name."""
        newest = {cluster.cluster_id for cluster in latest}
        ending: defaultdict[str, list[NodeView]] = defaultdict(list)
        for node in self._books.nodes.unfinished():
            if node.cluster_id not in newest:
                ending[self._books.clusters.get(node.cluster_id).name].append(self.node(node))
        return ending

    def node(self, node: Node) -> NodeView:
        return self._node(node, self._books.contracts.get(node.agreement_id) if node.agreement_id else None)

    def _current_nodes(self, cluster: Cluster) -> list[NodeView]:
        nodes = self._books.nodes.current(cluster.cluster_id)
        signed = self._books.contracts.by_agreement(node.agreement_id for node in nodes if node.agreement_id)
        return [self._node(node, signed.get(node.agreement_id or "")) for node in nodes]

    def _node(self, node: Node, contract: Contract | None) -> NodeView:
        spent = self._books.ledger.accepted(node.agreement_id) if node.agreement_id else 0
        return NodeView(
            node_id=node.node_id,
            kind=node.kind.value,
            node_type=node.node_type,
            state=node.state.value,
            reason=node.reason.value if node.reason else None,
            message=node.message,
            tags=dict(node.tags or {}),
            ip=node.ip,
            host_key=node.host_public_key or None,
            provider_id=contract.provider_id if contract else None,
            provider_name=contract.provider_name if contract else None,
            price_start=glm_text(contract.price.start) if contract else None,
            price_per_hour=glm_text(contract.price.per_hour(contract.threads)) if contract else None,
            created_at=node.created_at.timestamp(),
            running_at=node.running_at.timestamp() if node.running_at else None,
            ended_at=node.ended_at.timestamp() if node.ended_at else None,
            spent=glm_text(to_glm(spent)),
        )

    def bill(self, cluster: Cluster, *, settled: bool) -> Bill:
        sums = totals(self._books, cluster)
        before = earlier(self._books, cluster)
        return Bill(
            name=cluster.name,
            incarnation=cluster.incarnation,
            state=cluster.state.value,
            settled=settled,
            total_accepted=glm_text(sums.accepted),
            total_paid=glm_text(sums.paid),
            lines=[_line(line) for line in bill_lines(self._books, cluster)],
            earlier=EarlierView(
                incarnations=before.incarnations,
                accepted=glm_text(before.accepted),
                paid=glm_text(before.paid),
            ),
        )

    def history(self, cluster: Cluster) -> History:
        points = [_point(point) for point in history(self._books, cluster)]
        return History(name=cluster.name, incarnation=cluster.incarnation, points=points)


def _version(cluster: Cluster, tally: Tally, sums: Totals) -> str:
    counts = (cluster.incarnation, cluster.version, tally.changes)
    return ".".join(map(str, counts)) + f"-{glm_text(sums.accepted)}-{glm_text(sums.paid)}"


def _point(point: Point) -> PointView:
    return PointView(at=point.at.timestamp(), nodes=point.nodes, running=point.running, spent=glm_text(point.spent))


def _line(line: BillLine) -> BillLineView:
    return BillLineView(
        node_id=line.node.node_id,
        kind=line.node.kind.value,
        node_type=line.node.node_type,
        provider_id=line.contract.provider_id,
        provider_name=line.contract.provider_name,
        seconds=float(line.seconds),
        accepted=glm_text(line.accepted),
        paid=glm_text(line.paid),
        payments=[PaymentView(tx_hash=item.tx_hash, amount=glm_text(item.amount)) for item in line.payments],
    )
