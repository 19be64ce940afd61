"""Dishonest debit notes and invoices, and what a killed agent bills."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from golem_devnet.agent.recovery import last_dues
from golem_devnet.faults.model import Paper
from golem_devnet.faults.paper import GARBAGE, LEAST, OVER_PRICE, debit_notes, invoices

NOTE = {"activityId": "a1", "totalAmountDue": "0.5", "usageCounterVector": [1.0, 0.5]}
INVOICE = {"agreementId": "g1", "activityIds": ["a1"], "amount": "0.5", "paymentDueDate": "2030-01-01T00:00:00Z"}
STRANGER = {"agreementId": "g0", "activityIds": ["a0"]}


def test_honest_paper_is_left_alone() -> None:
    assert debit_notes(Paper.HONEST, NOTE, stranger="a0") == [NOTE]
    assert invoices(Paper.HONEST, INVOICE, stranger=STRANGER) == [INVOICE]


def test_duplicates_are_equal() -> None:
    assert debit_notes(Paper.DUPLICATE, NOTE, stranger=None) == [NOTE, NOTE]
    assert invoices(Paper.DUPLICATE, INVOICE, stranger=None) == [INVOICE, INVOICE]


@given(st.decimals(min_value=0, max_value=10**6, places=18))
def test_over_priced_paper_asks_more_than_is_due(due: Decimal) -> None:
    (note,) = debit_notes(Paper.OVER_PRICED, {**NOTE, "totalAmountDue": format(due, "f")}, stranger=None)
    (invoice,) = invoices(Paper.OVER_PRICED, {**INVOICE, "amount": format(due, "f")}, stranger=None)
    assert note["totalAmountDue"] == invoice["amount"]
    assert "E" not in invoice["amount"]
    assert Decimal(invoice["amount"]) == max(due * OVER_PRICE, LEAST)


def test_wrong_paper_names_the_stranger_or_is_not_sent() -> None:
    assert debit_notes(Paper.WRONG_AGREEMENT, NOTE, stranger="a0") == [{**NOTE, "activityId": "a0"}]
    (invoice,) = invoices(Paper.WRONG_AGREEMENT, INVOICE, stranger=STRANGER)
    assert invoice == {**INVOICE, **STRANGER, "amount": "5.0"}
    assert debit_notes(Paper.WRONG_AGREEMENT, NOTE, stranger=None) == []
    assert invoices(Paper.WRONG_AGREEMENT, INVOICE, stranger=None) == []


def test_malformed_paper_holds_garbage() -> None:
    assert debit_notes(Paper.MALFORMED, NOTE, stranger=None) == [{**NOTE, "usageCounterVector": GARBAGE}]
    (invoice,) = invoices(Paper.MALFORMED, INVOICE, stranger=None)
    assert invoice == {**INVOICE, "activityIds": [], "amount": "0.5000000000000000001"}, "less than a wei"


def test_a_killed_agent_bills_the_most_each_activity_was_noted_for() -> None:
    notes = [
        {"agreementId": "g1", "activityId": "a1", "totalAmountDue": "0.2"},
        {"agreementId": "g1", "activityId": "a1", "totalAmountDue": "0.10"},
        {"agreementId": "g1", "activityId": "a2", "totalAmountDue": "1"},
        {"agreementId": "g2", "activityId": "a3", "totalAmountDue": "3"},
    ]
    assert last_dues(notes) == {"g1": {"a1": Decimal("0.2"), "a2": Decimal(1)}, "g2": {"a3": Decimal(3)}}
