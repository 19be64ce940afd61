"""A snapshot holds what lives and what ended lately; the books, and what is told of money and time, hold everything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem_bridge.api.views import Presenter
from golem_bridge.clusters.bill import totals
from golem_bridge.clusters.books import Books
from golem_bridge.clusters.model import Cluster, Node
from golem_bridge.clusters.repository import ENDED_FOR, MOST_ENDED
from golem_bridge.clusters.states import EndReason, NodeKind, NodeState
from golem_bridge.money.budget import reserved
from golem_bridge.settings import GolemNetwork
from golem_bridge.store.database import Database
from tests.unit.bridge.samples import START, ManualClock, contract, spec

CLUSTER = Cluster("demo-1", "demo", 1, spec(), START, GolemNetwork.DEVNET)


class Room:
    """Books with one cluster, and what is told of them."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.books = Books.on(Database.open(None), self.clock)
        self.books.clusters.add(CLUSTER)
        self.presenter = Presenter(self.books, network="devnet", wallet="0x")
        self.clock.advance(7200)

    def node(self, number: int, state: NodeState = NodeState.RUNNING, *, ended: float = 0, **signed: Any) -> Node:  # noqa: ANN401
        """A node with a contract; one that is terminated ended that many seconds ago."""
        over = state is NodeState.TERMINATED
        node = Node(
            node_id=f"demo-1-worker-{number:04d}",
            cluster_id="demo-1",
            kind=NodeKind.WORKER,
            node_type="worker",
            ip=f"192.168.0.{number % 256}",
            created_at=START + timedelta(seconds=number),
            state=state,
            reason=EndReason.REQUESTED if over else None,
            agreement_id=f"agreement-{number}",
            ended_at=self.clock.now() - timedelta(seconds=ended) if over else None,
        )
        self.books.nodes.add(node)
        facts = {"agreement_id": node.agreement_id, "node_id": node.node_id, "activity_id": f"activity-{number}"}
        self.books.contracts.add(contract(**{**facts, "ended_at": node.ended_at, **signed}))
        return node

    def shown(self) -> list[str]:
        return [node.node_id for node in self.presenter.snapshot(CLUSTER).nodes]


@pytest.fixture
def room() -> Room:
    return Room()


def test_what_lives_is_shown_with_what_ended_lately(room: Room) -> None:
    lately = ENDED_FOR.total_seconds()
    ids = [
        room.node(1).node_id,
        room.node(2, NodeState.TERMINATING).node_id,
        room.node(3, NodeState.TERMINATED, ended=lately).node_id,
        room.node(4, NodeState.REQUESTED).node_id,
    ]
    room.node(5, NodeState.TERMINATED, ended=lately + 1)
    assert room.shown() == ids
    assert room.presenter.snapshot(CLUSTER).nodes_ended == 2
    assert room.presenter.snapshot(CLUSTER).created_at == START.timestamp()


def test_of_many_that_ended_the_last_are_shown(room: Room) -> None:
    for number in range(MOST_ENDED + 20):
        room.node(number, NodeState.TERMINATED, ended=MOST_ENDED + 20 - number)
    live = room.node(0x1000).node_id
    assert room.shown() == [f"demo-1-worker-{number:04d}" for number in range(20, MOST_ENDED + 20)] + [live]
    assert room.presenter.snapshot(CLUSTER).nodes_ended == MOST_ENDED + 20
    assert len(room.presenter.bill(CLUSTER, settled=True).lines) == MOST_ENDED + 21
    assert max(point.nodes for point in room.presenter.history(CLUSTER).points) == MOST_ENDED + 21


def test_other_clusters_nodes_are_not_counted(room: Room) -> None:
    room.books.nodes.add(replace(room.node(1, NodeState.TERMINATED), node_id="other-1-head-0001", cluster_id="other-1"))
    assert (room.shown(), room.presenter.snapshot(CLUSTER).nodes_ended) == (["demo-1-worker-0001"], 1)


def test_a_change_of_any_node_changes_the_version(room: Room) -> None:
    seen = {room.presenter.version(CLUSTER)}
    node = room.node(1, NodeState.TERMINATED, ended=ENDED_FOR.total_seconds() + 1)
    seen.add(room.presenter.version(CLUSTER))
    room.books.nodes.change(node.node_id, lambda node: replace(node, tags={"a": "b"}))
    seen.add(room.presenter.version(CLUSTER))
    assert len(seen) == 3
    assert room.presenter.snapshot(CLUSTER).version in seen


def test_a_node_is_told_with_its_price_as_it_is_alone(room: Room) -> None:
    node = room.node(1)
    (shown,) = room.presenter.snapshot(CLUSTER).nodes
    assert shown == room.presenter.node(node)
    assert shown.price_start == "0.01"
    room.books.nodes.add(replace(node, node_id="demo-1-worker-0002", agreement_id=None))
    assert room.presenter.snapshot(CLUSTER).nodes[1].price_start is None


def test_a_snapshot_asks_the_books_as_often_for_many_nodes_as_for_one(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    read = Database.read

    def counted(self: Database) -> Any:  # noqa: ANN401 - a context manager
        nonlocal asked
        asked += 1
        return read(self)

    monkeypatch.setattr(Database, "read", counted)
    counts = set()
    for number in range(5):
        room.node(number)
        room.node(100 + number, NodeState.TERMINATED, invoiced_wei=1)
        asked = 0
        room.presenter.snapshot(CLUSTER)
        counts.add(asked)
    assert len(counts) == 1


FACTS: st.SearchStrategy[Mapping[str, Any]] = st.sampled_from(
    [
        {"invoiced_wei": 10**18 + 1, "ended_at": START},
        {"invoiced_wei": 0, "ended_at": START},
        {"ended_at": START + timedelta(seconds=30)},
        {},
        {"activity_since": None, "activity_id": None},
    ]
)


@given(st.lists(FACTS, max_size=6))
def test_sums_are_those_over_all_contracts(contracts: list[Mapping[str, Any]]) -> None:
    room = Room()
    for number, facts in enumerate(contracts):
        room.node(number, **facts)
    everything = room.books.contracts.of_cluster("demo-1")
    expected = sum(reserved(contract, room.books.ledger, room.clock.now()) for contract in everything)
    assert totals(room.books, CLUSTER).committed == expected


def test_a_cluster_is_shown_with_the_network_it_was_opened_on(room: Room) -> None:
    assert Presenter(room.books, network="polygon", wallet="0x").snapshot(CLUSTER).network == "devnet"
