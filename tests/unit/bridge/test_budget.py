"""What a budget can carry."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from golem_bridge.clusters.books import Books
from golem_bridge.money.budget import TAIL, exposure, reserved, total_exposure, total_reserved
from golem_bridge.money.contracts import Contract
from golem_bridge.money.ledger import EntryKind, Ledger
from golem_bridge.money.price import to_glm, to_wei
from golem_bridge.store.database import Database
from tests.unit.bridge.samples import PRICE, START, ManualClock, contract

FIRST_HOUR = PRICE.first_hour(2)


def empty_ledger() -> Ledger:
    return Ledger(Database.open(None))


def test_a_fresh_contract_holds_start_and_one_hour() -> None:
    fresh = contract(activity_id=None, activity_since=None)
    assert reserved(fresh, empty_ledger(), START) == FIRST_HOUR


@given(st.integers(min_value=0, max_value=10 * 3600))
def test_what_is_reserved_always_covers_what_it_can_cost(seconds: int) -> None:
    now = START + timedelta(seconds=seconds)
    running = contract()
    assert reserved(running, empty_ledger(), now) >= exposure(running, empty_ledger(), now)
    assert exposure(running, empty_ledger(), now) > running.most_it_can_cost(now)


def test_an_ended_contract_holds_the_most_it_can_have_cost() -> None:
    ended = contract(ended_at=START + timedelta(seconds=100))
    later = START + timedelta(days=1)
    assert reserved(ended, empty_ledger(), later) == PRICE.cost(env_seconds=Decimal(100), cpu_seconds=Decimal(200))


def test_an_invoiced_contract_holds_the_invoice() -> None:
    ended = contract(ended_at=START, invoiced_wei=to_wei(Decimal("0.123")))
    assert reserved(ended, empty_ledger(), START) == Decimal("0.123")


@given(st.integers(min_value=0, max_value=10 * 3600), st.integers(min_value=0, max_value=10**18))
def test_an_invoice_that_comes_early_frees_nothing(seconds: int, wei: int) -> None:
    now = START + timedelta(seconds=seconds)
    running, ledger = contract(), empty_ledger()
    invoiced = replace(running, invoiced_wei=wei)
    assert reserved(invoiced, ledger, now) == reserved(running, ledger, now)
    assert exposure(invoiced, ledger, now) == exposure(running, ledger, now)


def test_a_contract_that_never_ran_holds_nothing_after_its_end() -> None:
    refused = contract(activity_id=None, activity_since=None, ended_at=START)
    assert reserved(refused, empty_ledger(), START) == 0


def test_what_was_accepted_is_never_forgotten() -> None:
    ledger = empty_ledger()
    ledger.accept(cluster_id="c", agreement_id="agreement-1", document_id="d", parts={EntryKind.ENV: 9}, at=START)
    ended = contract(ended_at=START, price=type(PRICE)(Decimal(0), Decimal(0), Decimal(0)))
    assert reserved(ended, ledger, START) == to_glm(9)


def test_the_tail_is_part_of_the_exposure() -> None:
    assert exposure(contract(), empty_ledger(), START) == PRICE.start + PRICE.per_hour(2) * TAIL / 3600


WEI = st.integers(min_value=0, max_value=10**24)
MOMENTS = st.integers(min_value=0, max_value=3600).map(lambda seconds: START + timedelta(seconds=seconds))


@st.composite
def accounts(draw: st.DrawFn) -> tuple[Contract, int]:
    """A contract in whatever state, and the wei accepted for it: none without an activity."""
    began = draw(st.booleans())
    facts = {
        "cluster_id": draw(st.sampled_from(["demo-1", "other-1"])),
        "activity_since": draw(MOMENTS) if began else None,
        "ended_at": draw(st.none() | MOMENTS),
        "invoiced_wei": draw(st.none() | WEI),
    }
    return contract(**facts), draw(WEI) if began else 0


@given(st.lists(accounts(), max_size=8), MOMENTS)
def test_the_sums_of_a_cluster_are_those_over_all_its_contracts(
    made: Sequence[tuple[Contract, int]], now: datetime
) -> None:
    books = Books.on(Database.open(None), ManualClock())
    for number, (facts, wei) in enumerate(made):
        row = replace(facts, agreement_id=f"agreement-{number}")
        whose = {"cluster_id": row.cluster_id, "agreement_id": row.agreement_id, "document_id": f"note-{number}"}
        books.contracts.add(row)
        books.ledger.accept(**whose, parts={EntryKind.ENV: wei}, at=START)
    for cluster_id in ("demo-1", "other-1"):
        standing, rows = books.contracts.standing(cluster_id), books.contracts.of_cluster(cluster_id)
        assert total_reserved(standing, books.ledger, now) == sum(reserved(row, books.ledger, now) for row in rows)
        assert total_exposure(standing, books.ledger, now) == sum(exposure(row, books.ledger, now) for row in rows)
        assert all(row.ended_at is None or row.invoiced_wei is None for row in standing.unfinished)
