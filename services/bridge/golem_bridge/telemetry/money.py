"""Metrics of money: spent, paid, due, left. Decimal until here, float from here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from golem_bridge.clusters.books import Books
from golem_bridge.clusters.model import Cluster, Node
from golem_bridge.money.budget import total_exposure, total_reserved
from golem_bridge.money.ledger import ACCEPTANCES, EntryKind
from golem_bridge.money.price import to_glm
from golem_bridge.settings import GolemNetwork
from golem_bridge.telemetry import catalogue
from golem_bridge.telemetry.families import Families

Owner = tuple[str, str]
"""Names of a cluster and of a node type."""


class MoneyMetrics:
    """Counters for every cluster there ever was, gauges for those not closed."""

    def __init__(self, books: Books, network: GolemNetwork) -> None:
        self._books = books
        self._network = network
        self._owners: dict[str, Owner | None] = {}

    def add_counters(self, families: Families, clusters: Sequence[Cluster]) -> None:
        """What was accepted and paid, over all incarnations on this network; ``clusters`` are the newest."""
        sums: defaultdict[tuple[Owner, EntryKind], int] = defaultdict(int)
        owners = {(cluster.name, node_type) for cluster in clusters for node_type in cluster.spec.node_types}
        for agreement_id, kind, wei in self._books.ledger.sums():
            owner = self._owner(agreement_id)
            if owner is None:
                continue
            owners.add(owner)
            sums[owner, kind] += wei
        for owner in sorted(owners):
            labels = (self._network.value, *owner)
            for kind in ACCEPTANCES:
                families.add(catalogue.SPEND, float(to_glm(sums[owner, kind])), *labels, kind.value)
            families.add(catalogue.PAID, float(to_glm(sums[owner, EntryKind.PAID])), *labels)

    def add(self, families: Families, cluster: Cluster, nodes: Sequence[Node]) -> None:
        """What is rented and what is left now; ``nodes`` are those not terminated, of earlier incarnations too."""
        ledger, now = self._books.ledger, self._books.clock.now()
        standing = self._books.contracts.standing(cluster.cluster_id)
        left = cluster.budget - total_reserved(standing, ledger, now)
        families.add(catalogue.BUDGET, float(cluster.budget), cluster.name)
        families.add(catalogue.BUDGET_LEFT, float(left), cluster.name)
        families.add(catalogue.EXPOSURE, float(total_exposure(standing, ledger, now)), cluster.name)
        accepted = ledger.cluster_glm(cluster.cluster_id, *ACCEPTANCES)
        families.add(catalogue.BUDGET_ACCEPTED, float(accepted), cluster.name)
        paid = ledger.cluster_glm(cluster.cluster_id, EntryKind.PAID)
        families.add(catalogue.BUDGET_PAID, float(paid), cluster.name)
        self._add_burn(families, cluster, nodes)

    def _add_burn(self, families: Families, cluster: Cluster, nodes: Sequence[Node]) -> None:
        types = {node.node_id: node.node_type for node in nodes}
        burn = dict.fromkeys(cluster.spec.node_types, Decimal(0))
        for contract in self._books.contracts.open():
            node_type = types.get(contract.node_id)
            if node_type is not None and contract.activity_since is not None:
                burn[node_type] = burn.get(node_type, Decimal(0)) + contract.price.per_hour(contract.threads)
        for node_type, rate in burn.items():
            families.add(catalogue.BURN, float(rate), cluster.name, node_type)

    def _owner(self, agreement_id: str) -> Owner | None:
        """None if it was paid on another network. Never changes, so it is read once."""
        if agreement_id not in self._owners:
            contract = self._books.contracts.get(agreement_id)
            assert contract is not None, "the ledger books nothing for an unknown agreement"
            cluster, node = self._books.clusters.get(contract.cluster_id), self._books.nodes.get(contract.node_id)
            is_own = cluster.golem_network is self._network
            self._owners[agreement_id] = (cluster.name, node.node_type) if is_own else None
        return self._owners[agreement_id]
