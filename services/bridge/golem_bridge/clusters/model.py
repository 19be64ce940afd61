"""A cluster and its nodes as values; a change makes a new value for the store to apply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from golem_bridge.clusters.spec import ClusterSpec
from golem_bridge.clusters.states import ClusterState, EndReason, NodeKind, NodeState
from golem_bridge.settings import GolemNetwork


class IllegalStepError(Exception):
    """A node was asked to take a step that its life does not know: a bug, never bad input."""


STATUS_TAG = "ray-node-status"
UP_TO_DATE = "up-to-date"
"""Ray's tag, and its value for a node on which Ray has been started."""


@dataclass(frozen=True, slots=True)
class Node:
    """One node. ``version`` counts the changes stored; ``agreement_id`` is the one it runs under now."""

    node_id: str
    cluster_id: str
    kind: NodeKind
    node_type: str
    ip: str
    created_at: datetime
    state: NodeState = NodeState.REQUESTED
    reason: EndReason | None = None
    message: str = "Waiting to look for a provider"
    tags: Mapping[str, str] | None = None
    agreement_id: str | None = None
    relay_token: str = ""
    host_public_key: str = ""
    running_at: datetime | None = None
    ended_at: datetime | None = None
    version: int = 0

    @property
    def runs_ray(self) -> bool:
        """By Ray's own word: whoever set it up has tagged it so."""
        return self.state is NodeState.RUNNING and (self.tags or {}).get(STATUS_TAG) == UP_TO_DATE

    def step(self, state: NodeState, message: str) -> Node:
        """The same node one step on. Raises IllegalStepError."""
        if not self.state.may_become(state):
            raise IllegalStepError(f"node {self.node_id} cannot go from {self.state} to {state}")
        return replace(self, state=state, message=message)

    def ending(self, reason: EndReason, message: str) -> Node:
        """The same node on its way out; a node that is ending already keeps its first reason."""
        if not self.state.is_live:
            return self
        return replace(self.step(NodeState.TERMINATING, message), reason=reason)


@dataclass(frozen=True, slots=True)
class Cluster:
    """One incarnation of a cluster: from ``ray up`` to ``ray down``, with one budget and one VPN.

    ``golem_network`` says with what money; ``network_id`` names the VPN.
    """

    cluster_id: str
    name: str
    incarnation: int
    spec: ClusterSpec
    created_at: datetime
    golem_network: GolemNetwork
    state: ClusterState = ClusterState.ACTIVE
    allocation_id: str | None = None
    network_id: str | None = None
    closing_at: datetime | None = None
    version: int = 0

    @property
    def budget(self) -> Decimal:
        """GLM."""
        return self.spec.total_budget
