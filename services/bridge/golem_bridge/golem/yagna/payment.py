"""Payment API: allocations, documents, payments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel, Field, TypeAdapter

from golem_bridge.clock import Clock
from golem_bridge.errors import AllocationGoneError, InsufficientFundsError, UnsupportedError
from golem_bridge.golem.types import (
    AgreementTotals,
    Allocation,
    DocumentEvent,
    DocumentKind,
    Payment,
    PaymentDocument,
    PaymentProblem,
    Properties,
)
from golem_bridge.golem.yagna.amounts import parse_amount, utc
from golem_bridge.golem.yagna.books import read_allocation, read_allocations, read_payments, read_problems, read_totals
from golem_bridge.golem.yagna.documents import parse_document
from golem_bridge.golem.yagna.failures import quoted
from golem_bridge.golem.yagna.rest import MARGIN, Answer, Rest, timestamp

ACCEPT = 20.0
"""Seconds yagna may try to tell the provider of an acceptance; it goes on trying later."""

_NOT_ENOUGH = re.compile(r"Not enough funds\. Allocated: (\S+) Needed: (\S+)")

_NO_ALLOCATION = re.compile(r"Allocation \S+ not found")


class _WireProperty(BaseModel):
    key: str
    value: str


class _WireDecoration(BaseModel):
    properties: list[_WireProperty]
    constraints: list[str]


class _WireEvent(BaseModel):
    kind: str = Field(alias="eventType")
    at: datetime = Field(alias="eventDate")
    invoice_id: str | None = Field(alias="invoiceId", default=None)
    debit_note_id: str | None = Field(alias="debitNoteId", default=None)


class _WireProblem(BaseModel):
    instance: str = ""
    available: str | None = Field(alias="availableFunds", default=None)
    requested: str | None = Field(alias="requestedFunds", default=None)


_DECORATION = TypeAdapter(_WireDecoration)
_EVENTS = TypeAdapter(list[_WireEvent])


class Payments:
    """The payment half of GolemPort."""

    def __init__(self, rest: Rest, clock: Clock) -> None:
        self._rest = rest
        self._clock = clock

    async def create_allocation(self, amount: Decimal, *, platform: str, expires: datetime) -> Allocation:
        """Set funds aside. Raises InsufficientFundsError with what is available."""
        answer = await self._rest.call(
            "Cannot set funds aside",
            self._rest.payment.create_allocation,
            {
                "paymentPlatform": platform,
                "totalAmount": format(amount, "f"),
                "makeDeposit": False,
                "timeout": timestamp(expires),
            },
        )
        _check_funds(answer)
        return read_allocation(answer)

    async def amend_allocation(self, allocation_id: str, *, total: Decimal) -> Allocation:
        """Change the total. Raises InsufficientFundsError, NotFoundError; GolemError below what is spent."""
        answer = await self._rest.call(
            f"Cannot change allocation {allocation_id}",
            self._rest.payment.amend_allocation,
            allocation_id,
            {"totalAmount": format(total, "f")},
        )
        _check_funds(answer)
        return read_allocation(answer)

    async def allocation(self, allocation_id: str) -> Allocation:
        """Raises NotFoundError once released."""
        answer = await self._rest.call(
            f"Cannot look up allocation {allocation_id}", self._rest.payment.get_allocation, allocation_id
        )
        return read_allocation(answer)

    async def allocations(self) -> Sequence[Allocation]:
        """All live allocations of our identity."""
        answer = await self._rest.call("Cannot list allocations", self._rest.payment.get_allocations)
        return read_allocations(answer)

    async def release_allocation(self, allocation_id: str) -> None:
        """Give the rest back; an unknown one is no error."""
        answer = await self._rest.call(
            f"Cannot release allocation {allocation_id}", self._rest.payment.release_allocation, allocation_id
        )
        answer.check(gone_is_fine=True)

    async def demand_decoration(self, allocation_id: str) -> tuple[Properties, Sequence[str]]:
        """Properties and constraints a demand must carry to be payable from this allocation."""
        answer = await self._rest.call(
            f"Cannot read what allocation {allocation_id} asks of demands",
            self._rest.payment.get_demand_decorations,
            [allocation_id],
        )
        wire = answer.read(_DECORATION)
        return {item.key: item.value for item in wire.properties}, wire.constraints

    async def document_events(
        self, kind: DocumentKind, *, after: datetime, limit: int, timeout: float
    ) -> Sequence[DocumentEvent]:
        """Long-poll for documents received after ``after`` (exclusive): the ``limit`` oldest, oldest first."""
        payment = self._rest.payment
        method = payment.get_invoice_events if kind is DocumentKind.INVOICE else payment.get_debit_note_events
        deadline = self._clock.monotonic() + timeout
        left = timeout
        while True:
            answer = await self._rest.call(
                f"Cannot read events of {kind.value}s",
                method,
                after_timestamp=timestamp(after),
                max_events=limit,
                timeout=left,
                within=left + MARGIN,
            )
            events = answer.read(_EVENTS)
            received = _received(kind, events)
            left = deadline - self._clock.monotonic()
            if received or not events or left <= 0:
                return received
            after = max(utc(event.at) for event in events)  # other events only: step over them

    async def document(self, kind: DocumentKind, document_id: str) -> PaymentDocument:
        """Raises NotFoundError, MalformedDocumentError (amount not a finite, non-negative number, ...)."""
        payment = self._rest.payment
        method = payment.get_invoice if kind is DocumentKind.INVOICE else payment.get_debit_note
        answer = await self._rest.call(f"Cannot fetch {kind.value} {quoted(document_id)}", method, document_id)
        answer.check()
        return parse_document(kind, document_id, answer.body)

    async def accept(self, kind: DocumentKind, document_id: str, *, amount: Decimal, allocation_id: str) -> None:
        """Accept a document.

        Raises InsufficientFundsError when the allocation cannot carry it, AllocationGoneError when there is none any
        more. yagna 0.17.6 accepts before it tells the provider, and fails when that does: after another error the
        document tells whether it is accepted. It takes no other amount than the document's total, and says yes to
        repeating it.
        """
        payment = self._rest.payment
        method = payment.accept_invoice if kind is DocumentKind.INVOICE else payment.accept_debit_note
        answer = await self._rest.call(
            f"Cannot accept {kind.value} {quoted(document_id)}",
            method,
            document_id,
            {"totalAmountAccepted": format(amount, "f"), "allocationId": allocation_id},
            timeout=ACCEPT,
            within=ACCEPT + MARGIN,
        )
        if answer.status == 410 or (answer.status == 400 and _NO_ALLOCATION.search(answer.message)):
            raise AllocationGoneError(f"{answer.what} — {quoted(answer.message)} — set funds aside again: ray up")
        _check_funds(answer)

    async def reject_document(self, kind: DocumentKind, document_id: str, *, reason: str) -> None:
        """Reject a document. yagna 0.17.6 rejects invoices; for debit notes it answers 501: UnsupportedError."""
        payment = self._rest.payment
        method = payment.reject_invoice if kind is DocumentKind.INVOICE else payment.reject_debit_note
        answer = await self._rest.call(
            f"Cannot reject {kind.value} {quoted(document_id)}",
            method,
            document_id,
            {"rejectionReason": "INCORRECT_AMOUNT", "totalAmountAccepted": "0", "message": reason},
            timeout=ACCEPT,
            within=ACCEPT + MARGIN,
        )
        if answer.status == 501:
            raise UnsupportedError(f"{answer.what} — yagna cannot do that (501) — it stays unaccepted, thus unpaid")
        answer.check()

    async def pay_now(self, platform: str) -> None:
        """Pay what is accepted at once. yagna 0.17.6 by itself does so every 24 h on polygon, every 5 min on hoodi."""
        answer = await self._rest.post(
            "Cannot have accepted amounts paid now", f"/payment-api/v1/batchCycle/{platform}/now"
        )
        answer.check()

    async def payments(self, *, after: datetime, limit: int, timeout: float) -> Sequence[Payment]:
        """Long-poll for confirmed payments after ``after`` (exclusive): the ``limit`` oldest, oldest first.

        Times are in milliseconds, and two payments may share one: read a little overlap and dedupe by payment id.
        """
        answer = await self._rest.call(
            "Cannot read payments",
            self._rest.payment.get_payments,
            after_timestamp=timestamp(after),
            max_events=limit,
            timeout=timeout,
            within=timeout + MARGIN,
        )
        return read_payments(answer)

    async def agreement_totals(self) -> Sequence[AgreementTotals]:
        """Totals of all agreements of our identity.

        yagna 0.17.6 does not move an entry's ``updatedTs`` when it is paid, so there is nothing to poll by: the whole
        list is read each time.
        """
        answer = await self._rest.get("Cannot read totals of agreements", "/payment-api/v1/payAgreements")
        return read_totals(answer)

    async def payment_problems(self) -> Sequence[PaymentProblem]:
        """What keeps confirmed payments from being made right now; [] when nothing does."""
        answer = await self._rest.get("Cannot read the state of payments", "/payment-api/v1/payments/status")
        return read_problems(answer)


def _received(kind: DocumentKind, events: Sequence[_WireEvent]) -> list[DocumentEvent]:
    name = "InvoiceReceivedEvent" if kind is DocumentKind.INVOICE else "DebitNoteReceivedEvent"
    received = []
    for event in events:
        document_id = event.invoice_id if kind is DocumentKind.INVOICE else event.debit_note_id
        if event.kind == name and document_id:
            received.append(DocumentEvent(kind, document_id, utc(event.at)))
    return received


def _check_funds(answer: Answer) -> None:
    """Raise what the answer stands for; a lack of funds is told in two ways, by wallet and by allocation."""
    if answer.ok:
        return
    raise (answer.status == 400 and _lack_of_funds(answer)) or answer.failure()


def _lack_of_funds(answer: Answer) -> InsufficientFundsError | None:
    allocation = _NOT_ENOUGH.search(answer.message)
    if allocation:
        return InsufficientFundsError(
            f"{answer.what} — {allocation[2]} GLM needed, {allocation[1]} GLM left in the allocation — "
            "raise total_budget in the cluster file and run: ray up",
            _known(allocation[1]),
        )
    problem = _problem(answer)
    if problem is None or not problem.instance.endswith("insufficient-account-funds"):
        return None
    available = _known(problem.available)
    told = "an unknown amount of" if available is None else f"{available:f}"
    return InsufficientFundsError(
        f"{answer.what} — {problem.requested} GLM asked for, {told} GLM available in the wallet — "
        "lower total_budget in the cluster file or fund the wallet",
        available,
    )


def _problem(answer: Answer) -> _WireProblem | None:
    try:
        return _WireProblem.model_validate_json(answer.body)
    except ValueError:
        return None


def _known(amount: str | None) -> Decimal | None:
    if amount is not None and amount.startswith("-"):
        return Decimal(0)  # more is set aside than the wallet holds
    try:
        return parse_amount(amount)
    except ValueError:
        return None
