"""Metrics of nodes: how many, whose, at what price, how quickly they came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from golem_bridge.clusters.books import Books
from golem_bridge.clusters.model import Cluster, Node
from golem_bridge.clusters.runtime import Runtimes
from golem_bridge.clusters.states import EndReason, NodeKind, NodeState
from golem_bridge.market.funnel import FunnelView
from golem_bridge.money.contracts import Contract
from golem_bridge.money.price import to_glm
from golem_bridge.telemetry import catalogue
from golem_bridge.telemetry.families import Families
from golem_bridge.telemetry.history import History

COUNTED_STATES = tuple(state for state in NodeState if state is not NodeState.TERMINATED)
NAME_LENGTH = 64
"""Characters of a provider's name: it comes from a stranger."""


Market = Callable[[str], Mapping[str, FunnelView]]
"""Name of a cluster to what the market has for each of its node types."""

LastHeard = Callable[[str], datetime | None]
"""Id of a node to when its relay was heard of last; None if its silence says nothing."""

HeadAskedAt = Callable[[str], datetime | None]
"""Id of a cluster to when its head asked the bridge for something last; None while it has no door to ask at."""


class NodeMetrics:
    """Writes them for clusters that are not closed."""

    def __init__(
        self,
        books: Books,
        history: History,
        market: Market,
        runtimes: Runtimes,
        last_heard: LastHeard,
        head_asked_at: HeadAskedAt,
    ) -> None:
        self._books = books
        self._history = history
        self._market = market
        self._runtimes = runtimes
        self._last_heard = last_heard
        self._head_asked_at = head_asked_at

    def add_counters(self, families: Families, clusters: Sequence[Cluster]) -> None:
        """What happened since the books began."""
        network, names = self._history.network.value, [cluster.name for cluster in clusters]
        counts = self._history.node_counts(names)
        for cluster in clusters:
            for node_type in _types(cluster, counts.requested):
                key = (cluster.name, node_type)
                labels = (network, *key)
                families.add(catalogue.NODES_REQUESTED, counts.requested[key], *labels)
                families.add(catalogue.NODES_STARTED, counts.started[key], *labels)
                for reason in EndReason:
                    families.add(catalogue.NODES_ENDED, counts.ended[*key, reason], *labels, reason.value)
        for (name, phase), durations in self._history.provisioning(names).items():
            families.add_histogram(catalogue.PROVISION, durations.counts, durations.total, network, name, phase)

    def add(self, families: Families, cluster: Cluster, nodes: Sequence[Node]) -> None:
        """What is there now; ``nodes`` are those not terminated, of earlier incarnations too."""
        counts = Counter((node.node_type, node.state) for node in nodes)
        for node_type in dict.fromkeys([*cluster.spec.node_types, *(node.node_type for node in nodes)]):
            for state in COUNTED_STATES:
                families.add(catalogue.NODES, counts[node_type, state], cluster.name, node_type, state.value)
        families.add(catalogue.MAX_WORKERS, cluster.spec.max_workers, cluster.name)
        self._add_tunnel(families, cluster)
        self._add_head(families, cluster, nodes)
        self._add_market(families, cluster)
        signed = self._books.contracts.by_agreement(node.agreement_id for node in nodes if node.agreement_id)
        for node in nodes:
            self._add_node(families, cluster, node, signed)

    def _add_tunnel(self, families: Families, cluster: Cluster) -> None:
        runtime = self._runtimes.by_cluster.get(cluster.cluster_id)
        if runtime is not None and runtime.tunnel is not None:
            families.add(catalogue.TUNNEL, runtime.tunnel.is_up, cluster.name)
            families.add(catalogue.TUNNEL_RESTARTS, runtime.tunnel.restarts, cluster.name)

    def _add_head(self, families: Families, cluster: Cluster, nodes: Sequence[Node]) -> None:
        asked_at = self._head_asked_at(cluster.cluster_id)
        for node in nodes:
            is_head = node.kind is NodeKind.HEAD and node.cluster_id == cluster.cluster_id
            if is_head and node.state is NodeState.RUNNING and node.running_at and asked_at:
                # its door is open since it was asked for, and nobody can ask before it runs
                families.add(catalogue.HEAD_ASKED, max(asked_at, node.running_at).timestamp(), cluster.name)

    def _add_market(self, families: Families, cluster: Cluster) -> None:
        for node_type, view in self._market(cluster.name).items():
            for step in view.steps:
                families.add(catalogue.MARKET, step.count, cluster.name, node_type, step.name)
            if view.cheapest is not None:
                families.add(catalogue.MARKET_PRICE, float(view.cheapest.per_hour), cluster.name, node_type)

    def _add_node(self, families: Families, cluster: Cluster, node: Node, contracts: Mapping[str, Contract]) -> None:
        contract = contracts.get(node.agreement_id or "")
        if contract is None or not node.state.is_live:
            return
        labels = (cluster.name, node.node_id)
        whose = (contract.provider_id, contract.provider_name[:NAME_LENGTH])
        families.add(catalogue.NODE, 1, *labels, node.node_type, node.kind.value, *whose)
        families.add(catalogue.NODE_PRICE, float(contract.price.per_hour(contract.threads)), *labels)
        families.add(catalogue.NODE_START_PRICE, float(contract.price.start), *labels)
        families.add(catalogue.NODE_THREADS, contract.threads, *labels)
        accepted = to_glm(self._books.ledger.accepted(contract.agreement_id))
        families.add(catalogue.NODE_SPEND, float(accepted), *labels)
        if contract.activity_since is not None:
            families.add(catalogue.NODE_SINCE, contract.activity_since.timestamp(), *labels)
        heard = self._last_heard(node.node_id) if node.runs_ray else None
        if heard is not None:
            families.add(catalogue.NODE_HEARD, heard.timestamp(), *labels)


def _types(cluster: Cluster, requested: Counter[tuple[str, str]]) -> list[str]:
    """Node types of the cluster file, and those of earlier ones."""
    former = (node_type for name, node_type in requested if name == cluster.name)
    return list(dict.fromkeys([*cluster.spec.node_types, *former]))
