"""Payments in memory, with yagna's accounting: funds are spent when a document is accepted, for what it adds."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from operator import attrgetter

from golem_bridge.errors import (
    AllocationGoneError,
    GolemError,
    InsufficientFundsError,
    MalformedDocumentError,
    UnsupportedError,
)
from golem_bridge.golem.types import (
    AgreementTotals,
    Allocation,
    DocumentEvent,
    DocumentKind,
    DocumentStatus,
    Payment,
    PaymentDocument,
    PaymentProblem,
    Properties,
)
from tests.fakes.golem.world import FakeActivity, FakeAgreement, World, found

PAYMENT_CYCLE = 5.0
"""Seconds from acceptance to the confirmed payment, unless somebody asks for it before."""

BINDING = frozenset({DocumentStatus.ACCEPTED, DocumentStatus.SETTLED})

Key = tuple[DocumentKind, str]


@dataclass
class _Totals:
    due: Decimal = Decimal(0)
    accepted: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)
    by_activity: dict[str, Decimal] = field(default_factory=dict)
    """Accepted in debit notes."""


class MemoryPayments:
    def __init__(self, world: World, *, node_id: str, wallet: Decimal) -> None:
        self._world = world
        self._node_id = node_id
        self.wallet = wallet
        self.problems: list[PaymentProblem] = []
        self._allocations: dict[str, Allocation] = {}
        self._documents: dict[Key, PaymentDocument | None] = {}
        self._events: list[DocumentEvent] = []
        self._payments: list[Payment] = []
        self._due: list[tuple[PaymentDocument, Decimal]] = []
        self.payment_cycle = PAYMENT_CYCLE
        self._totals: dict[str, _Totals] = {}

    # what providers (and tests) do

    def send(self, document: PaymentDocument) -> PaymentDocument:
        """A document arrives, whatever is in it; the same id again is a new event for the same document."""
        self._documents.setdefault((document.kind, document.document_id), document)
        totals = self._totals.setdefault(document.agreement_id, _Totals())
        totals.due = max(totals.due, document.total_due)
        self._announce(document.kind, document.document_id)
        return document

    def send_malformed(self, kind: DocumentKind) -> str:
        """A document arrives that makes no sense; returns its id."""
        document_id = self._world.new_id(kind.value)
        self._documents[(kind, document_id)] = None
        self._announce(kind, document_id)
        return document_id

    def send_invoice(self, agreement_id: str, total: Decimal) -> PaymentDocument:
        activities = tuple(activity.activity_id for activity in self._world.activities_of(agreement_id))
        return self.send(self._document(DocumentKind.INVOICE, agreement_id, activities, total, ()))

    def send_debit_note(
        self, activity_id: str, total: Decimal, *, usage: tuple[Decimal, ...] | None = None
    ) -> PaymentDocument:
        activity = self._world.activity(activity_id)
        honest = activity.agreement.provider.usage(activity.seconds(self._world.clock.now()))
        return self.send(
            self._document(
                DocumentKind.DEBIT_NOTE,
                activity.agreement.agreement_id,
                (activity_id,),
                total,
                honest if usage is None else usage,
            )
        )

    def charge(self, activity: FakeActivity) -> None:
        """An honest debit note."""
        seconds = activity.seconds(self._world.clock.now())
        self.send_debit_note(activity.activity_id, activity.agreement.provider.cost(seconds))

    def charge_all(self, agreement: FakeAgreement) -> None:
        """An honest invoice."""
        now = self._world.clock.now()
        costs = (
            agreement.provider.cost(item.seconds(now)) for item in self._world.activities_of(agreement.agreement_id)
        )
        self.send_invoice(agreement.agreement_id, sum(costs, Decimal(0)))

    # the boundary

    async def create_allocation(self, amount: Decimal, *, platform: str, expires: datetime) -> Allocation:
        self._world.check_up()
        self._check_wallet(amount)
        allocation = Allocation(self._world.new_id("allocation"), platform, amount, Decimal(0), amount, expires)
        self._allocations[allocation.allocation_id] = allocation
        return allocation

    async def amend_allocation(self, allocation_id: str, *, total: Decimal) -> Allocation:
        self._world.check_up()
        old = self._allocation(allocation_id)
        if total < old.spent:
            raise GolemError(f"Cannot change allocation {allocation_id} — {old.spent} GLM is spent — ask for more")
        self._check_wallet(total - old.total)
        new = replace(old, total=total, remaining=total - old.spent)
        self._allocations[allocation_id] = new
        return new

    async def allocation(self, allocation_id: str) -> Allocation:
        self._world.check_up()
        return self._allocation(allocation_id)

    async def allocations(self) -> Sequence[Allocation]:
        self._world.check_up()
        return list(self._allocations.values())

    async def release_allocation(self, allocation_id: str) -> None:
        self._world.check_up()
        self._allocations.pop(allocation_id, None)

    async def demand_decoration(self, allocation_id: str) -> tuple[Properties, Sequence[str]]:
        self._world.check_up()
        platform = self._allocation(allocation_id).platform
        address = f"golem.com.payment.platform.{platform}.address"
        version = "golem.com.payment.protocol.version"
        return {address: self._node_id, version: "3"}, [f"({address}=*)", f"({version}>1)"]

    async def document_events(
        self, kind: DocumentKind, *, after: datetime, limit: int, timeout: float
    ) -> Sequence[DocumentEvent]:
        self._world.check_up()

        def new() -> list[DocumentEvent]:
            events = [event for event in self._events if event.kind is kind and event.at > after]
            return sorted(events, key=lambda event: event.at)[:limit]

        await self._world.until(lambda: bool(new()), timeout)
        self._world.check_up()
        return new()

    async def document(self, kind: DocumentKind, document_id: str) -> PaymentDocument:
        self._world.check_up()
        document = found(self._documents, (kind, document_id), kind.value)
        if document is None:
            raise MalformedDocumentError(f"Payment document {document_id} is malformed — amount is NaN — not paid")
        return document

    async def accept(self, kind: DocumentKind, document_id: str, *, amount: Decimal, allocation_id: str) -> None:
        document = await self.document(kind, document_id)
        if amount != document.total_due:
            raise GolemError(f"Cannot accept {document_id} — yagna answers 400: Invalid amount accepted — check it")
        if document.status in BINDING or (kind is DocumentKind.DEBIT_NOTE and self._is_invoiced(document.agreement_id)):
            return
        if allocation_id not in self._allocations:
            raise AllocationGoneError(f"Cannot accept {document_id} — Allocation {allocation_id} not found — ray up")
        allocation = self._allocation(allocation_id)
        totals = self._totals.setdefault(document.agreement_id, _Totals())
        added = self._added(document, totals)
        if added > allocation.remaining:
            raise InsufficientFundsError(
                f"Cannot accept {document_id} — {added} GLM needed, {allocation.remaining} left — raise the budget",
                allocation.remaining,
            )
        self._allocations[allocation_id] = replace(
            allocation, spent=allocation.spent + added, remaining=allocation.remaining - added
        )
        totals.accepted += added
        if kind is DocumentKind.DEBIT_NOTE:
            totals.by_activity[document.activity_ids[0]] = document.total_due
        self._documents[(kind, document_id)] = replace(document, status=DocumentStatus.ACCEPTED)
        self._due.append((document, added))
        self._world.later(self.payment_cycle, self._pay_all)

    async def reject_document(self, kind: DocumentKind, document_id: str, *, reason: str) -> None:
        if kind is DocumentKind.DEBIT_NOTE:
            self._world.check_up()
            raise UnsupportedError(f"Cannot reject {document_id} — yagna answers 501 — it stays unaccepted")
        document = await self.document(kind, document_id)
        self._documents[(kind, document_id)] = replace(document, status=DocumentStatus.REJECTED)

    async def pay_now(self, platform: str) -> None:
        self._world.check_up()
        self._pay_all()

    async def payments(self, *, after: datetime, limit: int, timeout: float) -> Sequence[Payment]:
        self._world.check_up()

        def new() -> list[Payment]:
            return sorted((item for item in self._payments if item.at > after), key=attrgetter("at"))[:limit]

        await self._world.until(lambda: bool(new()), timeout)
        self._world.check_up()
        return new()

    async def agreement_totals(self) -> Sequence[AgreementTotals]:
        self._world.check_up()
        return [
            AgreementTotals(
                agreement_id, self._world.agreement(agreement_id).provider.provider_id, row.due, row.accepted, row.paid
            )
            for agreement_id, row in self._totals.items()
            if agreement_id in self._world.agreements
        ]

    async def payment_problems(self) -> Sequence[PaymentProblem]:
        self._world.check_up()
        return list(self.problems)

    # within

    def _document(
        self,
        kind: DocumentKind,
        agreement_id: str,
        activities: tuple[str, ...],
        total: Decimal,
        usage: tuple[Decimal, ...],
    ) -> PaymentDocument:
        now = self._world.clock.now()
        return PaymentDocument(
            kind=kind,
            document_id=self._world.new_id(kind.value),
            agreement_id=agreement_id,
            activity_ids=activities,
            total_due=total,
            usage=usage,
            issued_at=now,
            due_at=now + timedelta(hours=1),
            status=DocumentStatus.RECEIVED,
        )

    def _announce(self, kind: DocumentKind, document_id: str) -> None:
        """Event times are unique, as yagna's practically are."""
        at = self._world.clock.now()
        if self._events and at <= self._events[-1].at:
            at = self._events[-1].at + timedelta(microseconds=1)
        self._events.append(DocumentEvent(kind, document_id, at))
        self._world.tell()

    def _is_invoiced(self, agreement_id: str) -> bool:
        """yagna says yes to debit notes that come afterwards, and does nothing."""
        documents = [document for document in self._documents.values() if document is not None]
        return any(
            document.kind is DocumentKind.INVOICE
            and document.agreement_id == agreement_id
            and document.status in BINDING
            for document in documents
        )

    def _allocation(self, allocation_id: str) -> Allocation:
        return found(self._allocations, allocation_id, "allocation")

    def _check_wallet(self, wanted: Decimal) -> None:
        available = self.wallet - sum((item.remaining for item in self._allocations.values()), Decimal(0))
        if wanted > available:
            raise InsufficientFundsError(
                f"Cannot set funds aside — {wanted} GLM asked for, {available} GLM available — fund the wallet",
                available,
            )

    @staticmethod
    def _added(document: PaymentDocument, totals: _Totals) -> Decimal:
        if document.kind is DocumentKind.DEBIT_NOTE:
            return max(Decimal(0), document.total_due - totals.by_activity.get(document.activity_ids[0], Decimal(0)))
        if document.total_due < totals.accepted:
            raise GolemError(f"Cannot accept {document.document_id} — it asks for less than accepted — check it")
        return document.total_due - totals.accepted

    def _pay_all(self) -> None:
        due, self._due = self._due, []
        for document, amount in due:
            self._pay(document, amount)

    def _pay(self, document: PaymentDocument, amount: Decimal) -> None:
        key = (document.kind, document.document_id)
        self._documents[key] = replace(document, status=DocumentStatus.SETTLED)
        agreement = self._world.agreements.get(document.agreement_id)
        if not amount or agreement is None:
            return
        self.wallet -= amount
        self._totals[document.agreement_id].paid += amount
        payment_id = self._world.new_id("payment")
        shares: Mapping[str, Decimal] = {document.agreement_id: amount}
        is_note = document.kind is DocumentKind.DEBIT_NOTE
        self._payments.append(
            Payment(
                payment_id=payment_id,
                payee=agreement.provider.provider_id,
                amount=amount,
                at=self._world.clock.now(),
                tx_hash="0x" + hashlib.sha256(payment_id.encode()).hexdigest(),
                agreement_shares={} if is_note else shares,
                activity_shares={document.activity_ids[0]: amount} if is_note else {},
            )
        )
