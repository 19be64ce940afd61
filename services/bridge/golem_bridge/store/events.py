"""What happened, newest last: written in the transaction that made it happen, and bounded."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from golem_bridge.store.database import Database, clusters, events

KEPT = 10_000
"""Older events are forgotten."""


@dataclass(frozen=True, slots=True)
class Event:
    """``kind`` is the state that was reached, ``progress`` for news within one; ``node_id`` None: the whole cluster."""

    event_id: int
    at: datetime
    cluster: str
    incarnation: int
    node_id: str | None
    kind: str
    message: str


def note(
    connection: Connection, *, at: datetime, cluster_id: str, node_id: str | None, kind: str, message: str
) -> None:
    """Add an event within an open transaction, and forget the oldest beyond :data:`KEPT`."""
    added = connection.execute(
        insert(events).values(at=at, cluster_id=cluster_id, node_id=node_id, kind=kind, message=message)
    )
    assert added.inserted_primary_key is not None
    connection.execute(delete(events).where(events.c.event_id <= added.inserted_primary_key[0] - KEPT))


class Events:
    """The table, for readers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def recent(self, *, limit: int, after: int = 0, cluster: str | None = None) -> Sequence[Event]:
        """The newest events with ids above ``after``, oldest of them first."""
        query = (
            select(events, clusters.c.name, clusters.c.incarnation)
            .join(clusters, clusters.c.cluster_id == events.c.cluster_id)
            .where(events.c.event_id > after)
            .order_by(events.c.event_id.desc())
            .limit(limit)
        )
        if cluster is not None:
            query = query.where(clusters.c.name == cluster)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [
            Event(row.event_id, row.at, row.name, row.incarnation, row.node_id, row.kind, row.message)
            for row in reversed(rows)
        ]

    def messages_of_nodes(self, node_ids: Collection[str]) -> dict[str, list[str]]:
        """By node id: what each said of itself, oldest first, as far as it is remembered."""
        query = (
            select(events.c.node_id, events.c.message).where(events.c.node_id.in_(node_ids)).order_by(events.c.event_id)
        )
        messages: dict[str, list[str]] = {}
        with self._database.read() as connection:
            for node_id, message in connection.execute(query).all():
                said = messages.setdefault(node_id, [])
                if not said or said[-1] != message:
                    said.append(message)
        return messages
