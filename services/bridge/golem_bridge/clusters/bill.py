"""Snapshot and bill of a cluster, as values for the API."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from golem_bridge.clusters.books import Books
from golem_bridge.clusters.model import Cluster, Node
from golem_bridge.money.budget import total_reserved
from golem_bridge.money.contracts import Contract
from golem_bridge.money.ledger import ACCEPTANCES, EntryKind
from golem_bridge.money.price import to_glm


@dataclass(frozen=True, slots=True)
class Payment:
    """One confirmed payment. ``amount`` in GLM."""

    tx_hash: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class BillLine:
    """What one contract cost. ``seconds`` by our clock, amounts in GLM."""

    node: Node
    contract: Contract
    seconds: Decimal
    accepted: Decimal
    paid: Decimal
    payments: tuple[Payment, ...]


@dataclass(frozen=True, slots=True)
class Totals:
    """GLM: reserved or spent, accepted, paid."""

    committed: Decimal
    accepted: Decimal
    paid: Decimal


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a cluster's incarnations before this one cost, in GLM; counted are those that cost something."""

    incarnations: int
    accepted: Decimal
    paid: Decimal


def totals(books: Books, cluster: Cluster) -> Totals:
    """Sums over a cluster's books."""
    standing = books.contracts.standing(cluster.cluster_id)
    return Totals(
        committed=total_reserved(standing, books.ledger, books.clock.now()),
        accepted=books.ledger.cluster_glm(cluster.cluster_id, *ACCEPTANCES),
        paid=books.ledger.cluster_glm(cluster.cluster_id, EntryKind.PAID),
    )


def earlier(books: Books, cluster: Cluster) -> Earlier:
    """Sums over the ledger of the incarnations before this one, on the same network."""
    before = [each.cluster_id for each in books.clusters.before(cluster)]
    accepted = [books.ledger.cluster_glm(each, *ACCEPTANCES) for each in before]
    return Earlier(
        incarnations=sum(glm > 0 for glm in accepted),
        accepted=sum(accepted, Decimal()),
        paid=sum((books.ledger.cluster_glm(each, EntryKind.PAID) for each in before), Decimal()),
    )


def bill_lines(books: Books, cluster: Cluster) -> list[BillLine]:
    """One line per contract that had an activity, oldest first."""
    lines = []
    for contract in books.contracts.of_cluster(cluster.cluster_id):
        if contract.activity_since is None:
            continue
        agreement_id = contract.agreement_id
        payments = books.ledger.payments(agreement_id)
        lines.append(
            BillLine(
                node=books.nodes.get(contract.node_id),
                contract=contract,
                seconds=contract.activity_seconds(books.clock.now()),
                accepted=to_glm(books.ledger.accepted(agreement_id)),
                paid=to_glm(books.ledger.paid(agreement_id)),
                payments=tuple(Payment(tx_hash, to_glm(wei)) for tx_hash, wei in payments),
            )
        )
    return lines
