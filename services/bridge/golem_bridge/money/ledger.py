"""The ledger: append-only rows in wei; what was accepted, by kind, and what the chain has confirmed as paid."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert

from golem_bridge.money.price import to_glm
from golem_bridge.store.database import Database, contracts, ledger


class EntryKind(StrEnum):
    """``start``, ``env``, ``cpu`` and ``other`` say what an accepted amount was for; ``paid`` is on the chain."""

    START = "start"
    ENV = "env"
    CPU = "cpu"
    OTHER = "other"
    PAID = "paid"

    @property
    def is_acceptance(self) -> bool:
        return self is not EntryKind.PAID


ACCEPTANCES = tuple(kind for kind in EntryKind if kind.is_acceptance)


class Ledger:
    """Rows on disk, sums in memory (rebuilt from the rows at start, so they are always equal)."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._by_agreement: dict[tuple[str, EntryKind], int] = defaultdict(int)
        self._by_cluster: dict[tuple[str, EntryKind], int] = defaultdict(int)
        columns = ledger.c
        rows = select(columns.cluster_id, columns.agreement_id, columns.kind, columns.wei)
        with database.read() as connection:
            for cluster_id, agreement_id, kind, wei in connection.execute(rows):  # one by one: they can be a million
                self._count(cluster_id, agreement_id, EntryKind(kind), wei)

    def accept(
        self,
        *,
        cluster_id: str,
        agreement_id: str,
        document_id: str,
        parts: Mapping[EntryKind, int],
        at: datetime,
    ) -> None:
        """Book an accepted document's additional wei, by kind. Booking a document twice changes nothing."""
        self._append(cluster_id, agreement_id, document_id, parts, at, detail="")

    def pay(self, *, cluster_id: str, agreement_id: str, payment_id: str, wei: int, tx_hash: str, at: datetime) -> None:
        """Book a confirmed payment. Booking it twice changes nothing."""
        self._append(cluster_id, agreement_id, payment_id, {EntryKind.PAID: wei}, at, detail=tx_hash)

    def accepted(self, agreement_id: str) -> int:
        """Wei accepted for an agreement so far."""
        return sum(self._by_agreement[agreement_id, kind] for kind in ACCEPTANCES)

    def paid(self, agreement_id: str) -> int:
        """Wei paid for an agreement so far."""
        return self._by_agreement[agreement_id, EntryKind.PAID]

    def cluster_glm(self, cluster_id: str, *kinds: EntryKind) -> Decimal:
        """GLM booked for a cluster under the given kinds."""
        return to_glm(sum(self._by_cluster[cluster_id, kind] for kind in kinds))

    def sums(self) -> Iterator[tuple[str, EntryKind, int]]:
        """Agreement, kind and wei booked under both."""
        for (agreement_id, kind), wei in self._by_agreement.items():
            if wei:
                yield agreement_id, kind, wei

    def payments(self, agreement_id: str) -> list[tuple[str, int]]:
        """Transaction hash and wei of each payment of an agreement."""
        query = select(ledger.c.detail, ledger.c.wei).where(
            ledger.c.agreement_id == agreement_id, ledger.c.kind == EntryKind.PAID
        )
        with self._database.read() as connection:
            return [(row.detail, row.wei) for row in connection.execute(query).all()]

    def acceptances(self, cluster_id: str) -> list[tuple[datetime, int]]:
        """Wei accepted for a cluster, by the time it was booked."""
        own = select(contracts.c.agreement_id).where(contracts.c.cluster_id == cluster_id)  # both columns are indexed
        query = (
            select(ledger.c.at, ledger.c.wei)
            .where(ledger.c.agreement_id.in_(own), ledger.c.kind != EntryKind.PAID)
            .order_by(ledger.c.entry_id)
        )
        with self._database.read() as connection:
            return [(row.at, row.wei) for row in connection.execute(query).all()]

    def _append(
        self,
        cluster_id: str,
        agreement_id: str,
        reference: str,
        parts: Mapping[EntryKind, int],
        at: datetime,
        *,
        detail: str,
    ) -> None:
        for wei in parts.values():
            if wei < 0:
                raise ValueError(f"a ledger row cannot be negative: {wei} wei for {reference}")
        new: list[tuple[EntryKind, int]] = []
        with self._database.write() as connection:
            for kind, wei in parts.items():
                statement = (
                    insert(ledger)
                    .values(
                        at=at,
                        cluster_id=cluster_id,
                        agreement_id=agreement_id,
                        kind=kind.value,
                        wei=wei,
                        reference=reference,
                        detail=detail,
                    )
                    .on_conflict_do_nothing()
                )
                if connection.execute(statement).rowcount:
                    new.append((kind, wei))
        for kind, wei in new:
            self._count(cluster_id, agreement_id, kind, wei)

    def _count(self, cluster_id: str, agreement_id: str, kind: EntryKind, wei: int) -> None:
        self._by_agreement[agreement_id, kind] += wei
        self._by_cluster[cluster_id, kind] += wei
