"""The SQLite file: tables, durability and the schema's version.

Calls are synchronous on purpose: a durable write takes a fraction of a millisecond (WAL, synchronous=FULL),
and a transaction that cannot be interleaved needs no locks of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    TypeDecorator,
    UniqueConstraint,
    create_engine,
    event,
    text,
)

from golem_bridge.errors import BridgeError

SCHEMA_VERSION = 4


class StoreError(BridgeError):
    """The books cannot be opened."""

    code = "store"


class UtcTime(TypeDecorator[datetime]):
    """SQLite keeps no time zone: stored as UTC, read back aware."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ANN401
        return None if value is None else value.replace(tzinfo=UTC)


class Wei(TypeDecorator[int]):
    """Amounts pass SQLite's 64 bits: kept as decimal text."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:  # noqa: ANN401
        return None if value is None else int(value)


metadata = MetaData()

clusters = Table(
    "clusters",
    metadata,
    Column("cluster_id", String, primary_key=True),
    Column("name", String, nullable=False, index=True),
    Column("incarnation", Integer, nullable=False),
    Column("spec", String, nullable=False),
    Column("state", String, nullable=False),
    Column("allocation_id", String),
    Column("network_id", String),
    Column("created_at", UtcTime, nullable=False),
    Column("golem_network", String, nullable=False),
    Column("closing_at", UtcTime),
    Column("version", Integer, nullable=False),
    UniqueConstraint("name", "incarnation"),
)

nodes = Table(
    "nodes",
    metadata,
    Column("node_id", String, primary_key=True),
    Column("cluster_id", String, nullable=False, index=True),
    Column("kind", String, nullable=False),
    Column("node_type", String, nullable=False),
    Column("ip", String, nullable=False),
    Column("state", String, nullable=False),
    Column("reason", String),
    Column("message", String, nullable=False),
    Column("tags", String, nullable=False),
    Column("agreement_id", String),
    Column("relay_token", String, nullable=False),
    Column("host_public_key", String, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("running_at", UtcTime),
    Column("ended_at", UtcTime),
    Column("version", Integer, nullable=False),
)

contracts = Table(
    "contracts",
    metadata,
    Column("agreement_id", String, primary_key=True),
    Column("cluster_id", String, nullable=False, index=True),
    Column("node_id", String, nullable=False),
    Column("provider_id", String, nullable=False),
    Column("provider_name", String, nullable=False),
    Column("price", String, nullable=False),
    Column("usage_vector", String, nullable=False),
    Column("threads", Integer, nullable=False),
    Column("activity_id", String),
    Column("created_at", UtcTime, nullable=False),
    Column("activity_since", UtcTime),
    Column("ended_at", UtcTime),
    Column("invoiced_wei", Wei),
)

ledger = Table(
    "ledger",
    metadata,
    Column("entry_id", Integer, primary_key=True, autoincrement=True),
    Column("at", UtcTime, nullable=False),
    Column("cluster_id", String, nullable=False),
    Column("agreement_id", String, nullable=False, index=True),
    Column("kind", String, nullable=False),
    Column("wei", Wei, nullable=False),
    Column("reference", String, nullable=False),
    Column("detail", String, nullable=False),
    UniqueConstraint("kind", "reference", "agreement_id"),
)

documents = Table(
    "documents",
    metadata,
    Column("document_id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("agreement_id", String, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("total", String, nullable=False),
    Column("verdict", String, nullable=False),
    Column("detail", String, nullable=False),
)

BY_VERDICT = Index("documents_by_verdict", documents.c.verdict)
"""Those not accepted yet are looked for all the time, among all there ever were."""

verdicts = Table(
    "verdicts",
    metadata,
    Column("document_id", String, primary_key=True),
    Column("verdict", String, primary_key=True),
)
"""Every verdict a document ever got: a document judged anew keeps only the last."""

events = Table(
    "events",
    metadata,
    Column("event_id", Integer, primary_key=True, autoincrement=True),
    Column("at", UtcTime, nullable=False),
    Column("cluster_id", String, nullable=False, index=True),
    Column("node_id", String),
    Column("kind", String, nullable=False),
    Column("message", String, nullable=False),
    sqlite_autoincrement=True,
)

values = Table(
    "values",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", String, nullable=False),
)


class Database:
    """The open file. Use :meth:`write` for everything that must not be lost."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, path: Path | None, *, golem_network: str = "devnet") -> Database:
        """Open the file, bring it up to date, or create it; None keeps everything in memory (unit tests).

        ``golem_network`` is the one the bridge runs on, which the oldest books do not tell. Raises StoreError.
        """
        engine = create_engine(f"sqlite:///{path}" if path else "sqlite://")
        event.listen(engine, "connect", _make_durable)
        try:
            with engine.begin() as connection:
                connection.exec_driver_sql("BEGIN IMMEDIATE")  # sqlite3 itself begins none for changes of tables
                _migrate(connection, _version(connection, path), golem_network)
                metadata.create_all(connection)
                connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")
        except StoreError:
            engine.dispose()
            raise
        except Exception as error:
            engine.dispose()
            raise StoreError(
                f"Cannot open the books {path} — {error} — restore a backup of the volume bridge-data, "
                "or move the file away to start with empty books"
            ) from error
        return cls(engine)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction: all of it is on disk afterwards, or none."""
        with self._engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent look."""
        with self._engine.connect() as connection:
            yield connection

    def close(self) -> None:
        """Close the file."""
        self._engine.dispose()


def _make_durable(dbapi_connection: Any, _record: object) -> None:  # noqa: ANN401 - DBAPI has no types
    cursor = dbapi_connection.cursor()
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "busy_timeout = 5000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _version(connection: Connection, path: Path | None) -> int:
    """The schema's; 0 for a new file. Raises StoreError if it is none this bridge knows."""
    found = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
    if not 0 <= found <= SCHEMA_VERSION:
        raise StoreError(
            f"The books {path} have schema {found}, this bridge knows {SCHEMA_VERSION} — "
            "run the release that wrote them, or move the file away to start with empty books"
        )
    return found


def _migrate(connection: Connection, found: int, golem_network: str) -> None:
    """Bring the tables of an older bridge up to date; a new file has none yet."""
    for version in range(found or SCHEMA_VERSION, SCHEMA_VERSION):
        MIGRATIONS[version](connection, golem_network)


def add_network(connection: Connection, golem_network: str) -> None:
    """What is open goes on, and is paid, on the network that is set; of closed clusters nothing tells."""
    connection.exec_driver_sql("ALTER TABLE clusters ADD COLUMN golem_network VARCHAR NOT NULL DEFAULT 'devnet'")
    connection.execute(
        text("UPDATE clusters SET golem_network = :golem_network WHERE state != 'closed'"),
        {"golem_network": golem_network},
    )


def add_verdicts(connection: Connection, _golem_network: str) -> None:
    """Those of before are forgotten where a document was judged anew."""
    connection.exec_driver_sql(
        "CREATE TABLE verdicts (document_id VARCHAR NOT NULL, verdict VARCHAR NOT NULL, "
        "PRIMARY KEY (document_id, verdict))"
    )
    connection.exec_driver_sql("INSERT INTO verdicts SELECT document_id, verdict FROM documents")


def add_index(connection: Connection, _golem_network: str) -> None:
    """Made with the table in new books."""
    BY_VERDICT.create(connection)


MIGRATIONS: dict[int, Callable[[Connection, str], None]] = {1: add_network, 2: add_verdicts, 3: add_index}
"""What brings each older schema to the next; given the network the bridge runs on."""
