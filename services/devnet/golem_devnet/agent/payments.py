"""Debit notes while an activity runs, the invoice at the end, and what the requestor makes of them."""

from __future__ import annotations

import asyncio
import logging
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from golem_devnet.agent.billing import Terms, amount_text
from golem_devnet.agent.rest import ProviderRest, RestError
from golem_devnet.faults import paper
from golem_devnet.faults.model import Faults

API = "/payment-api/v1"
DUE = timedelta(hours=1)

UNSENT_FOR = timedelta(seconds=10)
"""After which an invoice that is only issued is sent again; until it is due."""

log = logging.getLogger(__name__)


class DebitNoteTimeoutError(Exception):
    """A debit note was not accepted in the agreed time."""


def invoice_body(agreement_id: str, activity_ids: Sequence[str], amount: Decimal) -> dict[str, object]:
    """Body of ``POST /payment-api/v1/invoices``."""
    return {
        "agreementId": agreement_id,
        "activityIds": list(activity_ids),
        "amount": amount_text(amount),
        "paymentDueDate": (datetime.now(UTC) + DUE).isoformat(),
    }


async def send_invoice(rest: ProviderRest, body: Mapping[str, object]) -> None:
    """Issue and send. Raises RestError."""
    invoice = await rest.call("POST", f"{API}/invoices", body)
    await _send(rest, invoice["invoiceId"])


async def send_unsent(rest: ProviderRest, now: datetime) -> None:
    """Send what was issued and did not arrive: its requestor was away, or the agent ended. Raises RestError.

    yagna sends nothing by itself a second time; sending again what has arrived is harmless.
    """
    since = urllib.parse.quote((now - DUE).isoformat())
    for invoice in await rest.call("GET", f"{API}/invoices?afterTimestamp={since}"):
        if invoice["status"] == "ISSUED" and datetime.fromisoformat(invoice["timestamp"]) <= now - UNSENT_FOR:
            try:
                await _send(rest, invoice["invoiceId"])
                log.info("invoice %s is sent at last", invoice["invoiceId"][:12])
            except RestError as error:
                log.info("invoice %s is not sent yet: %s", invoice["invoiceId"][:12], error)


async def _send(rest: ProviderRest, invoice_id: str) -> None:
    await rest.call("POST", f"{API}/invoices/{invoice_id}/send?timeout=20")


@dataclass(frozen=True)
class Stranger:
    """An agreement other than the one that is billed, and one of its activities."""

    agreement_id: str
    activity_id: str

    def of_invoice(self) -> Mapping[str, object]:
        """Whom an invoice body names."""
        return {"agreementId": self.agreement_id, "activityIds": [self.activity_id]}


class Biller:
    """Bills one agreement, as honestly as its faults let it."""

    def __init__(
        self,
        rest: ProviderRest,
        agreement_id: str,
        terms: Terms,
        *,
        faults: Callable[[], Faults] = Faults,
        stranger: Callable[[], Stranger | None] = lambda: None,
    ) -> None:
        self._rest = rest
        self._agreement_id = agreement_id
        self._terms = terms
        self._faults = faults
        self._stranger = stranger
        self._unaccepted: dict[str, tuple[str, float]] = {}
        """Debit note id to its activity and the moment (loop time) by which it must be accepted, oldest first."""
        self._last_payable = asyncio.get_running_loop().time()

    async def bill_activity(self, activity_id: str, usage: Callable[[], Sequence[float]]) -> None:
        """Send debit notes at the agreed interval, for ever. Raises DebitNoteTimeoutError."""
        while True:
            await asyncio.sleep(self._terms.note_interval)
            try:
                await self._send_note(activity_id, usage())
            except RestError as error:
                log.error("no debit note for activity %s: %s", activity_id[:12], error)
            self._check_deadlines()

    def accepted(self, debit_note_id: str) -> None:
        """The requestor accepted a debit note, and with it all earlier ones of the activity: its total holds theirs.

        An earlier one may never have reached the requestor, whose daemon was away.
        """
        if debit_note_id not in self._unaccepted:
            return
        activity_id, _ = self._unaccepted[debit_note_id]
        for note_id in [key for key, (activity, _) in self._unaccepted.items() if activity == activity_id]:
            del self._unaccepted[note_id]
            if note_id == debit_note_id:
                break

    async def send_invoice(self, usages: Sequence[tuple[str, Sequence[float]]]) -> Decimal:
        """The final bill for (activity id, usage) pairs; returns its amount. Raises RestError."""
        amount = sum((self._terms.cost(usage) for _, usage in usages), Decimal(0))
        honest = invoice_body(self._agreement_id, [activity_id for activity_id, _ in usages], amount)
        stranger = self._stranger()
        other = stranger.of_invoice() if stranger is not None else None
        for body in paper.invoices(self._faults().invoices, honest, stranger=other):
            await send_invoice(self._rest, body)
            log.info("invoice over %s GLM sent for agreement %s", body["amount"], self._agreement_id[:12])
        return amount

    async def _send_note(self, activity_id: str, usage: Sequence[float]) -> None:
        """Payable on its own once the agreed payment timeout has passed since the last payable one."""
        loop = asyncio.get_running_loop()
        body: dict[str, object] = {
            "activityId": activity_id,
            "totalAmountDue": amount_text(self._terms.cost(usage)),
            "usageCounterVector": list(usage),
        }
        if loop.time() - self._last_payable >= self._terms.payment_timeout:
            self._last_payable = loop.time()
            body["paymentDueDate"] = (datetime.now(UTC) + timedelta(seconds=self._terms.payment_timeout)).isoformat()
        stranger = self._stranger()
        other = stranger.activity_id if stranger is not None else None
        for sent in paper.debit_notes(self._faults().debit_notes, body, stranger=other):
            note = await self._rest.call("POST", f"{API}/debitNotes", sent)
            self._unaccepted[note["debitNoteId"]] = activity_id, loop.time() + self._terms.accept_timeout
            await self._rest.call("POST", f"{API}/debitNotes/{note['debitNoteId']}/send?timeout=20")

    def _check_deadlines(self) -> None:
        now = asyncio.get_running_loop().time()
        late = [note_id for note_id, (_, deadline) in self._unaccepted.items() if deadline < now]
        if late:
            raise DebitNoteTimeoutError(f"debit note {late[0]} was not accepted in {self._terms.accept_timeout} s")
