"""The ledger: exact, append-only, the same after a restart."""

import tracemalloc
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from golem_bridge.money.ledger import ACCEPTANCES, EntryKind, Ledger
from golem_bridge.money.price import glm_text, to_glm, to_wei
from golem_bridge.store.database import SCHEMA_VERSION, Database, StoreError
from golem_bridge.store.database import ledger as ledger_table
from tests.unit.bridge.samples import START

WEI = st.integers(min_value=0, max_value=10**30)


@given(WEI)
def test_wei_and_glm_convert_exactly(wei: int) -> None:
    assert to_wei(to_glm(wei)) == wei
    assert Decimal(glm_text(to_glm(wei))) == to_glm(wei)


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(ACCEPTANCES), WEI), max_size=20))
def test_sums_are_those_of_the_rows(entries: list[tuple[str, EntryKind, int]]) -> None:
    database = Database.open(None)
    ledger = Ledger(database)
    for number, (agreement, kind, wei) in enumerate(entries):
        for _ in range(2):  # booking twice changes nothing
            ledger.accept(cluster_id="c", agreement_id=agreement, document_id=f"d{number}", parts={kind: wei}, at=START)
    for books in (ledger, Ledger(database)):
        for agreement in ("a", "b"):
            assert books.accepted(agreement) == sum(wei for owner, _, wei in entries if owner == agreement)
        for kind in ACCEPTANCES:
            total = sum(wei for _, entry_kind, wei in entries if entry_kind is kind)
            assert books.cluster_glm("c", kind) == to_glm(total)
    database.close()


def test_old_books_are_not_held_in_memory_all_at_once() -> None:
    """Twenty nodes of three weeks have 600,000 rows."""
    rows = 10_000
    database = Database.open(None)
    row = {"at": START, "cluster_id": "c", "agreement_id": "a", "kind": EntryKind.ENV, "wei": 7, "detail": ""}
    with database.write() as connection:
        connection.execute(insert(ledger_table), [{**row, "reference": str(number)} for number in range(rows)])
    tracemalloc.start()
    try:
        ledger = Ledger(database)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert ledger.accepted("a") == 7 * rows
    assert peak < 100 * rows  # bytes
    database.close()


def test_payments_are_kept_apart_from_acceptances() -> None:
    database = Database.open(None)
    ledger = Ledger(database)
    ledger.accept(cluster_id="c", agreement_id="a", document_id="d", parts={EntryKind.ENV: 7}, at=START)
    ledger.pay(cluster_id="c", agreement_id="a", payment_id="p", wei=5, tx_hash="0xabc", at=START)
    assert (ledger.accepted("a"), ledger.paid("a")) == (7, 5)
    assert ledger.payments("a") == [("0xabc", 5)]
    database.close()


def test_a_negative_row_is_a_bug() -> None:
    database = Database.open(None)
    with pytest.raises(ValueError, match="negative"):
        Ledger(database).accept(cluster_id="c", agreement_id="a", document_id="d", parts={EntryKind.ENV: -1}, at=START)
    database.close()


def test_books_are_durable_and_of_a_known_schema(tmp_path: Path) -> None:
    path = tmp_path / "books.sqlite"
    database = Database.open(path)
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2  # FULL
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
    with database.write() as connection:
        connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    database.close()
    with pytest.raises(StoreError, match=f"schema {SCHEMA_VERSION + 1}"):
        Database.open(path)


def test_damaged_books_are_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "books.sqlite"
    path.write_bytes(b"no database at all, " * 100)
    with pytest.raises(StoreError, match="restore a backup"):
        Database.open(path)
