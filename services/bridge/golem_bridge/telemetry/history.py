"""What the books tell of all nodes there ever were, added up by SQLite: counters that survive restarts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, case, func, select

from golem_bridge.clusters.states import EndReason
from golem_bridge.store.database import Database, clusters, contracts, documents, nodes
from golem_bridge.telemetry.catalogue import PHASE_BUCKETS

SECONDS_PER_DAY = 86_400

PHASES: Mapping[str, tuple[Any, Any]] = {
    "search": (nodes.c.created_at, contracts.c.created_at),
    "agreement": (contracts.c.created_at, contracts.c.activity_since),
    "start": (contracts.c.activity_since, nodes.c.running_at),
    "total": (nodes.c.created_at, nodes.c.running_at),
}
"""Name to the columns of its begin and end. A node keeps the contract it came up under."""


@dataclass(frozen=True, slots=True)
class NodeCounts:
    """Numbers of nodes, by cluster name and node type."""

    requested: Counter[tuple[str, str]]
    started: Counter[tuple[str, str]]
    ended: Counter[tuple[str, str, EndReason]]


@dataclass(frozen=True, slots=True)
class Durations:
    """How long a phase took: ``counts`` per bucket, the last one beyond all bounds; ``total`` seconds."""

    counts: Sequence[int]
    total: float


class History:
    """Reads tables whose rows are never deleted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def node_counts(self, names: Collection[str]) -> NodeCounts:
        """Over all incarnations of the clusters named."""
        query = (
            select(clusters.c.name, nodes.c.node_type, nodes.c.reason, func.count(), func.count(nodes.c.running_at))
            .join(clusters, clusters.c.cluster_id == nodes.c.cluster_id)
            .where(clusters.c.name.in_(names))
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
        empty = Durations([0] * (len(PHASE_BUCKETS) + 1), 0.0)
        found = {(name, phase): empty for name in names for phase in PHASES}
        for phase, (begin, end) in PHASES.items():
            found.update({(name, phase): durations for name, durations in self._phase(names, begin, end).items()})
        return found

    def documents(self) -> dict[tuple[str, str], int]:
        """Number of payment documents by kind and verdict."""
        query = select(documents.c.kind, documents.c.verdict, func.count()).group_by(
            documents.c.kind, documents.c.verdict
        )
        with self._database.read() as connection:
            return {(kind, verdict): count for kind, verdict, count in connection.execute(query).all()}

    def _phase(self, names: Collection[str], begin: Any, end: Any) -> dict[str, Durations]:  # noqa: ANN401 - columns
        seconds = func.max(0, (func.julianday(end) - func.julianday(begin)) * SECONDS_PER_DAY)
        bounds = [0.0, *PHASE_BUCKETS]
        buckets = [
            _number_of((seconds <= upper) & ((seconds > lower) | (lower == 0.0)))
            for lower, upper in zip(bounds, PHASE_BUCKETS, strict=False)
        ]
        query = (
            select(clusters.c.name, func.sum(seconds), *buckets, _number_of(seconds > PHASE_BUCKETS[-1]))
            .select_from(nodes)
            .join(clusters, clusters.c.cluster_id == nodes.c.cluster_id)
            .join(contracts, contracts.c.agreement_id == nodes.c.agreement_id)
            .where(clusters.c.name.in_(names), nodes.c.running_at.is_not(None), contracts.c.activity_since.is_not(None))
            .group_by(clusters.c.name)
        )
        with self._database.read() as connection:
            return {name: Durations(counts, total) for name, total, *counts in connection.execute(query).all()}


def _number_of(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))
