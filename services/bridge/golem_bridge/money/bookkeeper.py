"""Receives debit notes, invoices and payments, and books them.

Each stream is read from a stored cursor that moves on only after the books say so, so nothing that comes while
the bridge is down, or is half done when it dies, is missed or done twice. A document is filed as received first and
judged at its agreement's own desk: yagna tells the provider of each acceptance before it answers, and a provider that
is slow to listen, or does not want to, must not keep others waiting for what they were promised.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from golem_bridge.clock import Clock
from golem_bridge.errors import (
    GolemError,
    MalformedDocumentError,
    NotFoundError,
    YagnaUnavailableError,
)
from golem_bridge.golem.port import PaymentPort
from golem_bridge.golem.types import DocumentEvent, DocumentKind, DocumentStatus, Payment, PaymentDocument
from golem_bridge.money.contracts import Contract, Contracts
from golem_bridge.money.desks import Desks
from golem_bridge.money.filing import ACCEPTED, Filed, Filing
from golem_bridge.money.ledger import Ledger
from golem_bridge.money.price import to_wei
from golem_bridge.money.stream import Stream
from golem_bridge.money.validation import Refused, examine
from golem_bridge.store.database import Database
from golem_bridge.store.values import Values

POLL = 20.0
"""Seconds one long poll lasts."""

BINDING = frozenset({DocumentStatus.ACCEPTED, DocumentStatus.SETTLED})
"""States of a document that will be paid, or is."""

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
        self._filing = Filing(database, clock)
        self._contracts = contracts
        self._ledger = ledger
        self._clock = clock
        self._allocation_of = allocation_of
        self._notify = notify
        cursors = Values(database)
        self._documents = {kind: Stream[DocumentEvent](f"cursor:{kind}", cursors, clock) for kind in DocumentKind}
        self._payments = Stream[Payment]("cursor:payment", cursors, clock)
        self._desks = Desks(self._judge)
        """By agreement: what a document adds is what it says less what was accepted before, so one at a time."""
        self._reading_since: datetime | None = clock.now()
        """None while yagna does not tell of invoices."""

    @property
    def reading_since(self) -> datetime:
        """Since when invoices have been read without a failure; now, while they cannot be."""
        return self._reading_since or self._clock.now()

    async def read_documents(self, kind: DocumentKind) -> None:
        """Wait for documents of one kind, file each and have it judged."""

        async def ask(after: datetime, limit: int) -> Sequence[DocumentEvent]:
            return await self._document_events(kind, after, limit)

        async def take(event: DocumentEvent) -> None:
            await self._receive(kind, event.document_id)

        await self._documents[kind].read(ask, take)

    async def retry_unaccepted(self) -> None:
        """Look again at documents that were not judged before a restart, and, while their cluster has something to pay
        from, at those that could not be accepted."""
        for one in (*self._filing.unjudged(), *filter(self._can_pay, self._filing.unaccepted())):
            self._desks.queue(one.agreement_id, one)

    async def stop(self) -> None:
        """What is being judged is judged after the next start."""
        await self._desks.stop()

    async def read_payments(self) -> None:
        """Wait for confirmed payments and book them."""

        async def ask(after: datetime, limit: int) -> Sequence[Payment]:
            return await self._golem.payments(after=after, limit=limit, timeout=POLL)

        async def take(payment: Payment) -> None:
            self._book_payment(payment)

        await self._payments.read(ask, take)

    async def _document_events(self, kind: DocumentKind, after: datetime, limit: int) -> Sequence[DocumentEvent]:
        if kind is not DocumentKind.INVOICE:
            return await self._golem.document_events(kind, after=after, limit=limit, timeout=POLL)
        try:
            events = await self._golem.document_events(kind, after=after, limit=limit, timeout=POLL)
        except GolemError:
            self._reading_since = None
            raise
        self._reading_since = self.reading_since
        return events

    async def _receive(self, kind: DocumentKind, document_id: str) -> None:
        document = await self._fetch(kind, document_id)
        if document is None:
            return
        if self._contracts.get(document.agreement_id) is None:
            log.warning("payment document for an unknown agreement ignored", document=document_id)
            self._filing.judged(document, "unknown_agreement", "no such agreement in the books")
        elif self._filing.received(document):
            self._desks.queue(document.agreement_id, Filed(kind, document_id, document.agreement_id))

    async def _fetch(self, kind: DocumentKind, document_id: str) -> PaymentDocument | None:
        """None, and filed, if it makes no sense."""
        try:
            return await self._golem.document(kind, document_id)
        except (MalformedDocumentError, NotFoundError) as error:
            log.warning("payment document ignored", document=document_id, kind=kind.value, reason=error.message)
            self._filing.unreadable(kind, document_id, error.code, error.message)
            return None

    def _can_pay(self, one: Filed) -> bool:
        contract = self._contracts.get(one.agreement_id)
        return contract is not None and self._allocation_of(contract.cluster_id) is not None

    async def _judge(self, one: Filed) -> None:
        document, contract = await self._fetch(one.kind, one.document_id), self._contracts.get(one.agreement_id)
        if document is not None and contract is not None:
            await self._judge_for(contract, document)
            self._notify(contract.cluster_id)

    async def _judge_for(self, contract: Contract, document: PaymentDocument) -> None:
        now = self._clock.now()
        verdict = examine(
            document,
            contract,
            accepted_wei=self._ledger.accepted(contract.agreement_id),
            now=now,
        )
        if isinstance(verdict, Refused):
            log.warning("payment document refused", document=document.document_id, reason=verdict.detail)
            self._filing.judged(document, verdict.refusal.value, verdict.detail)
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
        self._filing.judged(document, ACCEPTED, "")

    async def _accept(self, document: PaymentDocument, contract: Contract) -> bool:
        """Accept at yagna, unless that was done before a crash. False, and filed, if yagna does not do it.

        Raises YagnaUnavailableError: it is judged again.
        """
        if document.status in BINDING:
            return True
        allocation_id = self._allocation_of(contract.cluster_id)
        if allocation_id is None:
            self._filing.judged(document, "no_allocation", "the cluster's allocation is gone")
            return False
        try:
            await self._golem.accept(
                document.kind, document.document_id, amount=document.total_due, allocation_id=allocation_id
            )
        except YagnaUnavailableError:
            raise
        except GolemError as error:
            # yagna accepts first, then tells the provider, and answers with what became of that
            if (await self._golem.document(document.kind, document.document_id)).status in BINDING:
                return True
            log.error("payment document not accepted", document=document.document_id, reason=error.message)
            self._filing.judged(document, error.code, error.message)
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
