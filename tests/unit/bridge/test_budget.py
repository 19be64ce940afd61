"""What a budget can carry."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from golem_bridge.money.budget import TAIL, exposure, reserved
from golem_bridge.money.ledger import EntryKind, Ledger
from golem_bridge.money.price import to_glm, to_wei
from golem_bridge.store.database import Database
from tests.unit.bridge.samples import PRICE, START, contract

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
