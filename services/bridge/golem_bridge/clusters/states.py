"""The life of a node.

    requested → negotiating → agreed → deploying → starting → bootstrapping → running
        │            │  ▲        │         │           │            │            │
        │            │  └────────┴─────────┴───────────┴────────────┘ (next provider)
        └────────────┴───────────┴─────────┴───────────┴────────────┴────────────┤
                                                                                 ▼
                                                          terminating → terminated

A terminated node's id never comes back.
"""

from __future__ import annotations

from enum import StrEnum
from itertools import pairwise


class NodeState(StrEnum):
    REQUESTED = "requested"
    NEGOTIATING = "negotiating"
    AGREED = "agreed"
    DEPLOYING = "deploying"
    STARTING = "starting"
    BOOTSTRAPPING = "bootstrapping"
    RUNNING = "running"
    TERMINATING = "terminating"
    TERMINATED = "terminated"

    @property
    def is_live(self) -> bool:
        """Ray may count on it, now or soon."""
        return self not in {NodeState.TERMINATING, NodeState.TERMINATED}

    @property
    def is_pending(self) -> bool:
        return self.is_live and self is not NodeState.RUNNING

    def may_become(self, other: NodeState) -> bool:
        """Whether the step to ``other`` is in the diagram."""
        return other in _STEPS[self]


_STARTING_UP = (
    NodeState.REQUESTED,
    NodeState.NEGOTIATING,
    NodeState.AGREED,
    NodeState.DEPLOYING,
    NodeState.STARTING,
    NodeState.BOOTSTRAPPING,
    NodeState.RUNNING,
)


def _steps() -> dict[NodeState, frozenset[NodeState]]:
    steps: dict[NodeState, set[NodeState]] = {state: set() for state in NodeState}
    for state, following in pairwise(_STARTING_UP):
        steps[state].add(following)
    for state in _STARTING_UP:
        steps[state].add(NodeState.TERMINATING)
        if state not in {NodeState.REQUESTED, NodeState.RUNNING}:
            steps[state].add(NodeState.NEGOTIATING)
    steps[NodeState.TERMINATING].add(NodeState.TERMINATED)
    return {state: frozenset(following) for state, following in steps.items()}


_STEPS = _steps()


class EndReason(StrEnum):
    """Why a node was ended; the sentence beside it tells the details."""

    REQUESTED = "requested"
    BUDGET = "budget"
    PROVIDER_LOST = "provider_lost"
    START_FAILED = "start_failed"
    ORPHAN = "orphan"
    SHUTDOWN = "shutdown"


class ClusterState(StrEnum):
    """active → closing (nodes are ended, payments awaited) → closed."""

    ACTIVE = "active"
    CLOSING = "closing"
    CLOSED = "closed"


class NodeKind(StrEnum):
    HEAD = "head"
    WORKER = "worker"
