"""Reading debit notes and invoices: hostile, and only well-formed ones get past here."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from golem_bridge.errors import MalformedDocumentError
from golem_bridge.golem.types import DocumentKind, DocumentStatus, PaymentDocument
from golem_bridge.golem.yagna.amounts import Amount, Counter, utc
from golem_bridge.golem.yagna.failures import first_fault, quoted

MAX_COUNTERS = 64
MAX_ACTIVITIES = 1024

MAX_BODY = 2**18
"""Bytes of one document."""

Identifier = Annotated[str, Field(min_length=1, max_length=128)]


class _WireInvoice(BaseModel):
    invoice_id: Identifier = Field(alias="invoiceId")
    agreement_id: Identifier = Field(alias="agreementId")
    activity_ids: list[Identifier] = Field(alias="activityIds", max_length=MAX_ACTIVITIES, default_factory=list)
    amount: Amount
    timestamp: datetime
    due: datetime | None = Field(alias="paymentDueDate", default=None)
    status: DocumentStatus

    def value(self) -> PaymentDocument:
        return PaymentDocument(
            kind=DocumentKind.INVOICE,
            document_id=self.invoice_id,
            agreement_id=self.agreement_id,
            activity_ids=tuple(self.activity_ids),
            total_due=self.amount,
            usage=(),
            issued_at=utc(self.timestamp),
            due_at=utc(self.due) if self.due else None,
            status=self.status,
        )


class _WireDebitNote(BaseModel):
    debit_note_id: Identifier = Field(alias="debitNoteId")
    agreement_id: Identifier = Field(alias="agreementId")
    activity_id: Identifier = Field(alias="activityId")
    amount: Amount = Field(alias="totalAmountDue")
    usage: list[Counter] | None = Field(alias="usageCounterVector", max_length=MAX_COUNTERS, default=None)
    timestamp: datetime
    due: datetime | None = Field(alias="paymentDueDate", default=None)
    status: DocumentStatus

    def value(self) -> PaymentDocument:
        return PaymentDocument(
            kind=DocumentKind.DEBIT_NOTE,
            document_id=self.debit_note_id,
            agreement_id=self.agreement_id,
            activity_ids=(self.activity_id,),
            total_due=self.amount,
            usage=tuple(self.usage or ()),
            issued_at=utc(self.timestamp),
            due_at=utc(self.due) if self.due else None,
            status=self.status,
        )


_WIRE: dict[DocumentKind, type[_WireInvoice | _WireDebitNote]] = {
    DocumentKind.INVOICE: _WireInvoice,
    DocumentKind.DEBIT_NOTE: _WireDebitNote,
}


def parse_document(kind: DocumentKind, document_id: str, body: bytes) -> PaymentDocument:
    """A document from the JSON yagna hands on. Raises MalformedDocumentError, whatever the bytes are."""
    try:
        if len(body) > MAX_BODY:
            raise ValueError(f"{len(body)} bytes long")
        document = _WIRE[kind].model_validate_json(body).value()
        if document.document_id != document_id:
            raise ValueError(f"its id is {quoted(document.document_id)}")
    except ValueError as error:  # a ValidationError is one, too
        why = first_fault(error) if isinstance(error, ValidationError) else str(error)
        raise MalformedDocumentError(
            f"Payment document {quoted(document_id)} is malformed — {quoted(why)} — it will not be paid"
        ) from None
    return document
