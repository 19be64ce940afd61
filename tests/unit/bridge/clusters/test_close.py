"""Ending nodes and clusters: nothing stays rented, and nobody who fails stops the others."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from golem_bridge.clusters.bill import bill_lines, totals
from golem_bridge.clusters.states import ClusterState, EndReason
from golem_bridge.errors import GolemError, GolemTimeoutError
from golem_bridge.golem.types import AgreementState
from tests.unit.bridge.bench import Bench
from tests.unit.bridge.samples import spec


async def up(bench: Bench, workers: int = 0, name: str = "demo", **limits: object) -> list[str]:
    """Ids of head and workers of a cluster that runs."""
    await bench.service.open(name, spec(**limits))  # type: ignore[arg-type]
    nodes = list(bench.service.request_nodes(name, "head", 1, {}))
    await bench.until_running(nodes[0].node_id)
    if workers:
        nodes += bench.service.request_nodes(name, "worker", workers, {})
    await bench.until_running(*(node.node_id for node in nodes))
    return [node.node_id for node in nodes]


async def test_ending_a_worker_leaves_the_others(bench: Bench) -> None:
    bench.join("one", "two", "three")
    await bench.start()
    head, first, second = await up(bench, workers=2)
    (ended,) = bench.service.terminate("demo", [first, "demo-1-worker-9999"])
    assert ended.state.value == "terminating"
    await bench.until(lambda: bench.state(first) == "terminated")
    assert (bench.state(head), bench.state(second)) == ("running", "running")
    assert len(bench.rented()) == 4
    network_id = bench.service.get("demo").network_id or ""
    assert set(bench.golem.members(network_id)) == {"192.168.0.3", "192.168.0.5"}
    assert first in bench.dropped_links


async def test_without_its_head_a_cluster_ends(bench: Bench) -> None:
    bench.join("one", "two")
    await bench.start()
    head, worker = await up(bench, workers=1)
    bench.service.terminate("demo", [head])
    assert bench.state(worker) == "terminating"
    await bench.until_closed()
    assert bench.books.nodes.get(worker).message == "Ended with its head: Ended on request"
    assert not bench.rented()


async def test_a_closed_name_opens_as_a_new_incarnation(bench: Bench) -> None:
    bench.join("one", "two")
    await bench.start()
    (before,) = await up(bench)
    bench.service.close("demo")
    bench.join("one", "two")
    (after,) = await up(bench)
    assert (before, after) == ("demo-1-head-0001", "demo-2-head-0001")
    bench.service.close("demo")
    await bench.until_closed()
    assert not bench.rented()


async def test_a_provider_out_of_reach_does_not_hold_the_others_up(bench: Bench) -> None:
    gone, *_ = bench.join("gone", price_start=Decimal(0))
    bench.join("one")
    await bench.start()
    head, worker = await up(bench, workers=1)
    assert bench.contract(head).provider_name == "gone"
    gone.vanished = True
    began = bench.clock.monotonic()
    bench.service.close("demo")
    await bench.until(lambda: bench.state(worker) == "terminated")
    assert bench.clock.monotonic() - began < 5


async def test_a_provider_that_never_comes_back_does_not_keep_a_cluster_open(bench: Bench) -> None:
    (gone,) = bench.join("gone")
    await bench.start()
    (head,) = await up(bench)
    gone.vanished = True
    bench.service.close("demo")
    await bench.until_closed()
    assert bench.state(head) == "terminated"
    assert not await bench.golem.allocations()


async def test_a_provider_that_refuses_the_end_is_paid_no_longer(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The agreement, by which it may bill us, ends at once; its activity is asked to for some time."""
    bench.join("stubborn")
    await bench.start()
    (head,) = await up(bench)
    contract = bench.contract(head)
    asked = []

    async def refuse(activity_id: str, *, timeout: float) -> None:
        asked.append(activity_id)
        raise GolemError(f"Cannot end activity {activity_id} — the provider answers 403")

    monkeypatch.setattr(bench.golem, "destroy_activity", refuse)
    began = bench.clock.monotonic()
    bench.service.close("demo")
    await bench.until(lambda: bench.golem.world.agreement(contract.agreement_id).state is AgreementState.TERMINATED)
    assert bench.clock.monotonic() - began < 5
    await bench.until(lambda: bench.state(head) == "terminated")
    assert bench.clock.monotonic() - began < 150
    assert len(asked) > 2
    over = bench.books.contracts.get(contract.agreement_id)
    assert over is not None
    assert over.ended_at is not None


async def test_an_agreement_that_its_provider_ended_waits_for_no_word_of_its_activity(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that lost power knows nothing of its nodes when it is back."""
    bench.join("back again")
    await bench.start()
    (head,) = await up(bench)
    asked = []

    async def ignore(activity_id: str, *, timeout: float) -> None:
        asked.append(activity_id)
        await asyncio.sleep(timeout)
        raise GolemTimeoutError(f"Cannot end activity {activity_id} — yagna answers 408: Timeout")

    monkeypatch.setattr(bench.golem, "destroy_activity", ignore)
    bench.golem.world.agreement(bench.contract(head).agreement_id).state = AgreementState.TERMINATED
    await bench.until(lambda: bench.state(head) == "terminated", seconds=30)
    assert len(asked) == 1


async def test_bills_are_paid_when_the_last_one_is_there_not_a_day_later(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On polygon yagna pays once a day by itself."""
    bench.golem.payment_cycle = 86_400.0
    asked = []
    pay_now = bench.golem.pay_now

    async def count(platform: str) -> None:
        asked.append(platform)
        await pay_now(platform)

    monkeypatch.setattr(bench.golem, "pay_now", count)
    bench.join("one", "two")
    await bench.start()
    await up(bench, workers=1)
    bench.service.close("demo")
    began = bench.clock.monotonic()
    await bench.until_closed()
    assert bench.clock.monotonic() - began < 60
    sums = totals(bench.books, bench.service.get("demo"))
    assert 0 < sums.accepted == sums.paid
    assert asked == ["erc20-hoodi-tglm"]


async def test_one_missing_invoice_keeps_no_others_from_being_paid(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.golem.payment_cycle = 86_400.0
    bench.join("one")
    (mute,) = bench.join("mute", price_start=Decimal("0.05"))
    await bench.start()
    head, worker = await up(bench, workers=1)
    mute.vanished = True
    bench.service.close("demo")
    agreement_id = bench.contract(head).agreement_id
    await bench.until(lambda: bool(bench.books.ledger.payments(agreement_id)), seconds=90)
    assert bench.books.ledger.payments(bench.contract(worker).agreement_id) == []


async def test_a_provider_that_comes_back_late_is_told_the_end(bench: Bench) -> None:
    (gone,) = bench.join("gone")
    await bench.start()
    await up(bench)
    gone.vanished = True
    bench.service.close("demo")
    await bench.until_closed()
    assert bench.rented()
    gone.vanished = False
    await bench.until(lambda: not bench.rented())


@pytest.mark.parametrize("away", ["bridge", "yagna"])
async def test_an_invoice_is_paid_after_an_hour_in_which_nobody_could_read_it(bench: Bench, away: str) -> None:
    bench.join("one", sends_invoices=False)
    await bench.start()
    (head,) = await up(bench)
    contract = bench.contract(head)
    bench.service.close("demo")
    await bench.until(lambda: bench.state(head) == "terminated")
    await asyncio.sleep(5)
    if away == "bridge":
        await bench.stop()
        await asyncio.sleep(3600)
        bench.build()
        await bench.start()
    else:
        bench.golem.down = True
        await asyncio.sleep(3600)
        bench.golem.down = False
    await asyncio.sleep(35)
    bench.golem.send_invoice(contract.agreement_id, Decimal("0.0101"))
    await bench.until_closed()
    assert bench.books.ledger.paid(contract.agreement_id) == 101 * 10**14


async def test_closing_waits_for_yagna(bench: Bench) -> None:
    bench.join("one", "two")
    await bench.start()
    await up(bench, workers=1)
    bench.golem.down = True
    bench.service.close("demo")
    await asyncio.sleep(600)
    assert bench.service.get("demo").state is ClusterState.CLOSING
    bench.golem.down = False
    await bench.until_closed()
    assert not bench.rented()


async def test_a_provider_is_given_the_same_time_after_yagna_was_away(bench: Bench) -> None:
    """yagna is back before it reaches anybody: what it could not ask is no refusal."""
    (gone,) = bench.join("gone")
    await bench.start()
    (head,) = await up(bench)
    agreement_id = bench.contract(head).agreement_id
    gone.vanished = bench.golem.down = True
    bench.service.close("demo")
    await asyncio.sleep(600)
    bench.golem.down = False
    await asyncio.sleep(30)
    contract = bench.books.contracts.get(agreement_id)
    assert contract is not None
    assert contract.ended_at is None
    gone.vanished = False
    await bench.until(lambda: not bench.rented(), seconds=20)


async def test_a_provider_that_was_claimed_anew_is_not_freed_by_a_second_end(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start that failed closes its contract at once, and so does the loop that ends what nobody wants."""
    bench.join("one")
    await bench.start()
    (head,) = await up(bench)
    contract = bench.contract(head)
    claims = bench.runtimes.of("demo-1").claims
    destroy, delays = bench.golem.destroy_activity, iter([1, 5])

    async def slowly(activity_id: str, *, timeout: float) -> None:
        await asyncio.sleep(next(delays))
        await destroy(activity_id, timeout=timeout)

    monkeypatch.setattr(bench.golem, "destroy_activity", slowly)
    first, second = (asyncio.create_task(bench.closer.close(contract)) for _ in range(2))
    await first
    assert contract.provider_id not in claims
    claims.take(contract.provider_id)  # the next node's negotiation
    await second
    assert contract.provider_id in claims


async def test_a_cluster_that_cannot_be_finished_does_not_hold_others_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.join("one", "two")
    await bench.start()
    await up(bench, name="first")
    await up(bench, name="second")
    stuck = bench.service.get("first").network_id
    remove = bench.golem.remove_network

    async def refuse(network_id: str) -> None:
        if network_id == stuck:
            raise GolemError("Cannot remove a VPN — yagna answers 500 — see its log")
        await remove(network_id)

    monkeypatch.setattr(bench.golem, "remove_network", refuse)
    bench.service.close("first")
    bench.service.close("second")
    await bench.until_closed("second")
    assert bench.service.get("first").state is ClusterState.CLOSING
    monkeypatch.undo()
    await bench.until_closed("first")


async def test_the_bridge_stops_while_yagna_is_down(bench: Bench) -> None:
    bench.join("one")
    await bench.start()
    await up(bench)
    bench.golem.down = True
    await bench.stop()
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "subscription"]


async def test_a_cluster_waits_for_invoices_only_so_long(bench: Bench) -> None:
    bench.join("one", sends_invoices=False)
    await bench.start()
    await up(bench)
    bench.service.close("demo")
    closed_at = bench.clock.monotonic()
    await bench.until(lambda: not bench.rented())
    assert not bench.caretaker.is_settled(bench.service.get("demo"))
    await bench.until_closed()
    waited = bench.clock.monotonic() - closed_at
    assert waited == pytest.approx(bench.settings.settlement_patience, abs=5)


async def test_a_paid_cluster_is_closed_at_once_and_its_bill_adds_up(bench: Bench) -> None:
    bench.join("one", debit_note_interval=10.0)
    await bench.start()
    (head,) = await up(bench)
    await asyncio.sleep(100)
    wallet = bench.golem.wallet
    agreement_id = bench.contract(head).agreement_id
    bench.service.close("demo")
    began = bench.clock.monotonic()
    await bench.until_closed()
    assert bench.clock.monotonic() - began < 30
    cluster = bench.service.get("demo")
    assert bench.caretaker.is_settled(cluster)
    sums, (line,) = totals(bench.books, cluster), bill_lines(bench.books, cluster)
    assert sums.accepted == sums.paid == sums.committed == line.accepted == line.paid == 1000 - bench.golem.wallet
    assert bench.golem.wallet < wallet
    assert line.contract.agreement_id == agreement_id
    assert sum(payment.amount for payment in line.payments) == line.paid
    assert all(payment.tx_hash.startswith("0x") for payment in line.payments)
    assert line.seconds > 100


async def test_the_head_goes_on_with_what_the_workers_leave(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that is being ended counts with 60 s more than it costs: the head goes on with that of three."""
    bench.join("one", "two", "three", "four", price_per_second=Decimal("0.0001"), debit_note_interval=30.0)
    await bench.start()
    head, *workers = await up(bench, workers=3, budget="9")
    at_once = bench.golem.destroy_activity

    async def destroy(activity_id: str, *, timeout: float) -> None:
        await asyncio.sleep(5)
        await at_once(activity_id, timeout=timeout)

    monkeypatch.setattr(bench.golem, "destroy_activity", destroy)
    await bench.service.open("demo", spec(budget="0.2"))
    await bench.until(lambda: all(bench.state(worker) == "terminated" for worker in workers))
    assert {bench.books.nodes.get(worker).reason for worker in workers} == {EndReason.BUDGET}
    await asyncio.sleep(60)
    assert bench.state(head) == "running"
    await bench.until_closed()
    assert bench.books.nodes.get(head).reason is EndReason.BUDGET


async def test_a_used_up_budget_ends_the_workers_then_the_head(bench: Bench) -> None:
    bench.join("one", "two", price_per_second=Decimal("0.001"), debit_note_interval=30.0)
    await bench.start()
    head, worker = await up(bench, workers=1, budget="9")  # 7.5 GLM for start and one hour of two nodes
    await bench.service.open("demo", spec(budget="0.7"))
    await bench.until(lambda: bench.state(worker) == "terminated")
    assert bench.books.nodes.get(worker).reason is EndReason.BUDGET
    await bench.until_closed()
    assert bench.books.nodes.get(head).reason is EndReason.BUDGET
    assert "The budget of 0.7 GLM is used up" in bench.books.nodes.get(head).message
    sums = totals(bench.books, bench.service.get("demo"))
    assert Decimal("0.4") < sums.accepted <= Decimal("0.7")
    assert sums.accepted == sums.paid
