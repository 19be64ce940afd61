"""The life of a node: the diagram, step by step."""

import itertools
from dataclasses import replace

import pytest

from golem_bridge.clusters.model import IllegalStepError, Node
from golem_bridge.clusters.states import EndReason, NodeKind, NodeState
from tests.unit.bridge.samples import START

NODE = Node("demo-1-head-0001", "demo-1", NodeKind.HEAD, "head", "192.168.0.3", START)

UP = [
    NodeState.REQUESTED,
    NodeState.NEGOTIATING,
    NodeState.AGREED,
    NodeState.DEPLOYING,
    NodeState.STARTING,
    NodeState.BOOTSTRAPPING,
    NodeState.RUNNING,
]
LEGAL = (
    set(itertools.pairwise(UP))
    | {(state, NodeState.TERMINATING) for state in UP}
    | {(state, NodeState.NEGOTIATING) for state in UP[1:-1]}
    | {(NodeState.TERMINATING, NodeState.TERMINATED)}
)


@pytest.mark.parametrize(("before", "after"), list(itertools.product(NodeState, NodeState)))
def test_only_steps_of_the_diagram_are_taken(before: NodeState, after: NodeState) -> None:
    node = replace(NODE, state=before)
    if (before, after) in LEGAL:
        assert node.step(after, "on").state is after
    else:
        with pytest.raises(IllegalStepError, match=node.node_id):
            node.step(after, "on")


def test_the_first_reason_to_end_is_kept() -> None:
    ending = NODE.ending(EndReason.BUDGET, "no money")
    assert ending.ending(EndReason.REQUESTED, "ray down") is ending
    assert (ending.reason, ending.message) == (EndReason.BUDGET, "no money")


def test_live_pending_and_running_exclude_each_other() -> None:
    for state in NodeState:
        assert state.is_live == (state.is_pending or state is NodeState.RUNNING)
