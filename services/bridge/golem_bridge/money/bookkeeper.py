"""Receives debit notes, invoices and payments, and books them.

Each stream is read from a stored cursor that moves on only after the books say so, so nothing that comes while
the bridge is down, or is half done when it dies, is missed or done twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert

from golem_bridge.clock import Clock
from golem_bridge.errors import (
    GolemError,
    GolemTimeoutError,
    MalformedDocumentError,
    NotFoundError,
    YagnaUnavailableError,
)
from golem_bridge.golem.port import PaymentPort
from golem_bridge.golem.types import DocumentKind, DocumentStatus, Payment, PaymentDocument
from golem_bridge.money.contracts import Contract, Contracts
from golem_bridge.money.ledger import Ledger
from golem_bridge.money.price import to_wei
from golem_bridge.money.validation import Refused, examine
from golem_bridge.store.database import Database, documents
from golem_bridge.store.values import Values

POLL = 20.0
"""Seconds one long poll lasts."""

OVERLAP = timedelta(seconds=2)
"""Payments are read again that far back: two may carry the same millisecond. Those known to be booked are left out;
after a restart they are booked again, which changes nothing."""

NEW_PAYMENTS = 100
"""An answer has room for that many besides those that are read again."""

RETRIED = ("insufficient_funds", "golem")
"""Verdicts that may turn out better later: after the budget was raised, or when yagna is in a better mood."""

AllocationOf = Callable[[str], str | None]
"""Cluster id to the id of the allocation it pays from, None once there is none."""

Notify = Callable[[str], None]
"""Told the id of a cluster whose books have changed."""

log = structlog.get_logger(__name__)


class Bookkeeper:
    """One step of each stream per call; whoever owns the loops calls them for ever."""

    def __init__(
        self,
        *,
        golem: PaymentPort,
        database: Database,
        contracts: Contracts,
        ledger: Ledger,
        clock: Clock,
        allocation_of: AllocationOf,
        notify: Notify,
    ) -> None:
        self._golem = golem
        self._database = database
        self._contracts = contracts
        self._ledger = ledger
        self._clock = clock
        self._allocation_of = allocation_of
        self._notify = notify
        self._cursors = Values(database)
        self._booked_payments: dict[str, datetime] = {}
        """Id and time of those the next answer begins with."""
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """By agreement: what a document adds is what it says less what was accepted before, so one at a time."""

    async def read_documents(self, kind: DocumentKind) -> None:
        """Wait for documents of one kind and deal with each."""
        name = f"cursor:{kind}"
        after = self._cursors.time(name, self._clock.now())
        for event in await self._golem.document_events(kind, after=after, timeout=POLL):
            await self._receive(kind, event.document_id)
            self._cursors.put_time(name, event.at)

    async def retry_unaccepted(self) -> None:
        """Look again at documents that could not be accepted: the last one of each agreement and kind."""
        query = select(documents).where(documents.c.verdict.in_(RETRIED)).order_by(documents.c.at)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        newest = {(row.agreement_id, row.kind): row for row in rows}
        for row in newest.values():
            await self._receive(DocumentKind(row.kind), row.document_id)

    async def read_payments(self) -> None:
        """Wait for confirmed payments and book them.

        However many lie within the overlap: a full answer holds some that are new, since all that are not, fit in.
        """
        name = "cursor:payment"
        newest = self._cursors.time(name, self._clock.now())
        limit = len(self._booked_payments) + NEW_PAYMENTS
        for payment in await self._golem.payments(after=newest - OVERLAP, limit=limit, timeout=POLL):
            if payment.payment_id in self._booked_payments:
                continue
            self._book_payment(payment)
            self._booked_payments[payment.payment_id] = payment.at
            newest = max(newest, payment.at)
            self._cursors.put_time(name, newest)
        self._booked_payments = {key: at for key, at in self._booked_payments.items() if at > newest - OVERLAP}
        await self._clock.sleep(1)

    async def _receive(self, kind: DocumentKind, document_id: str) -> None:
        try:
            document = await self._golem.document(kind, document_id)
        except (MalformedDocumentError, NotFoundError) as error:
            log.warning("payment document ignored", document=document_id, kind=kind.value, reason=error.message)
            self._file(kind, document_id, agreement_id="", total="", verdict=error.code, detail=error.message)
            return
        contract = self._contracts.get(document.agreement_id)
        if contract is None:
            log.warning("payment document for an unknown agreement ignored", document=document_id)
            self._file_document(document, "unknown_agreement", "no such agreement in the books")
            return
        turn = self._turns.setdefault(contract.agreement_id, asyncio.Lock())
        async with turn:
            await self._judge(document, contract)
        self._notify(contract.cluster_id)

    async def _judge(self, document: PaymentDocument, contract: Contract) -> None:
        now = self._clock.now()
        verdict = examine(
            document,
            contract,
            accepted_wei=self._ledger.accepted(contract.agreement_id),
            now=now,
        )
        if isinstance(verdict, Refused):
            log.warning("payment document refused", document=document.document_id, reason=verdict.detail)
            self._file_document(document, verdict.refusal.value, verdict.detail)
            return
        if not await self._accept(document, contract):
            return
        self._ledger.accept(
            cluster_id=contract.cluster_id,
            agreement_id=contract.agreement_id,
            document_id=document.document_id,
            parts=verdict.parts,
            at=now,
        )
        if document.kind is DocumentKind.INVOICE:
            self._contracts.invoiced(contract.agreement_id, to_wei(document.total_due))
        self._file_document(document, "accepted", "")

    async def _accept(self, document: PaymentDocument, contract: Contract) -> bool:
        """Accept at yagna, unless that was done before a crash. False, and filed, if yagna does not do it.

        Raises YagnaUnavailableError, GolemTimeoutError: the document is read again. Nothing else may stop the stream,
        or one provider's document would keep all others from being paid.
        """
        if document.status in {DocumentStatus.ACCEPTED, DocumentStatus.SETTLED}:
            return True
        allocation_id = self._allocation_of(contract.cluster_id)
        if allocation_id is None:
            self._file_document(document, "no_allocation", "the cluster's allocation is gone")
            return False
        try:
            await self._golem.accept(
                document.kind, document.document_id, amount=document.total_due, allocation_id=allocation_id
            )
        except (YagnaUnavailableError, GolemTimeoutError):
            raise
        except GolemError as error:
            log.error("payment document not accepted", document=document.document_id, reason=error.message)
            self._file_document(document, error.code, error.message)
            return False
        return True

    def _book_payment(self, payment: Payment) -> None:
        shares = {agreement_id: to_wei(amount) for agreement_id, amount in payment.agreement_shares.items()}
        for activity_id, amount in payment.activity_shares.items():
            contract = self._contracts.by_activity(activity_id)
            if contract is None:
                log.warning("payment for an unknown activity", activity=activity_id, tx=payment.tx_hash)
                continue
            shares[contract.agreement_id] = shares.get(contract.agreement_id, 0) + to_wei(amount)
        for agreement_id, wei in shares.items():
            contract = self._contracts.get(agreement_id)
            if contract is None:
                log.warning("payment for an unknown agreement", agreement=agreement_id, tx=payment.tx_hash)
                continue
            self._ledger.pay(
                cluster_id=contract.cluster_id,
                agreement_id=agreement_id,
                payment_id=payment.payment_id,
                wei=wei,
                tx_hash=payment.tx_hash,
                at=payment.at,
            )
            self._notify(contract.cluster_id)

    def _file_document(self, document: PaymentDocument, verdict: str, detail: str) -> None:
        self._file(
            document.kind,
            document.document_id,
            agreement_id=document.agreement_id,
            total=str(document.total_due),
            verdict=verdict,
            detail=detail,
        )

    def _file(
        self,
        kind: DocumentKind,
        document_id: str,
        *,
        agreement_id: str,
        total: str,
        verdict: str,
        detail: str,
    ) -> None:
        columns: dict[str, str | datetime] = {
            "kind": kind.value,
            "agreement_id": agreement_id,
            "at": self._clock.now(),
            "total": total,
            "verdict": verdict,
            "detail": detail,
        }
        statement = insert(documents).values(document_id=document_id, **columns)
        with self._database.write() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["document_id"], set_=columns))
