"""Events: one per change of state or message, in the transaction of the change, and not too many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from golem_bridge.clusters.books import Books
from golem_bridge.clusters.model import Cluster, Node
from golem_bridge.clusters.repository import StaleError
from golem_bridge.clusters.states import ClusterState, EndReason, NodeKind, NodeState
from golem_bridge.settings import GolemNetwork
from golem_bridge.store import events
from golem_bridge.store.database import Database
from tests.unit.bridge.samples import START, ManualClock, spec

NODE = Node("demo-1-head-0001", "demo-1", NodeKind.HEAD, "head", "192.168.0.3", START, tags={"a": "b"})


@pytest.fixture
def books() -> Iterator[Books]:
    database = Database.open(None)
    books = Books.on(database, ManualClock())
    books.clusters.add(Cluster("demo-1", "demo", 1, spec(), START, GolemNetwork.DEVNET))
    books.nodes.add(NODE)
    yield books
    database.close()


def seen(books: Books) -> list[tuple[str | None, str, str]]:
    return [(event.node_id, event.kind, event.message) for event in books.events.recent(limit=100)]


def test_tells_what_happened_to_cluster_and_nodes_in_order(books: Books) -> None:
    books.nodes.change(NODE.node_id, lambda node: node.step(NodeState.NEGOTIATING, "Looking"))
    books.nodes.change(NODE.node_id, lambda node: replace(node, message="Two offers"))
    books.nodes.change(NODE.node_id, lambda node: node.ending(EndReason.REQUESTED, "Ended on request"))
    books.clusters.change("demo-1", lambda cluster: replace(cluster, state=ClusterState.CLOSING))
    assert seen(books) == [
        (None, "active", "Opened with a budget of 5 GLM"),
        (NODE.node_id, "requested", "Waiting to look for a provider"),
        (NODE.node_id, "negotiating", "Looking"),
        (NODE.node_id, "progress", "Two offers"),
        (NODE.node_id, "terminating", "Ended on request"),
        (None, "closing", "Closing: its nodes are ended, its bills are awaited"),
    ]


def test_says_when_and_of_which_incarnation(books: Books) -> None:
    event = books.events.recent(limit=1)[0]
    assert (event.at, event.cluster, event.incarnation) == (START, "demo", 1)


def test_a_changed_budget_is_an_event_and_tags_are_none(books: Books) -> None:
    books.clusters.change("demo-1", lambda cluster: replace(cluster, spec=spec(budget="7.5")))
    books.nodes.change(NODE.node_id, lambda node: replace(node, tags={"a": "c"}))
    assert seen(books)[2:] == [(None, "active", "The budget is now 7.5 GLM")]


def test_a_change_that_is_not_stored_leaves_no_event(books: Books) -> None:
    stale = books.clusters.get("demo-1")
    books.clusters.save(replace(stale, network_id="network"))
    with pytest.raises(StaleError):
        books.clusters.save(replace(stale, state=ClusterState.CLOSING))
    assert len(seen(books)) == 2


def test_gives_what_came_after_an_event_and_of_one_cluster(books: Books) -> None:
    first = books.events.recent(limit=100)[0]
    assert [event.kind for event in books.events.recent(limit=100, after=first.event_id)] == ["requested"]
    assert [event.kind for event in books.events.recent(limit=1)] == ["requested"]
    assert books.events.recent(limit=100, cluster="other") == []


def test_forgets_the_oldest(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "KEPT", 2)
    books.nodes.change(NODE.node_id, lambda node: replace(node, message="one"))
    books.nodes.change(NODE.node_id, lambda node: replace(node, message="two"))
    assert [message for _, _, message in seen(books)] == ["one", "two"]


def test_what_a_node_said_is_told_without_repetitions(books: Books) -> None:
    books.nodes.change(NODE.node_id, lambda node: node.ending(EndReason.REQUESTED, "Ended"))
    books.nodes.change(NODE.node_id, lambda node: node.step(NodeState.TERMINATED, "Ended"))
    assert books.events.messages_of_nodes([NODE.node_id]) == {NODE.node_id: ["Waiting to look for a provider", "Ended"]}
