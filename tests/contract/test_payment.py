"""Allocations, documents, payments."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from operator import attrgetter

import pytest

from golem_bridge.errors import GolemError, InsufficientFundsError, NotFoundError, UnsupportedError
from golem_bridge.golem.types import DocumentKind, DocumentStatus, Payment
from tests.contract.steps import PATIENCE, Rented, funds, next_document, rented
from tests.contract.world import PLATFORM, World

EVERYTHING = Decimal(100_000_000)
EVERY_PAYMENT = 1000


async def test_an_allocation_from_creation_to_release(world: World) -> None:
    async with funds(world, Decimal("1.5")) as made:
        assert made.total == made.remaining == Decimal("1.5")
        assert made.spent == 0
        assert made.platform == PLATFORM
        assert made.expires is not None
        assert abs(world.clock.now() + world.expiry() - made.expires) < timedelta(minutes=1)
        assert made in await world.golem.allocations()
        amended = await world.golem.amend_allocation(made.allocation_id, total=Decimal("2.25"))
        assert amended.total == amended.remaining == Decimal("2.25")
        assert amended.expires == made.expires
        assert await world.golem.allocation(made.allocation_id) == amended
    with pytest.raises(NotFoundError):
        await world.golem.allocation(made.allocation_id)
    assert made.allocation_id not in {row.allocation_id for row in await world.golem.allocations()}
    await world.golem.release_allocation(made.allocation_id)


async def test_a_wallet_carries_no_more_than_it_has(world: World) -> None:
    expires = world.clock.now() + world.expiry()
    with pytest.raises(InsufficientFundsError) as refused:
        await world.golem.create_allocation(EVERYTHING, platform=PLATFORM, expires=expires)
    available = refused.value.available
    assert available is not None
    assert 0 < available < EVERYTHING
    async with funds(world) as allocation:
        with pytest.raises(InsufficientFundsError):
            await world.golem.amend_allocation(allocation.allocation_id, total=EVERYTHING)


async def test_unknown_allocations_and_documents(world: World) -> None:
    unknown = str(uuid.uuid4())
    with pytest.raises(NotFoundError):
        await world.golem.allocation(unknown)
    with pytest.raises(NotFoundError):
        await world.golem.amend_allocation(unknown, total=Decimal(1))
    with pytest.raises(NotFoundError):
        await world.golem.demand_decoration(unknown)
    await world.golem.release_allocation(unknown)
    async with funds(world) as allocation:
        for kind in DocumentKind:
            with pytest.raises(NotFoundError):
                await world.golem.document(kind, unknown)
            with pytest.raises(NotFoundError):
                await world.golem.accept(kind, unknown, amount=Decimal(1), allocation_id=allocation.allocation_id)


async def test_the_future_holds_no_events(world: World) -> None:
    later = world.clock.now() + world.expiry()
    for kind in DocumentKind:
        assert list(await world.golem.document_events(kind, after=later, limit=100, timeout=1)) == []
    assert list(await world.golem.payments(after=later, limit=100, timeout=1)) == []


async def test_a_debit_note_then_the_invoice_and_the_money_for_both(world: World) -> None:
    before = world.clock.now()
    async with rented(world) as rent:
        allocation_id = rent.allocation.allocation_id
        # a debit note while the activity lasts
        event = await next_document(world, DocumentKind.DEBIT_NOTE, rent, None)
        events = await world.golem.document_events(DocumentKind.DEBIT_NOTE, after=event.at, limit=100, timeout=0.1)
        assert event.document_id not in {other.document_id for other in events}
        note = await world.golem.document(DocumentKind.DEBIT_NOTE, event.document_id)
        assert note.activity_ids == (rent.activity_id,)
        assert note.total_due > 0
        assert len(note.usage) == 2
        with pytest.raises(UnsupportedError):
            await world.golem.reject_document(note.kind, note.document_id, reason="just asking")
        await world.golem.accept(note.kind, note.document_id, amount=note.total_due, allocation_id=allocation_id)
        assert (await world.golem.allocation(allocation_id)).spent == note.total_due

        # the invoice at its end: what was accepted counts
        await world.golem.destroy_activity(rent.activity_id, timeout=PATIENCE)
        await world.golem.terminate_agreement(rent.agreement_id, "done")
        event = await next_document(world, DocumentKind.INVOICE, rent, None)
        invoice = await world.golem.document(DocumentKind.INVOICE, event.document_id)
        assert invoice.agreement_id == rent.agreement_id
        assert invoice.activity_ids == (rent.activity_id,)
        assert invoice.total_due >= note.total_due
        with pytest.raises(GolemError):
            await world.golem.accept(
                invoice.kind, invoice.document_id, amount=invoice.total_due + 1, allocation_id=allocation_id
            )
        async with funds(world, Decimal("1e-15")) as too_small:
            with pytest.raises(InsufficientFundsError):
                await world.golem.accept(
                    invoice.kind,
                    invoice.document_id,
                    amount=invoice.total_due,
                    allocation_id=too_small.allocation_id,
                )
        for _ in range(2):  # repeating it changes nothing
            await world.golem.accept(
                invoice.kind, invoice.document_id, amount=invoice.total_due, allocation_id=allocation_id
            )
        assert (await world.golem.allocation(allocation_id)).spent == invoice.total_due
        with pytest.raises(GolemError):
            await world.golem.amend_allocation(allocation_id, total=invoice.total_due / 2)

        # the money; asking for it once more, when nothing is due, is no error
        for _ in range(2):
            await world.golem.pay_now(PLATFORM)
        payments = await payments_until(world, rent, invoice.total_due, since=before)
        tx_hashes = {payment.tx_hash for payment in payments}
        assert all(tx_hash.startswith("0x") and len(tx_hash) == 66 for tx_hash in tx_hashes)
        every = await world.golem.payments(after=before, limit=EVERY_PAYMENT, timeout=1)
        assert sorted(every, key=attrgetter("at")) == list(every)
        for limit in range(1, len(every) + 1):
            oldest = await world.golem.payments(after=before, limit=limit, timeout=1)
            assert [payment.at for payment in oldest] == [payment.at for payment in every[:limit]]
        totals = {row.agreement_id: row for row in await world.golem.agreement_totals()}[rent.agreement_id]
        assert totals.provider_id == rent.provider_id
        assert totals.due == totals.accepted == totals.paid == invoice.total_due
        settled = await world.golem.document(DocumentKind.INVOICE, invoice.document_id)
        assert settled.status is DocumentStatus.SETTLED


async def test_an_invoice_can_be_rejected(world: World) -> None:
    async with rented(world) as rent:
        await world.golem.destroy_activity(rent.activity_id, timeout=PATIENCE)
        await world.golem.terminate_agreement(rent.agreement_id, "done")
        event = await next_document(world, DocumentKind.INVOICE, rent, None)
        await world.golem.reject_document(DocumentKind.INVOICE, event.document_id, reason="overpriced")
        rejected = await world.golem.document(DocumentKind.INVOICE, event.document_id)
        assert rejected.status is DocumentStatus.REJECTED
        assert (await world.golem.allocation(rent.allocation.allocation_id)).spent == 0


async def payments_until(world: World, rent: Rented, total: Decimal, *, since: datetime) -> list[Payment]:
    """The payments for one rent, once they make up the total."""
    known: dict[str, Payment] = {}
    deadline = world.clock.monotonic() + 2 * PATIENCE
    while world.clock.monotonic() < deadline:
        # all of them each time: two may carry the same millisecond, so a cursor alone could pass one by
        for payment in await world.golem.payments(after=since, limit=EVERY_PAYMENT, timeout=5):
            known[payment.payment_id] = payment
        ours = [payment for payment in known.values() if share(payment, rent)]
        assert all(payment.payee == rent.provider_id for payment in ours)
        if sum(share(payment, rent) for payment in ours) == total:
            return ours
        await world.clock.sleep(0.5)
    pytest.fail(f"{total} GLM not paid in {2 * PATIENCE} s: {known}")


def share(payment: Payment, rent: Rented) -> Decimal:
    none = Decimal(0)
    return payment.agreement_shares.get(rent.agreement_id, none) + payment.activity_shares.get(rent.activity_id, none)
