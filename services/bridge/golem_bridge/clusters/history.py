"""How a cluster came to what it is: node counts and spend over time, from what the books remember anyway."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from operator import attrgetter, itemgetter

from golem_bridge.clusters.books import Books
from golem_bridge.clusters.model import Cluster, Node
from golem_bridge.clusters.states import ClusterState
from golem_bridge.money.price import to_glm

MOST_POINTS = 240
"""At least 3. A chart is hardly wider; more would only be sent for nothing."""


@dataclass(frozen=True, slots=True)
class Point:
    """The state from ``at`` on: nodes asked for and not ended, those of them that ran, GLM accepted."""

    at: datetime
    nodes: int
    running: int
    spent: Decimal


@dataclass(frozen=True, slots=True)
class _Change:
    at: datetime
    nodes: int = 0
    running: int = 0
    wei: int = 0


def history(books: Books, cluster: Cluster) -> list[Point]:
    """Points of one incarnation, oldest first; until now, or until its last change once it is closed."""
    points = timeline(
        since=cluster.created_at,
        until=None if cluster.state is ClusterState.CLOSED else books.clock.now(),
        nodes=books.nodes.of_cluster(cluster.cluster_id),
        accepted=books.ledger.acceptances(cluster.cluster_id),
    )
    return thinned(points, MOST_POINTS)


def timeline(
    *, since: datetime, until: datetime | None, nodes: Iterable[Node], accepted: Iterable[tuple[datetime, int]]
) -> list[Point]:
    """A point at ``since``, one at every moment at which something changed, and one at ``until``.

    ``accepted`` are wei by time. Changes before ``since`` count as of ``since``.
    """
    changes = [replace(change, at=max(change.at, since)) for change in _changes(nodes, accepted)]
    changes.append(_Change(since))
    if until is not None:
        changes.append(_Change(max(until, since)))
    changes.sort(key=attrgetter("at"))
    points = []
    live, running, wei = 0, 0, 0
    for at, together in groupby(changes, key=attrgetter("at")):
        for change in together:
            live += change.nodes
            running += change.running
            wei += change.wei
        points.append(Point(at, live, running, to_glm(wei)))
    return points


def thinned(points: Sequence[Point], most: int) -> list[Point]:
    """At most ``most`` points: of each slice of time the highest counts and the last spend. Ends are kept exactly."""
    if len(points) <= most:
        return list(points)
    first, *middle, last = points
    width = (last.at - first.at) / (most - 2)
    numbered = ((min(int((point.at - first.at) / width), most - 3), point) for point in middle)
    slices = groupby(numbered, key=itemgetter(0))
    return [first, *(_peak([point for _, point in together]) for _, together in slices), last]


def _peak(points: Sequence[Point]) -> Point:
    return Point(
        at=points[0].at,
        nodes=max(point.nodes for point in points),
        running=max(point.running for point in points),
        spent=points[-1].spent,
    )


def _changes(nodes: Iterable[Node], accepted: Iterable[tuple[datetime, int]]) -> Iterable[_Change]:
    for node in nodes:
        yield _Change(node.created_at, nodes=1)
        if node.running_at is not None:
            yield _Change(node.running_at, running=1)
        if node.ended_at is not None:
            yield _Change(node.ended_at, nodes=-1, running=-1 if node.running_at is not None else 0)
    for at, wei in accepted:
        yield _Change(at, wei=wei)
