"""Documents and payments as they come in: honest, hostile, twice, late, and when there is no money left."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from golem_bridge.errors import GolemError, GolemTimeoutError
from golem_bridge.golem.types import DocumentKind, DocumentStatus
from golem_bridge.money.budget import total_exposure
from golem_bridge.money.contracts import Contract
from golem_bridge.money.price import to_glm
from golem_bridge.store.database import documents
from golem_bridge.store.database import verdicts as verdict_table
from tests.unit.bridge.bench import Bench
from tests.unit.bridge.clusters.test_close import up
from tests.unit.bridge.samples import document, spec

NOTE, INVOICE = DocumentKind.DEBIT_NOTE, DocumentKind.INVOICE


async def rented(bench: Bench, **habits: object) -> Contract:
    """The contract of a running head, two minutes old."""
    bench.join("one", **habits)
    await bench.start()
    (head,) = await up(bench)
    await asyncio.sleep(120)
    return bench.contract(head)


def accepted(bench: Bench, contract: Contract) -> Decimal:
    return to_glm(bench.books.ledger.accepted(contract.agreement_id))


def verdict(bench: Bench, document_id: str) -> str | None:
    with bench.database.read() as connection:
        return connection.execute(
            select(documents.c.verdict).where(documents.c.document_id == document_id)
        ).scalar_one_or_none()


def verdicts(bench: Bench, document_id: str) -> set[str]:
    """All it ever got."""
    query = select(verdict_table.c.verdict).where(verdict_table.c.document_id == document_id)
    with bench.database.read() as connection:
        return set(connection.execute(query).scalars())


async def test_an_honest_note_is_accepted_booked_and_paid_once(bench: Bench) -> None:
    contract = await rented(bench)
    note = bench.golem.send_debit_note(contract.activity_id or "", Decimal("0.012"))
    bench.golem.send(note)
    await asyncio.sleep(30)
    bench.golem.send(note)
    await asyncio.sleep(30)
    assert accepted(bench, contract) == Decimal("0.012")
    assert bench.books.ledger.payments(contract.agreement_id) == [
        (bench.books.ledger.payments(contract.agreement_id)[0][0], 12 * 10**15)
    ]
    assert bench.golem.wallet == Decimal("999.988")
    assert verdict(bench, note.document_id) == "accepted"


async def test_totals_grow_and_only_the_difference_is_booked(bench: Bench) -> None:
    contract = await rented(bench)
    for total in ("0.011", "0.012", "0.0125"):
        bench.golem.send_debit_note(contract.activity_id or "", Decimal(total))
        await asyncio.sleep(5)
    assert accepted(bench, contract) == Decimal("0.0125")
    allocation = await bench.golem.allocation(bench.service.get("demo").allocation_id or "")
    assert allocation.spent == Decimal("0.0125")


async def test_the_last_note_and_the_invoice_that_come_together_are_booked_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """yagna answers once the provider has heard of an acceptance; the other document is read meanwhile."""
    contract = await rented(bench)
    at_once = bench.golem.accept

    async def accept(kind: DocumentKind, document_id: str, *, amount: Decimal, allocation_id: str) -> None:
        await asyncio.sleep(0.3)
        await at_once(kind, document_id, amount=amount, allocation_id=allocation_id)

    monkeypatch.setattr(bench.golem, "accept", accept)
    note = bench.golem.send_debit_note(contract.activity_id or "", Decimal("0.012"))
    invoice = bench.golem.send_invoice(contract.agreement_id, Decimal("0.012"))
    await asyncio.sleep(30)
    assert (verdict(bench, note.document_id), verdict(bench, invoice.document_id)) == ("accepted", "accepted")
    assert accepted(bench, contract) == Decimal("0.012")


async def test_a_provider_that_does_not_listen_keeps_nobody_waiting(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """yagna answers an acceptance when the provider has heard of it, or after 20 s."""
    honest = await rented(bench)
    bench.join("deaf")
    (worker,) = bench.service.request_nodes("demo", "worker", 1, {})
    await bench.until_running(worker.node_id)
    deaf = bench.contract(worker.node_id)
    at_once = bench.golem.accept

    async def accept(kind: DocumentKind, document_id: str, *, amount: Decimal, allocation_id: str) -> None:
        await at_once(kind, document_id, amount=amount, allocation_id=allocation_id)
        if (await bench.golem.document(kind, document_id)).agreement_id == deaf.agreement_id:
            await asyncio.sleep(20)
            raise GolemTimeoutError("Cannot accept a debit note — yagna answers 504 — see its log")

    monkeypatch.setattr(bench.golem, "accept", accept)
    for number in range(60):
        bench.golem.send_debit_note(deaf.activity_id or "", Decimal("0.01") + Decimal("0.00001") * number)
        await asyncio.sleep(5)
        if number % 12 == 0:
            note = bench.golem.send_debit_note(honest.activity_id or "", Decimal("0.012") + Decimal(number) / 10**6)
            await asyncio.sleep(2)
            assert verdict(bench, note.document_id) == "accepted"
    await asyncio.sleep(1200)
    assert accepted(bench, deaf) == Decimal("0.01059"), "accepted is accepted, heard of or not"


async def test_what_waits_to_be_judged_is_judged_after_a_crash(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    contract = await rented(bench)

    async def hang(kind: DocumentKind, document_id: str, *, amount: Decimal, allocation_id: str) -> None:
        await asyncio.sleep(3600)

    monkeypatch.setattr(bench.golem, "accept", hang)
    notes = [bench.golem.send_debit_note(contract.activity_id or "", Decimal(due)) for due in ("0.0111", "0.012")]
    await asyncio.sleep(5)
    assert [verdict(bench, note.document_id) for note in notes] == ["received", "received"]
    monkeypatch.undo()
    await bench.crash()
    await asyncio.sleep(5)
    assert [verdict(bench, note.document_id) for note in notes] == ["accepted", "accepted"]
    assert accepted(bench, contract) == Decimal("0.012")


async def test_an_invoice_that_comes_early_is_the_last_word(bench: Bench) -> None:
    """The node goes on running, and what it may cost stays in the budget; but nothing more is paid."""
    contract = await rented(bench)
    first = bench.golem.send_invoice(contract.agreement_id, Decimal(0))
    await asyncio.sleep(5)
    exposed = total_exposure(bench.books.contracts.standing(contract.cluster_id), bench.books.ledger, bench.clock.now())
    note = bench.golem.send_debit_note(contract.activity_id or "", Decimal("0.011"))
    second = bench.golem.send_invoice(contract.agreement_id, Decimal("0.012"))
    await asyncio.sleep(60)
    assert exposed > Decimal("0.01")
    assert verdict(bench, first.document_id) == "accepted"
    assert [verdict(bench, one.document_id) for one in (note, second)] == ["already_invoiced", "already_invoiced"]
    assert accepted(bench, contract) == 0
    assert bench.golem.wallet == 1000


async def test_the_last_note_may_come_after_the_invoice(bench: Bench) -> None:
    contract = await rented(bench)
    bench.golem.send_invoice(contract.agreement_id, Decimal("0.012"))
    await asyncio.sleep(5)
    note = bench.golem.send_debit_note(contract.activity_id or "", Decimal("0.0119"))
    await asyncio.sleep(5)
    assert verdict(bench, note.document_id) == "accepted"
    assert accepted(bench, contract) == Decimal("0.012")


async def test_an_overpriced_document_is_never_accepted(bench: Bench) -> None:
    contract = await rented(bench)
    note = bench.golem.send_debit_note(contract.activity_id or "", Decimal(1))
    invoice = bench.golem.send_invoice(contract.agreement_id, Decimal(3))
    await asyncio.sleep(30)
    assert (verdict(bench, note.document_id), verdict(bench, invoice.document_id)) == ("overpriced", "overpriced")
    assert accepted(bench, contract) == 0
    assert bench.golem.wallet == 1000
    assert (await bench.golem.document(NOTE, note.document_id)).status is DocumentStatus.RECEIVED


async def test_rubbish_and_strangers_documents_stop_nobody(bench: Bench) -> None:
    contract = await rented(bench)
    odd = bench.golem.send_malformed(NOTE)
    stranger = bench.golem.send(document("1", document_id="stranger", agreement_id="agreement-of-nobody"))
    foreign = bench.golem.send_debit_note(contract.activity_id or "", Decimal("0.001"))
    bench.golem.send(
        replace(foreign, document_id="foreign", activity_ids=("another activity",), total_due=Decimal("0.011"))
    )
    bench.golem.send_debit_note(contract.activity_id or "", Decimal("0.012"))
    await asyncio.sleep(30)
    assert verdict(bench, odd) == "malformed_document"
    assert verdict(bench, stranger.document_id) == "unknown_agreement"
    assert verdict(bench, "foreign") == "wrong_activity"
    assert accepted(bench, contract) == Decimal("0.012")


async def test_a_document_yagna_refuses_to_accept_stops_nobody(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    contract = await rented(bench)
    bad = bench.golem.send_debit_note(contract.activity_id or "", Decimal("0.011"))
    accept = bench.golem.accept

    async def refuse(kind: DocumentKind, document_id: str, *, amount: Decimal, allocation_id: str) -> None:
        if document_id == bad.document_id:
            raise GolemError("Cannot accept a document — yagna answers 400 — see its log")
        await accept(kind, document_id, amount=amount, allocation_id=allocation_id)

    monkeypatch.setattr(bench.golem, "accept", refuse)
    bench.golem.send_debit_note(contract.activity_id or "", Decimal("0.012"))
    await asyncio.sleep(10)
    assert accepted(bench, contract) == Decimal("0.012")
    assert verdict(bench, bad.document_id) == "golem"
    await asyncio.sleep(60)
    assert verdict(bench, bad.document_id) == "decreasing", "tried again, but the later total holds it already"


async def test_while_yagna_is_down_nothing_is_missed(bench: Bench) -> None:
    contract = await rented(bench)
    bench.golem.down = True
    await asyncio.sleep(30)
    note = bench.golem.send_debit_note(contract.activity_id or "", Decimal("0.012"))
    await asyncio.sleep(30)
    assert verdict(bench, note.document_id) is None
    bench.golem.down = False
    await asyncio.sleep(60)
    assert accepted(bench, contract) == Decimal("0.012")
    assert bench.books.ledger.paid(contract.agreement_id) == 12 * 10**15


async def test_a_crash_between_acceptance_and_the_books_is_made_up_for(bench: Bench) -> None:
    contract = await rented(bench)
    await asyncio.sleep(30)
    bench.database.last_write = bench.database.writes + 2  # that it came is filed, and the cursor moves on
    note = bench.golem.send_debit_note(contract.activity_id or "", Decimal("0.012"))
    await asyncio.sleep(1)
    assert (await bench.golem.document(NOTE, note.document_id)).status is DocumentStatus.ACCEPTED
    assert accepted(bench, contract) == 0
    await bench.crash()
    await asyncio.sleep(30)
    assert accepted(bench, contract) == Decimal("0.012")
    assert bench.books.ledger.paid(contract.agreement_id) == 12 * 10**15


async def test_what_the_allocation_cannot_carry_is_accepted_once_the_budget_is_raised(bench: Bench) -> None:
    contract = await rented(bench)
    await bench.golem.amend_allocation(bench.service.get("demo").allocation_id or "", total=Decimal("0.005"))
    invoice = bench.golem.send_invoice(contract.agreement_id, Decimal("0.012"))
    await asyncio.sleep(30)
    assert verdict(bench, invoice.document_id) == "insufficient_funds"
    assert accepted(bench, contract) == 0
    await bench.service.open("demo", spec(budget="6"))
    await asyncio.sleep(120)
    assert accepted(bench, contract) == Decimal("0.012")
    assert bench.contract(contract.node_id).invoiced_wei == 12 * 10**15
    assert verdicts(bench, invoice.document_id) == {"insufficient_funds", "accepted"}, "the first one is not forgotten"


async def test_what_no_allocation_carries_is_accepted_once_one_is_made_anew(bench: Bench) -> None:
    """yagna lets an allocation go when it expires."""
    contract = await rented(bench)
    await bench.golem.release_allocation(bench.service.get("demo").allocation_id or "")
    invoice = bench.golem.send_invoice(contract.agreement_id, Decimal("0.012"))
    await asyncio.sleep(30)
    assert verdict(bench, invoice.document_id) == "no_allocation"
    await bench.service.open("demo", spec())
    await asyncio.sleep(60)
    assert verdict(bench, invoice.document_id) == "accepted"
    assert accepted(bench, contract) == Decimal("0.012")


async def test_a_note_that_yagna_wrote_down_late_is_not_missed(bench: Bench) -> None:
    contract = await rented(bench)
    bench.golem.send_debit_note(contract.activity_id or "", Decimal("0.011"))
    await asyncio.sleep(0.5)
    bench.golem.send_debit_note(contract.activity_id or "", Decimal("0.0111"))
    first, second = bench.golem._events[-2:]
    bench.golem._events[-1] = replace(second, at=first.at - timedelta(milliseconds=20))
    await asyncio.sleep(30)
    assert accepted(bench, contract) == Decimal("0.0111")


async def test_an_invoice_after_the_cluster_was_closed_is_filed_not_paid(bench: Bench) -> None:
    contract = await rented(bench, sends_invoices=False)
    bench.service.close("demo")
    await bench.until_closed()
    invoice = bench.golem.send_invoice(contract.agreement_id, Decimal("0.011"))
    bench.join("two")
    (head,) = await up(bench)
    other = bench.contract(head)
    await asyncio.sleep(60)
    bench.golem.send_invoice(other.agreement_id, Decimal("0.0111"))
    await asyncio.sleep(60)
    assert verdict(bench, invoice.document_id) == "no_allocation"
    assert accepted(bench, contract) == 0
    assert accepted(bench, other) == Decimal("0.0111"), "the next document is dealt with"


async def test_a_payment_for_something_unknown_is_ignored(bench: Bench) -> None:
    contract = await rented(bench)
    bench.golem.send_debit_note(contract.activity_id or "", Decimal("0.012"))
    await asyncio.sleep(30)
    (payment,) = await bench.golem.payments(after=contract.created_at, limit=100, timeout=1)
    stranger = replace(
        payment,
        payment_id="strange",
        at=bench.clock.now(),
        activity_shares={"activity of nobody": Decimal(1)},
        agreement_shares={"agreement of nobody": Decimal(1)},
    )
    with capture_logs() as said:
        bench.golem._payments.append(stranger)
        await asyncio.sleep(30)
    assert bench.books.ledger.paid(contract.agreement_id) == 12 * 10**15
    assert sorted(line["event"] for line in said if "unknown" in line["event"]) == [
        "payment for an unknown activity",
        "payment for an unknown agreement",
    ]
