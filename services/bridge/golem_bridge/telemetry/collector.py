"""Metrics computed from store and ledger at each scrape: they survive restarts and never run backwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from golem_bridge import __version__
from golem_bridge.clusters.bill import totals
from golem_bridge.clusters.books import Books
from golem_bridge.clusters.model import Cluster, Node
from golem_bridge.clusters.states import ClusterState, NodeState
from golem_bridge.money.ledger import ACCEPTANCES, EntryKind
from golem_bridge.settings import GolemNetwork

PREFIX = "rayongolem"


class BridgeCollector(Collector):
    """Nodes, money and prices of the newest incarnation of every cluster; money over all incarnations."""

    def __init__(self, books: Books, network: GolemNetwork) -> None:
        self._books = books
        self._network = network

    def collect(self) -> Iterable[Metric]:
        clusters = self._books.clusters.all_latest()
        yield InfoMetricFamily(
            f"{PREFIX}_build", "What runs here", value={"version": __version__, "network": self._network.value}
        )
        yield self._nodes(clusters)
        yield from self._money(clusters)
        yield self._prices(clusters)

    def _nodes(self, clusters: Iterable[Cluster]) -> Metric:
        family = GaugeMetricFamily(
            f"{PREFIX}_nodes",
            "Nodes by state; every state of every node type is always present",
            labels=["cluster", "node_type", "state"],
        )
        for cluster in clusters:
            found = self._books.nodes.of_cluster(cluster.cluster_id)
            counts = Counter((node.node_type, node.state) for node in found)
            for node_type in cluster.spec.node_types:
                for state in NodeState:
                    count = 0 if state is NodeState.TERMINATED else counts[node_type, state]
                    if state is not NodeState.TERMINATED:
                        family.add_metric([cluster.name, node_type, state.value], count)
        return family

    def _money(self, clusters: Iterable[Cluster]) -> Iterable[Metric]:
        spend = CounterMetricFamily(
            f"{PREFIX}_spend_glm", "GLM accepted, by what it was for", labels=["cluster", "kind"]
        )
        paid = CounterMetricFamily(f"{PREFIX}_paid_glm", "GLM paid on the chain", labels=["cluster"])
        budget = GaugeMetricFamily(f"{PREFIX}_budget_glm", "Budget of the live cluster in GLM", labels=["cluster"])
        left = GaugeMetricFamily(
            f"{PREFIX}_budget_remaining_glm", "Budget neither spent nor reserved, in GLM", labels=["cluster"]
        )
        for cluster in clusters:
            incarnations = [f"{cluster.name}-{number + 1}" for number in range(cluster.incarnation)]
            ledger = self._books.ledger
            for kind in ACCEPTANCES:
                spent = sum(ledger.cluster_glm(incarnation, kind) for incarnation in incarnations)
                spend.add_metric([cluster.name, kind.value], float(spent))
            total_paid = sum(ledger.cluster_glm(incarnation, EntryKind.PAID) for incarnation in incarnations)
            paid.add_metric([cluster.name], float(total_paid))
            if cluster.state is not ClusterState.CLOSED:
                budget.add_metric([cluster.name], float(cluster.budget))
                left.add_metric([cluster.name], float(cluster.budget - totals(self._books, cluster).committed))
        return spend, paid, budget, left

    def _prices(self, clusters: Iterable[Cluster]) -> Metric:
        family = GaugeMetricFamily(
            f"{PREFIX}_node_price_glm_per_hour",
            "Agreed price of a live node with all its threads busy, in GLM per hour",
            labels=["cluster", "node_id"],
        )
        for cluster in clusters:
            for node in self._books.nodes.of_cluster(cluster.cluster_id):
                price = self._price(node)
                if price is not None:
                    family.add_metric([cluster.name, node.node_id], price)
        return family

    def _price(self, node: Node) -> float | None:
        if not node.state.is_live or node.agreement_id is None:
            return None
        contract = self._books.contracts.get(node.agreement_id)
        return None if contract is None else float(contract.price.per_hour(contract.threads))
