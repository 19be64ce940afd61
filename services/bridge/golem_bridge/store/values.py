"""Small facts that must survive: cursors of event streams, the installation's own id."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert

from golem_bridge.store.database import Database, values


class Values:
    """Named strings."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str) -> str | None:
        with self._database.read() as connection:
            return connection.execute(select(values.c.value).where(values.c.name == name)).scalar_one_or_none()

    def put(self, name: str, value: str) -> None:
        statement = insert(values).values(name=name, value=value)
        with self._database.write() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": value}))

    def time(self, name: str, default: datetime) -> datetime:
        """A stored moment, or ``default``, which is stored then."""
        stored = self.get(name)
        if stored is None:
            self.put(name, default.isoformat())
            return default
        return datetime.fromisoformat(stored)

    def put_time(self, name: str, moment: datetime) -> None:
        self.put(name, moment.isoformat())
