"""The memory Golem's mishaps and money, where the contract tests do not go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import pytest

from golem_bridge.errors import (
    CommandFailedError,
    GolemError,
    GolemTimeoutError,
    MalformedDocumentError,
    NodeUnreachableError,
    YagnaUnavailableError,
)
from golem_bridge.golem.port import GolemPort
from golem_bridge.golem.types import Demand, DocumentKind, Proposal
from tests.fakes.clock import VirtualClock
from tests.fakes.golem import FakeProvider, MemoryGolem

DEMAND = Demand({"golem.node.debug.subnet": "devnet"}, "(&(golem.node.debug.subnet=devnet)(golem.inf.mem.gib>=2))")


@pytest.fixture
async def clock() -> AsyncIterator[VirtualClock]:
    clock = VirtualClock()
    async with clock.flowing():
        yield clock


async def rent(golem: MemoryGolem) -> tuple[str, str]:
    """Ids of an agreement with the first provider that offers, and of its activity."""
    demand_id = await golem.subscribe(DEMAND)
    (offer, *_) = await golem.proposals(demand_id, timeout=5)
    await golem.counter(demand_id, offer.proposal_id, DEMAND)
    (draft, *_) = await golem.proposals(demand_id, timeout=5)
    agreement_id = await golem.create_agreement(draft.proposal_id, valid_for=60)
    await golem.confirm_agreement(agreement_id, app_session_id="test", timeout=5)
    return agreement_id, await golem.create_activity(agreement_id, timeout=5)


async def test_it_is_a_golem(clock: VirtualClock) -> None:
    golem: GolemPort = MemoryGolem(clock=clock)
    assert (await golem.identity()).startswith("0x")


async def test_only_offers_that_meet_the_constraints_come(clock: VirtualClock) -> None:
    golem = MemoryGolem(clock=clock)
    golem.join(FakeProvider("small", memory_gib=1.0))
    golem.join(FakeProvider("elsewhere", subnet="other"))
    demand_id = await golem.subscribe(DEMAND)
    late = golem.join(FakeProvider("late"))
    (offer,) = await golem.proposals(demand_id, timeout=5)
    assert isinstance(offer, Proposal)
    assert offer.provider_id == late.provider_id


async def test_a_slow_provider_takes_its_time(clock: VirtualClock) -> None:
    golem = MemoryGolem(clock=clock)
    golem.join(FakeProvider("slow", delay=3.0))
    demand_id = await golem.subscribe(DEMAND)
    started = clock.monotonic()
    assert not await golem.proposals(demand_id, timeout=2)
    assert await golem.proposals(demand_id, timeout=2)
    assert clock.monotonic() - started == pytest.approx(3.0)


async def test_a_provider_that_vanishes(clock: VirtualClock) -> None:
    golem = MemoryGolem(clock=clock)
    provider = golem.join(FakeProvider("one"))
    agreement_id, activity_id = await rent(golem)
    network_id = await golem.create_network(address="192.168.0.0", mask="255.255.0.0", requestor_ip="192.168.0.1")
    await golem.add_node(network_id, provider_id=provider.provider_id, ip="192.168.0.3")
    await golem.execute(activity_id, [{"deploy": {}}, {"start": {}}], timeout=5)
    channel = await golem.open_channel(network_id, ip="192.168.0.3", port=22, timeout=5)
    await channel.send(b"hello")
    assert await channel.receive() == b"hello"
    provider.vanished = True
    with pytest.raises(ConnectionError):
        await channel.send(b"hello?")
    with pytest.raises(NodeUnreachableError):
        await golem.open_channel(network_id, ip="192.168.0.3", port=22, timeout=5)
    with pytest.raises(GolemTimeoutError):
        await golem.execute(activity_id, [{"run": {}}], timeout=5)
    with pytest.raises(GolemTimeoutError):
        await golem.destroy_activity(activity_id, timeout=5)
    with pytest.raises(NodeUnreachableError):
        await golem.activity_state(activity_id)
    with pytest.raises(NodeUnreachableError):
        await golem.terminate_agreement(agreement_id, "gone")


async def test_commands_that_fail_hang_or_lose_their_activity(clock: VirtualClock) -> None:
    golem = MemoryGolem(clock=clock)
    provider = golem.join(FakeProvider("one", failing_command="deploy", failure_message="no space left"))
    _, activity_id = await rent(golem)
    with pytest.raises(CommandFailedError, match="no space left"):
        await golem.execute(activity_id, [{"deploy": {}}], timeout=5)
    provider.failing_command, provider.hanging_command = None, "start"
    started = clock.monotonic()
    with pytest.raises(GolemTimeoutError):
        await golem.execute(activity_id, [{"deploy": {}}, {"start": {}}], timeout=5)
    assert clock.monotonic() - started == pytest.approx(5)
    running = asyncio.create_task(golem.execute(activity_id, [{"start": {}}], timeout=60))
    await clock.sleep(1)
    golem.end_activity(activity_id)
    with pytest.raises(CommandFailedError, match="ended activity"):
        await running


async def test_money_is_spent_at_acceptance_and_leaves_the_wallet_when_paid(clock: VirtualClock) -> None:
    golem = MemoryGolem(clock=clock, wallet=Decimal(10))
    golem.join(FakeProvider("one", sends_invoices=False))
    agreement_id, activity_id = await rent(golem)
    allocation = await golem.create_allocation(Decimal(4), platform="p", expires=clock.now())
    for total in (Decimal(1), Decimal("1.5")):  # totals grow, so the second adds half a GLM
        note = golem.send_debit_note(activity_id, total)
        await golem.accept(note.kind, note.document_id, amount=total, allocation_id=allocation.allocation_id)
    assert (await golem.allocation(allocation.allocation_id)).spent == Decimal("1.5")
    assert golem.wallet == 10
    invoice = golem.send_invoice(agreement_id, Decimal(2))
    await golem.accept(invoice.kind, invoice.document_id, amount=Decimal(2), allocation_id=allocation.allocation_id)
    assert (await golem.allocation(allocation.allocation_id)).spent == 2
    await clock.sleep(6)
    assert golem.wallet == 8
    less = golem.send_invoice(agreement_id, Decimal("0.5"))
    with pytest.raises(GolemError):
        await golem.accept(less.kind, less.document_id, amount=less.total_due, allocation_id=allocation.allocation_id)


async def test_documents_a_test_makes_up(clock: VirtualClock) -> None:
    golem = MemoryGolem(clock=clock)
    golem.join(FakeProvider("one"))
    before = clock.now() - timedelta(seconds=1)  # after is exclusive, and no time passes in what follows
    agreement_id, _ = await rent(golem)
    known = golem.send_invoice(agreement_id, Decimal(1_000))
    golem.send(known)
    odd = golem.send_malformed(DocumentKind.INVOICE)
    events = await golem.document_events(DocumentKind.INVOICE, after=before, limit=100, timeout=1)
    assert [event.document_id for event in events] == [known.document_id, known.document_id, odd]
    assert len({event.at for event in events}) == 3
    with pytest.raises(MalformedDocumentError):
        await golem.document(DocumentKind.INVOICE, odd)


async def test_a_yagna_that_is_down_and_one_that_restarted(clock: VirtualClock) -> None:
    golem = MemoryGolem(clock=clock)
    network_id = await golem.create_network(address="192.168.0.0", mask="255.255.0.0", requestor_ip="192.168.0.1")
    demand_id = await golem.subscribe(DEMAND)
    waiting = asyncio.create_task(golem.proposals(demand_id, timeout=60))
    await clock.sleep(1)
    golem.join(FakeProvider("one"))
    golem.down = True
    with pytest.raises(YagnaUnavailableError):
        await waiting
    with pytest.raises(YagnaUnavailableError):
        await golem.networks()
    golem.down = False
    assert list(await golem.networks()) == [network_id]
    golem.restart()
    assert not await golem.networks()
    assert await golem.proposals(demand_id, timeout=1)
