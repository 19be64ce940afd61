"""Clusters and nodes in the store; every change is guarded by the version it was made from, and noted as an event."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import ColumnElement, Connection, Row, and_, case, func, insert, or_, select, update

from golem_bridge.clock import Clock
from golem_bridge.clusters.model import Cluster, Node
from golem_bridge.clusters.spec import ClusterSpec
from golem_bridge.clusters.states import ClusterState, EndReason, NodeKind, NodeState
from golem_bridge.errors import BridgeError
from golem_bridge.money.price import glm_text
from golem_bridge.settings import GolemNetwork
from golem_bridge.store.database import Database
from golem_bridge.store.database import clusters as cluster_table
from golem_bridge.store.database import nodes as node_table
from golem_bridge.store.events import note

ENDED_FOR = timedelta(hours=1)
MOST_ENDED = 50
"""How long, and how many, of a cluster's ended nodes are shown; a cluster of weeks has thousands."""

_CLUSTER_NEWS = {
    ClusterState.CLOSING: "Closing: its nodes are ended, its bills are awaited",
    ClusterState.CLOSED: "Closed: the rest of its budget is given back",
}


class StaleError(BridgeError):
    """Somebody else changed the row since it was loaded; load again."""

    code = "stale"
    status = 409


class Clusters:
    """The table of cluster incarnations."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def add(self, cluster: Cluster) -> None:
        with self._database.write() as connection:
            connection.execute(insert(cluster_table).values(**_cluster_row(cluster)))
            self._note(connection, cluster, f"Opened with a budget of {glm_text(cluster.budget)} GLM")

    def get(self, cluster_id: str) -> Cluster:
        """Raises KeyError."""
        with self._database.read() as connection:
            row = connection.execute(
                select(cluster_table).where(cluster_table.c.cluster_id == cluster_id)
            ).one_or_none()
        if row is None:
            raise KeyError(cluster_id)
        return _cluster(row)

    def latest(self, name: str) -> Cluster | None:
        """The newest incarnation of a name, in whatever state."""
        query = (
            select(cluster_table)
            .where(cluster_table.c.name == name)
            .order_by(cluster_table.c.incarnation.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _cluster(row)

    def before(self, cluster: Cluster) -> Sequence[Cluster]:
        """The earlier incarnations of its name on its network, oldest first."""
        query = (
            select(cluster_table)
            .where(
                cluster_table.c.name == cluster.name,
                cluster_table.c.golem_network == cluster.golem_network,
                cluster_table.c.incarnation < cluster.incarnation,
            )
            .order_by(cluster_table.c.incarnation)
        )
        with self._database.read() as connection:
            return [_cluster(row) for row in connection.execute(query).all()]

    def all_latest(self) -> Sequence[Cluster]:
        """The newest incarnation of every name."""
        newest = (
            select(cluster_table.c.name, func.max(cluster_table.c.incarnation).label("newest"))
            .group_by(cluster_table.c.name)
            .subquery()
        )
        query = select(cluster_table).join(
            newest,
            (cluster_table.c.name == newest.c.name) & (cluster_table.c.incarnation == newest.c.newest),
        )
        with self._database.read() as connection:
            return [_cluster(row) for row in connection.execute(query).all()]

    def unfinished(self) -> Sequence[Cluster]:
        """All incarnations that are not closed."""
        query = select(cluster_table).where(cluster_table.c.state != ClusterState.CLOSED)
        with self._database.read() as connection:
            return [_cluster(row) for row in connection.execute(query).all()]

    def allocation_of(self, cluster_id: str) -> str | None:
        """Id of the allocation a cluster pays from; None before it has one and once it is closed."""
        cluster = self.get(cluster_id)
        return None if cluster.state is ClusterState.CLOSED else cluster.allocation_id

    def save(self, cluster: Cluster) -> Cluster:
        """Store a changed value. Raises StaleError if the row moved on meanwhile."""
        before = self.get(cluster.cluster_id)
        changed = replace(cluster, version=cluster.version + 1)
        statement = (
            update(cluster_table)
            .where(
                cluster_table.c.cluster_id == cluster.cluster_id,
                cluster_table.c.version == cluster.version,
            )
            .values(**_cluster_row(changed))
        )
        with self._database.write() as connection:
            if connection.execute(statement).rowcount == 0:
                raise StaleError(f"Cluster {cluster.name} changed meanwhile — try again")
            if changed.state is not before.state:
                self._note(connection, changed, _CLUSTER_NEWS[changed.state])
            elif changed.budget != before.budget:
                self._note(connection, changed, f"The budget is now {glm_text(changed.budget)} GLM")
        return changed

    def change(self, cluster_id: str, alter: Callable[[Cluster], Cluster]) -> Cluster:
        """Load, alter, save; nothing can come between, as no call in here yields to the event loop."""
        return self.save(alter(self.get(cluster_id)))

    def _note(self, connection: Connection, cluster: Cluster, message: str) -> None:
        note(
            connection,
            at=self._clock.now(),
            cluster_id=cluster.cluster_id,
            node_id=None,
            kind=cluster.state.value,
            message=message,
        )


@dataclass(frozen=True, slots=True)
class Tally:
    """``changes`` counts those of all nodes, ``ended`` the nodes that are terminated."""

    changes: int
    ended: int


class Nodes:
    """The table of nodes."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def add(self, node: Node) -> None:
        with self._database.write() as connection:
            connection.execute(insert(node_table).values(**_node_row(node)))
            self._note(connection, node, node.state.value)

    def get(self, node_id: str) -> Node:
        """Raises KeyError."""
        with self._database.read() as connection:
            row = connection.execute(select(node_table).where(node_table.c.node_id == node_id)).one_or_none()
        if row is None:
            raise KeyError(node_id)
        return _node(row)

    def find(self, cluster_id: str, key: str) -> Node | None:
        """A cluster's node by its id, or a live one by its address."""
        columns = node_table.c
        is_live = columns.state.in_([state for state in NodeState if state.is_live])
        by_address = and_(columns.ip == key, is_live)
        query = select(node_table).where(columns.cluster_id == cluster_id, or_(columns.node_id == key, by_address))
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _node(row)

    def of_cluster(self, cluster_id: str) -> Sequence[Node]:
        """All nodes the incarnation ever had, oldest first. There can be 65,000: see the narrower questions below."""
        return self._select(node_table.c.cluster_id == cluster_id)

    def chosen(self, cluster_id: str, node_ids: Collection[str]) -> Sequence[Node]:
        """A cluster's nodes of these ids, as far as there are such, oldest first."""
        return self._select(node_table.c.cluster_id == cluster_id, node_table.c.node_id.in_(node_ids))

    def unfinished_of(self, cluster_id: str) -> Sequence[Node]:
        """A cluster's nodes that are not terminated, oldest first."""
        return self._select(node_table.c.cluster_id == cluster_id, node_table.c.state != NodeState.TERMINATED)

    def number_of(self, cluster_id: str) -> int:
        """How many nodes the incarnation ever had."""
        query = select(func.count()).where(node_table.c.cluster_id == cluster_id)
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def current(self, cluster_id: str) -> Sequence[Node]:
        """Nodes that are not terminated, and the MOST_ENDED last of those that ended within ENDED_FOR; oldest first."""
        own, is_over = node_table.c.cluster_id == cluster_id, node_table.c.state == NodeState.TERMINATED
        live = select(node_table).where(own, ~is_over)
        ended = (
            select(node_table)
            .where(own, is_over, node_table.c.ended_at >= self._clock.now() - ENDED_FOR)
            .order_by(node_table.c.ended_at.desc())
            .limit(MOST_ENDED)
        )
        with self._database.read() as connection:
            rows = [*connection.execute(live).all(), *connection.execute(ended).all()]
        return sorted(map(_node, rows), key=lambda node: (node.created_at, node.node_id))

    def tally(self, cluster_id: str) -> Tally:
        """Counts over all nodes the incarnation ever had."""
        columns = node_table.c
        changes = func.coalesce(func.sum(columns.version + 1), 0)
        ended = func.count(case((columns.state == NodeState.TERMINATED, 1)))
        with self._database.read() as connection:
            row = connection.execute(select(changes, ended).where(columns.cluster_id == cluster_id)).one()
        return Tally(changes=row[0], ended=row[1])

    def unfinished(self) -> Sequence[Node]:
        """All nodes that are not terminated, oldest first."""
        return self._select(node_table.c.state != NodeState.TERMINATED)

    def _select(self, *conditions: ColumnElement[bool]) -> Sequence[Node]:
        query = select(node_table).where(*conditions).order_by(node_table.c.created_at, node_table.c.node_id)
        with self._database.read() as connection:
            return [_node(row) for row in connection.execute(query).all()]

    def change(self, node_id: str, alter: Callable[[Node], Node]) -> Node:
        """Load, alter, save guarded by version. Raises KeyError, StaleError."""
        node = self.get(node_id)
        altered = alter(node)
        if altered is node:
            return node
        changed = replace(altered, version=node.version + 1)
        statement = (
            update(node_table)
            .where(node_table.c.node_id == node_id, node_table.c.version == node.version)
            .values(**_node_row(changed))
        )
        with self._database.write() as connection:
            if connection.execute(statement).rowcount == 0:
                raise StaleError(f"Node {node_id} changed meanwhile — try again")
            if changed.state is not node.state:
                self._note(connection, changed, changed.state.value)
            elif changed.message != node.message:
                self._note(connection, changed, "progress")
        return changed

    def _note(self, connection: Connection, node: Node, kind: str) -> None:
        note(
            connection,
            at=self._clock.now(),
            cluster_id=node.cluster_id,
            node_id=node.node_id,
            kind=kind,
            message=node.message,
        )


def _cluster_row(cluster: Cluster) -> dict[str, object]:
    return {
        "cluster_id": cluster.cluster_id,
        "name": cluster.name,
        "incarnation": cluster.incarnation,
        "spec": cluster.spec.model_dump_json(),
        "state": cluster.state.value,
        "allocation_id": cluster.allocation_id,
        "network_id": cluster.network_id,
        "created_at": cluster.created_at,
        "golem_network": cluster.golem_network.value,
        "closing_at": cluster.closing_at,
        "version": cluster.version,
    }


def _cluster(row: Row[tuple[object, ...]]) -> Cluster:
    columns = dict(row._mapping)
    columns["spec"] = ClusterSpec.model_validate_json(columns["spec"])
    columns["state"] = ClusterState(columns["state"])
    columns["golem_network"] = GolemNetwork(columns["golem_network"])
    return Cluster(**columns)


def _node_row(node: Node) -> dict[str, object]:
    return {
        "node_id": node.node_id,
        "cluster_id": node.cluster_id,
        "kind": node.kind.value,
        "node_type": node.node_type,
        "ip": node.ip,
        "state": node.state.value,
        "reason": node.reason.value if node.reason else None,
        "message": node.message,
        "tags": json.dumps(dict(node.tags or {})),
        "agreement_id": node.agreement_id,
        "relay_token": node.relay_token,
        "host_public_key": node.host_public_key,
        "created_at": node.created_at,
        "running_at": node.running_at,
        "ended_at": node.ended_at,
        "version": node.version,
    }


def _node(row: Row[tuple[object, ...]]) -> Node:
    columns = dict(row._mapping)
    columns["kind"] = NodeKind(columns["kind"])
    columns["state"] = NodeState(columns["state"])
    columns["reason"] = EndReason(columns["reason"]) if columns["reason"] else None
    columns["tags"] = json.loads(columns["tags"])
    return Node(**columns)
