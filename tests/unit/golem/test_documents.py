"""Hostile documents: well-formed ones are read, everything else is one kind of error."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem_bridge.errors import MalformedDocumentError
from golem_bridge.golem.types import DocumentKind, DocumentStatus, PaymentDocument
from golem_bridge.golem.yagna.documents import MAX_BODY, parse_document

ADDRESS = "0x5d5c99edf529335160ff180fa141dd4967fc00d2"
COMMON = {
    "issuerId": ADDRESS,
    "recipientId": "0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a",
    "payeeAddr": ADDRESS,
    "paymentPlatform": "erc20-hoodi-tglm",
    "timestamp": "2026-11-23T08:50:09.311Z",
    "agreementId": "4fe1438a",
    "paymentDueDate": "2026-11-23T09:50:09.293784Z",
    "status": "RECEIVED",
}
INVOICE: dict[str, Any] = {**COMMON, "invoiceId": "one", "activityIds": ["e0014256"], "amount": "0.014109"}
NOTE: dict[str, Any] = {
    **COMMON,
    "debitNoteId": "one",
    "previousDebitNoteId": None,
    "activityId": "e0014256",
    "totalAmountDue": "0.010115",
    "usageCounterVector": [10.115065574645996, 1.0115065574645996],
}
SAMPLES = {DocumentKind.INVOICE: INVOICE, DocumentKind.DEBIT_NOTE: NOTE}
AMOUNT = {DocumentKind.INVOICE: "amount", DocumentKind.DEBIT_NOTE: "totalAmountDue"}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
kinds = st.sampled_from(DocumentKind)


def read(kind: DocumentKind, **changes: object) -> PaymentDocument:
    return parse_document(kind, "one", json.dumps({**SAMPLES[kind], **changes}).encode())


def test_an_invoice() -> None:
    invoice = read(DocumentKind.INVOICE)
    assert invoice.total_due == Decimal("0.014109")
    assert invoice.activity_ids == ("e0014256",)
    assert invoice.usage == ()
    assert invoice.issued_at == datetime(2026, 11, 23, 8, 50, 9, 311_000, tzinfo=UTC)
    assert invoice.status is DocumentStatus.RECEIVED


def test_a_debit_note() -> None:
    note = read(DocumentKind.DEBIT_NOTE)
    assert note.total_due == Decimal("0.010115")
    assert note.activity_ids == ("e0014256",)
    assert note.usage == (Decimal("10.115065574645996"), Decimal("1.0115065574645996"))


def test_what_may_be_missing() -> None:
    assert read(DocumentKind.DEBIT_NOTE, usageCounterVector=None, paymentDueDate=None).usage == ()
    assert read(DocumentKind.INVOICE, activityIds=[]).activity_ids == ()


@pytest.mark.parametrize("kind", DocumentKind)
@pytest.mark.parametrize("amount", ["NaN", "-1", "1e-19", "1e400", 0.5, None, "1 GLM", "Infinity", {"amount": "1"}])
def test_amounts_that_make_a_document_malformed(kind: DocumentKind, amount: object) -> None:
    with pytest.raises(MalformedDocumentError) as refused:
        read(kind, **{AMOUNT[kind]: amount})
    assert AMOUNT[kind] in refused.value.message


@pytest.mark.parametrize(
    "changes",
    [
        {"usageCounterVector": ["1"]},
        {"usageCounterVector": [-1.0]},
        {"usageCounterVector": [1e300]},
        {"usageCounterVector": [float("nan")]},
        {"usageCounterVector": [0.0] * 65},
        {"usageCounterVector": {"0": 1}},
        {"debitNoteId": "another"},
        {"activityId": ""},
        {"agreementId": "a" * 200},
        {"timestamp": "yesterday"},
        {"timestamp": "0001-01-01T00:00:00+23:00"},
        {"status": "PAID"},
        {"totalAmountDue": "1", "padding": "x" * MAX_BODY},
    ],
)
def test_other_ways_to_be_malformed(changes: dict[str, object]) -> None:
    with pytest.raises(MalformedDocumentError):
        read(DocumentKind.DEBIT_NOTE, **changes)


def test_what_is_said_of_it_is_one_short_line() -> None:
    with pytest.raises(MalformedDocumentError) as refused:
        read(DocumentKind.INVOICE, amount="\x1b[2J\n" * 10)
    assert refused.value.message.isprintable()
    assert len(refused.value.message) < 500


@given(kind=kinds, body=st.binary(max_size=200))
def test_any_bytes(kind: DocumentKind, body: bytes) -> None:
    with pytest.raises(MalformedDocumentError):
        parse_document(kind, "one", body)


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 20_000, b'"\\ud800"', b"\xff\xfe", b""])
def test_nasty_bytes(body: bytes) -> None:
    with pytest.raises(MalformedDocumentError):
        parse_document(DocumentKind.INVOICE, "one", body)


@given(kind=kinds, data=st.data())
def test_any_value_in_any_place_is_read_or_refused(kind: DocumentKind, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(SAMPLES[kind])))
    try:
        document = read(kind, **{name: data.draw(json_values)})
    except MalformedDocumentError as error:
        assert error.message.isprintable()
        return
    assert document.document_id == "one"
    assert document.total_due >= 0
    assert all(counter.is_finite() and counter >= 0 for counter in document.usage)
    assert document.issued_at.tzinfo is UTC
