"""The file: what is written stays, as it was written, or not at all."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from golem_bridge.clusters.model import Cluster, Node
from golem_bridge.clusters.repository import Clusters, Nodes, StaleError
from golem_bridge.clusters.states import ClusterState, EndReason, NodeKind, NodeState
from golem_bridge.money.contracts import Contracts
from golem_bridge.settings import GolemNetwork
from golem_bridge.store import database as store
from golem_bridge.store.database import Database, StoreError
from golem_bridge.store.values import Values
from tests.unit.bridge.samples import START, ManualClock, contract, spec

CLOCK = ManualClock()
CLUSTER = Cluster("demo-1", "demo", 1, spec(), START, GolemNetwork.DEVNET)
FIRST_SCHEMA = """
CREATE TABLE clusters (
    cluster_id VARCHAR NOT NULL, name VARCHAR NOT NULL, incarnation INTEGER NOT NULL, spec VARCHAR NOT NULL,
    state VARCHAR NOT NULL, allocation_id VARCHAR, network_id VARCHAR, created_at DATETIME NOT NULL,
    closing_at DATETIME, version INTEGER NOT NULL, PRIMARY KEY (cluster_id), UNIQUE (name, incarnation)
);
CREATE TABLE documents (
    document_id VARCHAR NOT NULL, kind VARCHAR NOT NULL, agreement_id VARCHAR NOT NULL, at DATETIME NOT NULL,
    total VARCHAR NOT NULL, verdict VARCHAR NOT NULL, detail VARCHAR NOT NULL, PRIMARY KEY (document_id)
);
INSERT INTO documents VALUES ('note-1', 'debit_note', 'agreement-1', '2026-01-01 12:00:00.000000', '1', 'golem', '');
PRAGMA user_version = 1;
"""
NODE = Node("demo-1-head-0001", "demo-1", NodeKind.HEAD, "head", "192.168.0.3", START, tags={"a": "ä"})


def test_everything_is_read_back_as_it_was_after_the_file_was_opened_again(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "bridge.sqlite")
    cluster = replace(CLUSTER, allocation_id="a", network_id="n", closing_at=START, state=ClusterState.CLOSING)
    node = replace(NODE.ending(EndReason.BUDGET, "no money"), agreement_id="x", running_at=START, relay_token="t")
    signed = contract(invoiced_wei=10**30, ended_at=START + timedelta(microseconds=1))
    Clusters(database, CLOCK).add(cluster)
    Nodes(database, CLOCK).add(node)
    Contracts(database).add(signed)
    database.close()
    database = Database.open(tmp_path / "bridge.sqlite")
    assert Clusters(database, CLOCK).get("demo-1") == cluster
    assert Nodes(database, CLOCK).get(node.node_id) == node
    assert Contracts(database).get(signed.agreement_id) == signed
    assert Contracts(database).by_activity("activity-1") == signed
    assert not Contracts(database).open()
    database.close()


def old_books(path: Path) -> None:
    """A file as the first schema had it, with a closed and an open cluster and a document."""
    connection = sqlite3.connect(path)
    connection.executescript(FIRST_SCHEMA)
    for incarnation, state in ((1, "closed"), (2, "closing")):
        row = (
            f"demo-{incarnation}",
            "demo",
            incarnation,
            spec().model_dump_json(),
            state,
            "2026-01-01 12:00:00.000000",
            7,
        )
        connection.execute(
            "INSERT INTO clusters (cluster_id, name, incarnation, spec, state, created_at, version) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            row,
        )
    connection.commit()
    connection.close()


def test_old_books_are_read_and_what_is_open_is_of_the_network_that_is_set(tmp_path: Path) -> None:
    path = tmp_path / "bridge.sqlite"
    old_books(path)
    for network in ("polygon", "hoodi"):  # the second time there is nothing left to do
        database = Database.open(path, golem_network=network)
        clusters = Clusters(database, CLOCK)
        closed, closing = clusters.get("demo-1"), clusters.get("demo-2")
        assert closed == replace(CLUSTER, state=ClusterState.CLOSED, version=7)
        assert closing.golem_network is GolemNetwork.POLYGON
        clusters.save(closing)
        with database.read() as connection:
            assert connection.execute(select(store.verdicts)).all() == [("note-1", "golem")]
        database.close()


@pytest.mark.parametrize("are_old", [False, True])
def test_documents_are_found_by_their_verdict_however_many_there_are(tmp_path: Path, are_old: bool) -> None:
    path = tmp_path / "bridge.sqlite"
    if are_old:
        old_books(path)
    database = Database.open(path)
    with database.read() as connection:
        plan = connection.exec_driver_sql("EXPLAIN QUERY PLAN SELECT * FROM documents WHERE verdict IN ('a', 'b')")
        assert "USING INDEX documents_by_verdict" in str(plan.all())
    database.close()


def test_books_that_cannot_be_brought_up_to_date_stay_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bridge.sqlite"
    old_books(path)

    def fail(connection: Connection, golem_network: str) -> None:
        store.add_network(connection, golem_network)
        raise OSError("disk full")

    monkeypatch.setitem(store.MIGRATIONS, 1, fail)
    with pytest.raises(StoreError, match="disk full"):
        Database.open(path)
    monkeypatch.undo()
    Database.open(path).close()


def test_a_failed_transaction_leaves_nothing() -> None:
    database = Database.open(None)
    with pytest.raises(ZeroDivisionError), database.write() as connection:
        connection.exec_driver_sql("INSERT INTO \"values\" VALUES ('a', 'b')")
        raise ZeroDivisionError
    assert Values(database).get("a") is None
    database.close()


def test_a_change_made_from_an_old_value_is_refused() -> None:
    database = Database.open(None)
    clusters = Clusters(database, CLOCK)
    clusters.add(CLUSTER)
    saved = clusters.save(replace(CLUSTER, network_id="first"))
    with pytest.raises(StaleError, match="demo"):
        clusters.save(replace(CLUSTER, network_id="second"))
    assert clusters.get("demo-1") == saved
    assert (saved.network_id, saved.version) == ("first", 1)
    database.close()


def test_a_node_changed_behind_ones_back_is_not_overwritten() -> None:
    database = Database.open(None)
    nodes = Nodes(database, CLOCK)
    nodes.add(NODE)

    def alter(node: Node) -> Node:
        nodes.change(node.node_id, lambda node: node.step(NodeState.NEGOTIATING, "quick"))
        return replace(node, message="slow")

    with pytest.raises(StaleError, match=NODE.node_id):
        nodes.change(NODE.node_id, alter)
    assert nodes.get(NODE.node_id).message == "quick"
    unchanged = nodes.change(NODE.node_id, lambda node: node)
    assert unchanged.version == 1
    database.close()


def test_ids_and_incarnations_cannot_come_twice() -> None:
    database = Database.open(None)
    Clusters(database, CLOCK).add(CLUSTER)
    Nodes(database, CLOCK).add(NODE)
    for again in (CLUSTER, replace(CLUSTER, cluster_id="demo-one")):
        with pytest.raises(IntegrityError):
            Clusters(database, CLOCK).add(again)
    with pytest.raises(IntegrityError):
        Nodes(database, CLOCK).add(NODE)
    database.close()


def test_a_contract_ends_once() -> None:
    database = Database.open(None)
    contracts = Contracts(database)
    contracts.add(contract())
    contracts.ended("agreement-1", START)
    contracts.ended("agreement-1", START + timedelta(hours=1))
    (ended,) = contracts.all()
    assert ended.ended_at == START
    database.close()


def test_the_newest_incarnation_of_every_name_is_found() -> None:
    database = Database.open(None)
    clusters = Clusters(database, CLOCK)
    for name, incarnation in (("a", 1), ("b", 1), ("a", 2), ("a", 10)):
        clusters.add(replace(CLUSTER, cluster_id=f"{name}-{incarnation}", name=name, incarnation=incarnation))
    assert sorted(cluster.cluster_id for cluster in clusters.all_latest()) == ["a-10", "b-1"]
    latest = clusters.latest("a")
    assert latest is not None
    assert latest.incarnation == 10
    assert clusters.latest("c") is None
    assert clusters.allocation_of("b-1") is None
    clusters.change("b-1", lambda row: replace(row, allocation_id="x"))
    assert clusters.allocation_of("b-1") == "x"
    clusters.change("b-1", lambda row: replace(row, state=ClusterState.CLOSED))
    assert clusters.allocation_of("b-1") is None
    database.close()


@given(moment=st.datetimes(timezones=st.just(timezone(timedelta(hours=5, minutes=45)))))
def test_moments_keep_their_microseconds_and_become_utc(moment: datetime) -> None:
    database = Database.open(None)
    values = Values(database)
    values.put_time("cursor", moment)
    assert values.time("cursor", START) == moment
    if 2 < moment.year < 9998:
        Clusters(database, CLOCK).add(replace(CLUSTER, created_at=moment))
        read = Clusters(database, CLOCK).get("demo-1").created_at
        assert read == moment
        assert read.utcoffset() == timedelta(0)
    database.close()


def test_a_cursor_begins_where_it_was_first_asked_for() -> None:
    database = Database.open(None)
    values = Values(database)
    assert values.time("cursor", START) == START
    assert values.time("cursor", START + timedelta(days=1)) == START
    values.put("name", "one")
    values.put("name", "two")
    assert values.get("name") == "two"
    database.close()
