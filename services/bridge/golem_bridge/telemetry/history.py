"""What the books tell of all nodes there ever were, added up by SQLite: counters that survive restarts."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, or_, select

from golem_bridge.clusters.states import EndReason
from golem_bridge.settings import GolemNetwork
from golem_bridge.store.database import Database, clusters, contracts, documents, nodes, verdicts
from golem_bridge.telemetry.catalogue import PHASE_BUCKETS

MOMENTS = (
    ("requested", nodes.c.created_at),
    ("signed", contracts.c.created_at),
    ("begun", contracts.c.activity_since),
    ("running", nodes.c.running_at),
)
"""Where the books keep them. A node keeps the contract it came up under."""

PHASES: Mapping[str, tuple[str, str]] = {
    "search": ("requested", "signed"),
    "agreement": ("signed", "begun"),
    "start": ("begun", "running"),
    "total": ("requested", "running"),
}
"""Name to the moments of its begin and end."""

OVERLAP = timedelta(hours=1)
"""How far the machine's clock may be set back without a node being missed."""


@dataclass(frozen=True, slots=True)
class NodeCounts:
    """Numbers of nodes, by cluster name and node type."""

    requested: Counter[tuple[str, str]]
    started: Counter[tuple[str, str]]
    ended: Counter[tuple[str, str, EndReason]]


@dataclass(slots=True)
class Durations:
    """How long a phase took: ``counts`` per bucket, the last one beyond all bounds; ``total`` seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(PHASE_BUCKETS) + 1))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        """One more."""
        self.counts[bisect_left(PHASE_BUCKETS, seconds)] += 1
        self.total += seconds


class History:
    """Reads tables whose rows are never deleted; counts what happened on one network."""

    def __init__(self, database: Database, network: GolemNetwork) -> None:
        self._database = database
        self.network = network
        self._is_own = clusters.c.golem_network == network.value
        self._durations: dict[tuple[str, str], Durations] = {}
        self._measured: set[str] = set()
        self._newest = datetime(2000, 1, 1, tzinfo=UTC)

    def node_counts(self, names: Collection[str]) -> NodeCounts:
        """Over all incarnations of the clusters named."""
        query = (
            select(clusters.c.name, nodes.c.node_type, nodes.c.reason, func.count(), func.count(nodes.c.running_at))
            .join(clusters, clusters.c.cluster_id == nodes.c.cluster_id)
            .where(clusters.c.name.in_(names), self._is_own)
            .group_by(clusters.c.name, nodes.c.node_type, nodes.c.reason)
        )
        found = NodeCounts(Counter(), Counter(), Counter())
        with self._database.read() as connection:
            for name, node_type, reason, count, started in connection.execute(query).all():
                found.requested[name, node_type] += count
                found.started[name, node_type] += started
                if reason is not None:
                    found.ended[name, node_type, EndReason(reason)] += count
        return found

    def provisioning(self, names: Collection[str]) -> dict[tuple[str, str], Durations]:
        """By cluster name and phase; every phase of every name is there."""
        self._measure_new()
        return {
            (name, phase): self._durations.setdefault((name, phase), Durations()) for name in names for phase in PHASES
        }

    def documents(self) -> dict[str, int]:
        """Number of payment documents by kind."""
        query = self._of_own_documents(select(documents.c.kind, func.count().label("number")).select_from(documents))
        with self._database.read() as connection:
            return {row.kind: row.number for row in connection.execute(query.group_by(documents.c.kind)).all()}

    def verdicts(self) -> dict[tuple[str, str], int]:
        """Number of payment documents by kind and verdict; one judged anew has several, so that no number falls."""
        query = self._of_own_documents(
            select(documents.c.kind, verdicts.c.verdict, func.count())
            .select_from(documents)
            .join(verdicts, verdicts.c.document_id == documents.c.document_id)
        ).group_by(documents.c.kind, verdicts.c.verdict)
        with self._database.read() as connection:
            return {(kind, verdict): count for kind, verdict, count in connection.execute(query).all()}

    def _of_own_documents(self, query: Select[Any]) -> Select[Any]:
        """Those for no agreement of ours are of no network: they are always counted."""
        return (
            query.outerjoin(contracts, contracts.c.agreement_id == documents.c.agreement_id)
            .outerjoin(clusters, clusters.c.cluster_id == contracts.c.cluster_id)
            .where(or_(self._is_own, clusters.c.cluster_id.is_(None)))
        )

    def _measure_new(self) -> None:
        """Each node is measured once; only those that came up lately are looked at."""
        query = (
            select(nodes.c.node_id, clusters.c.name, nodes.c.running_at, *(column for _, column in MOMENTS))
            .join(clusters, clusters.c.cluster_id == nodes.c.cluster_id)
            .join(contracts, contracts.c.agreement_id == nodes.c.agreement_id)
            .where(self._is_own, nodes.c.running_at >= self._newest - OVERLAP, contracts.c.activity_since.is_not(None))
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        for node_id, name, running_at, *moments in rows:
            if node_id in self._measured:
                continue
            self._measured.add(node_id)
            self._newest = max(self._newest, running_at)
            at = dict(zip((moment for moment, _ in MOMENTS), moments, strict=True))
            for phase, (begin, end) in PHASES.items():
                seconds = (at[end] - at[begin]).total_seconds()
                self._durations.setdefault((name, phase), Durations()).add(max(0.0, seconds))
