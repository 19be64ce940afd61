"""The narrower questions to the table of nodes: a cluster of weeks has had tens of thousands."""

from __future__ import annotations

import pytest

from golem_bridge.clusters.model import Node
from golem_bridge.clusters.repository import Nodes
from golem_bridge.clusters.states import NodeKind, NodeState
from golem_bridge.store.database import Database
from tests.unit.bridge.samples import START, ManualClock

FIRST, SECOND = "192.168.0.3", "192.168.0.4"


@pytest.fixture
def nodes() -> Nodes:
    """One that ended, one that is ending, two that live; a namesake of another cluster."""
    nodes = Nodes(Database.open(None), ManualClock())
    nodes.add(node("over", NodeState.TERMINATED, FIRST))
    nodes.add(node("ending", NodeState.TERMINATING, FIRST))
    nodes.add(node("runs", NodeState.RUNNING, FIRST))
    nodes.add(node("starts", NodeState.REQUESTED, SECOND))
    nodes.add(node("foreign", NodeState.RUNNING, SECOND, cluster_id="other-1"))
    return nodes


def node(node_id: str, state: NodeState, ip: str, *, cluster_id: str = "demo-1") -> Node:
    return Node(node_id, cluster_id, NodeKind.WORKER, "worker", ip, START, state=state)


def found(nodes: Nodes, key: str) -> str | None:
    node = nodes.find("demo-1", key)
    return node.node_id if node else None


def test_any_node_is_found_by_its_id(nodes: Nodes) -> None:
    assert [found(nodes, key) for key in ("over", "ending", "runs", "starts")] == ["over", "ending", "runs", "starts"]


def test_live_nodes_are_found_by_their_address(nodes: Nodes) -> None:
    assert [found(nodes, FIRST), found(nodes, SECOND)] == ["runs", "starts"]
    nodes.change("runs", lambda node: node.step(NodeState.TERMINATING, "Ends"))
    assert found(nodes, FIRST) is None


def test_another_clusters_node_is_not_found(nodes: Nodes) -> None:
    assert [found(nodes, "foreign"), nodes.chosen("demo-1", ["foreign"])] == [None, []]


def test_nodes_are_chosen_by_id_whatever_their_state(nodes: Nodes) -> None:
    assert {node.node_id for node in nodes.chosen("demo-1", ["over", "runs", "unknown"])} == {"over", "runs"}
    assert nodes.chosen("demo-1", []) == []


def test_what_is_not_terminated_is_unfinished(nodes: Nodes) -> None:
    assert {node.node_id for node in nodes.unfinished_of("demo-1")} == {"ending", "runs", "starts"}
    assert {node.node_id for node in nodes.unfinished()} == {"ending", "runs", "starts", "foreign"}


def test_every_node_there_ever_was_is_counted(nodes: Nodes) -> None:
    assert (nodes.number_of("demo-1"), nodes.number_of("nobody-1")) == (4, 0)
