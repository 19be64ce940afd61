"""A cluster's history: whatever happened, the points tell it and are few."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from golem_bridge.clusters.history import MOST_POINTS, Point, history, thinned, timeline
from golem_bridge.clusters.model import Node
from golem_bridge.clusters.states import NodeKind
from golem_bridge.money.price import to_glm
from tests.fakes.console import CLOSED, OPEN, SampleAppliance
from tests.unit.bridge.samples import START, ManualClock

SECONDS = st.integers(min_value=-5, max_value=1000)
WEI = st.integers(min_value=0, max_value=10**24)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def node(created: int, running: int | None = None, ended: int | None = None) -> Node:
    return Node(
        f"n-{created}-{running}-{ended}",
        "demo-1",
        NodeKind.WORKER,
        "worker",
        "192.168.0.3",
        after(created),
        running_at=None if running is None else after(running),
        ended_at=None if ended is None else after(ended),
    )


@st.composite
def lives(draw: st.DrawFn) -> Node:
    """A node that was asked for, perhaps ran, perhaps ended, in that order."""
    created, running, ended = sorted(draw(st.tuples(SECONDS, SECONDS, SECONDS)))
    return node(created, draw(st.sampled_from([None, running])), draw(st.sampled_from([None, ended])))


ACCEPTED = st.lists(st.tuples(SECONDS.map(after), WEI), max_size=30)


def count(nodes: list[Node], at: datetime) -> tuple[int, int]:
    """Live and running nodes at a moment, the slow way."""
    live = [item for item in nodes if item.created_at <= at and (item.ended_at is None or item.ended_at > at)]
    return len(live), sum(item.running_at is not None and item.running_at <= at for item in live)


@given(st.lists(lives(), max_size=12), ACCEPTED)
def test_every_point_is_what_a_slow_count_says(nodes: list[Node], accepted: list[tuple[datetime, int]]) -> None:
    points = timeline(since=START, until=after(1000), nodes=nodes, accepted=accepted)
    assert (points[0].at, points[-1].at) == (START, after(1000))
    assert all(one.at < other.at for one, other in pairwise(points))
    for point in points:
        assert (point.nodes, point.running) == count(nodes, point.at)
        assert point.spent == to_glm(sum(wei for at, wei in accepted if max(at, START) <= point.at))
    moments = {item.created_at for item in nodes} | {at for at, _ in accepted}
    assert {max(moment, START) for moment in moments} <= {point.at for point in points}


@given(st.lists(lives(), max_size=12), ACCEPTED, st.integers(min_value=3, max_value=20))
def test_thinning_keeps_ends_peaks_and_order(
    nodes: list[Node], accepted: list[tuple[datetime, int]], most: int
) -> None:
    points = timeline(since=START, until=after(1000), nodes=nodes, accepted=accepted)
    fewer = thinned(points, most)
    assert len(fewer) <= most
    assert (fewer[0], fewer[-1]) == (points[0], points[-1])
    assert all(one.at < other.at and one.spent <= other.spent for one, other in pairwise(fewer))
    assert max(point.nodes for point in fewer) == max(point.nodes for point in points)
    assert max(point.running for point in fewer) == max(point.running for point in points)


def test_a_cluster_of_this_moment_has_one_point() -> None:
    assert timeline(since=START, until=START, nodes=[], accepted=[]) == [Point(START, 0, 0, Decimal(0))]


def test_a_clock_set_back_turns_nothing_round() -> None:
    points = timeline(since=START, until=after(-100), nodes=[node(-7, running=-3)], accepted=[(after(-50), 10**18)])
    assert points == [Point(START, 1, 1, Decimal(1))]


def test_an_open_cluster_goes_on_until_now_and_a_closed_one_ends_with_its_last_change() -> None:
    clock = ManualClock()
    sample = SampleAppliance(clock)
    sample.fill()
    books = sample.books
    opened, closed = books.clusters.latest(OPEN), books.clusters.latest(CLOSED)
    assert opened is not None
    assert closed is not None
    clock.advance(600)
    points = history(books, opened)
    assert len(points) <= MOST_POINTS
    assert (points[-1].at, points[-1].nodes, points[-1].running) == (clock.now(), 6, 5)
    assert points[-1].spent == sum(to_glm(wei) for _, wei in books.ledger.acceptances(opened.cluster_id))
    last = history(books, closed)[-1]
    assert (last.at, last.nodes) == (max(item.ended_at for item in books.nodes.of_cluster(closed.cluster_id)), 0)  # type: ignore[type-var]
    sample.database.close()


def test_payments_and_other_clusters_are_not_spending() -> None:
    sample = SampleAppliance(ManualClock())
    sample.fill()
    own = sample.cluster("other", 1, minutes=10, budget="1")
    sample.node(own, 1, minutes=10, provider="oak", paid=True)
    rows = sample.books.ledger.acceptances(own)
    assert sum(wei for _, wei in rows) == sample.books.ledger.accepted("agreement-other-1-1") > 0
    assert sample.books.ledger.paid("agreement-other-1-1") > 0
    sample.database.close()
