"""Restarts and crashes of the bridge: life goes on, nothing is forgotten."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from golem_bridge.clusters.addresses import REQUESTOR_IP, VPN_ADDRESS, VPN_MASK
from golem_bridge.clusters.states import ClusterState, EndReason
from golem_bridge.errors import MarketError
from golem_bridge.golem.types import AgreementState
from golem_bridge.market.images import Image
from golem_bridge.market.requirements import DemandSpec
from tests.unit.bridge.bench import SESSION, Bench, PowerCutError
from tests.unit.bridge.clusters.test_close import up


async def test_a_running_cluster_lives_on(bench: Bench) -> None:
    bench.join("one", "two")
    await bench.start()
    head, worker = await up(bench, workers=1)
    rented = bench.rented()
    await bench.restart()
    await asyncio.sleep(60)
    assert (bench.state(head), bench.state(worker)) == ("running", "running")
    assert bench.rented() == rented
    assert bench.doors.are_open == {"demo-1"}
    assert bench.gate.forwarded == ["/doors/demo-1.sock"]
    assert len(bench.runtimes.of("demo-1").claims) == 2
    bench.join("three")
    (third,) = bench.service.request_nodes("demo", "worker", 1, {})
    assert (third.node_id, third.ip) == ("demo-1-worker-0003", "192.168.0.5")
    await bench.until_running(third.node_id)
    assert bench.contract(third.node_id).provider_name == "three"


async def test_a_node_that_was_starting_is_ended(bench: Bench) -> None:
    bench.join("one")
    bench.join("slow", command_seconds=30.0, price_start=Decimal("0.02"))
    await bench.start()
    (head,) = await up(bench)
    (worker,) = bench.service.request_nodes("demo", "worker", 1, {})
    await bench.until(lambda: bench.state(worker.node_id) == "deploying")
    await bench.restart()
    await bench.until(lambda: bench.state(worker.node_id) == "terminated")
    assert bench.books.nodes.get(worker.node_id).reason is EndReason.START_FAILED
    assert bench.state(head) == "running"
    assert len(bench.rented()) == 2


async def test_what_came_meanwhile_is_accepted_and_paid(bench: Bench) -> None:
    bench.join("one", debit_note_interval=10.0)
    await bench.start()
    (head,) = await up(bench)
    await bench.stop()
    await asyncio.sleep(100)
    bench.build()
    await bench.start()
    await asyncio.sleep(20)
    agreement_id = bench.contract(head).agreement_id
    ledger = bench.books.ledger
    assert ledger.accepted(agreement_id) > 10**15 * 12  # the start price and a hundred seconds
    assert ledger.paid(agreement_id) > 10**15 * 12


async def test_after_yagna_was_restarted_too_the_cluster_goes_on(bench: Bench) -> None:
    bench.join("one", "two")
    await bench.start()
    (head,) = await up(bench)
    rented = bench.rented()
    network_id = bench.service.get("demo").network_id
    bench.golem.restart()
    await bench.restart()
    (worker,) = bench.service.request_nodes("demo", "worker", 1, {})
    await bench.until_running(worker.node_id)
    assert bench.state(head) == "running"
    assert rented < bench.rented()
    deploy, *_ = bench.golem.world.activity(bench.contract(worker.node_id).activity_id or "").scripts
    (network,) = deploy["deploy"]["net"]  # type: ignore[index]
    assert network["id"] == network_id, "the new node joins the others where they are"
    bench.service.close("demo")
    await bench.until_closed()
    assert not bench.rented()


async def test_leftovers_nobody_remembers_are_given_back(bench: Bench) -> None:
    bench.join("one", "two")
    await bench.start()
    (head,) = await up(bench)
    rented = bench.rented()
    allocation_id = bench.service.get("demo").allocation_id
    other = await bench.golem.create_allocation(
        Decimal(5), platform="erc20-hoodi-tglm", expires=bench.clock.now() + timedelta(days=1)
    )
    network_id = await bench.golem.create_network(address=VPN_ADDRESS, mask=VPN_MASK, requestor_ip=REQUESTOR_IP)
    demand = bench.runtimes.of("demo-1").subscriptions["worker"]
    draft = await demand.draft(
        claims=bench.runtimes.of("demo-1").claims,
        avoid=(),
        budget_left=lambda: Decimal(5),
        patience=60,
        progress=lambda _: None,
    )
    agreement_id = await bench.golem.create_agreement(draft.proposal_id, valid_for=60)
    await bench.golem.confirm_agreement(agreement_id, app_session_id=SESSION, timeout=60)
    await bench.restart()
    assert bench.golem.world.agreement(agreement_id).state is AgreementState.TERMINATED
    assert [row.allocation_id for row in await bench.golem.allocations()] == [allocation_id]
    assert other.allocation_id != allocation_id
    assert await bench.golem.networks() == [bench.service.get("demo").network_id]
    assert network_id != bench.service.get("demo").network_id
    assert bench.rented() == rented
    assert bench.state(head) == "running"


async def test_a_stray_agreement_that_cannot_be_ended_does_not_stop_the_start(bench: Bench) -> None:
    (gone,) = bench.join("gone")
    await bench.start()
    await up(bench)
    gone.vanished = True
    bench.service.close("demo")
    await bench.until_closed()
    await bench.restart()
    bench.join("another")
    await up(bench, name="other")


async def test_demands_come_back_when_the_registry_does(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_self: object, _wanted: DemandSpec) -> Image:
        raise MarketError("Cannot look up image — no answer — see: docker compose ps")

    bench.join("one", "two")
    await bench.start()
    head, _ = await up(bench, workers=1)
    await bench.stop()
    monkeypatch.setattr(type(bench.images), "resolve", fail)
    bench.build()
    await bench.start()
    (lost,) = bench.service.request_nodes("demo", "worker", 1, {})
    await bench.until(lambda: bench.state(lost.node_id) == "terminated")
    assert "Nothing is asked of the market" in bench.books.nodes.get(lost.node_id).message
    assert bench.state(head) == "running"
    monkeypatch.undo()
    bench.join("three")
    await asyncio.sleep(30)
    (worker,) = bench.service.request_nodes("demo", "worker", 1, {})
    await bench.until_running(worker.node_id)


async def live(bench: Bench) -> None:
    """The whole life of a cluster."""
    head, *_ = await up(bench, workers=1)
    bench.service.terminate("demo", ["demo-1-worker-0002"])
    await asyncio.sleep(1)
    (worker,) = bench.service.request_nodes("demo", "worker", 1, {})
    await bench.until_running(worker.node_id)
    bench.service.terminate("demo", [head])
    await bench.until_closed()


async def writes_of_a_life() -> int:
    bench = Bench()
    bench.join("one", "two", "three", delay=0.2)
    await bench.start()
    await live(bench)
    await bench.end()
    return bench.database.writes


async def test_after_a_power_cut_at_any_write_everything_can_be_ended() -> None:
    """The n-th write and all that follow fail; the bridge is started again and the cluster is closed."""
    for last_write in range(1, await writes_of_a_life(), 9):
        bench = Bench()
        bench.join("one", "two", "three", delay=0.2)
        bench.database.last_write = last_write
        try:
            await bench.start()
            living = asyncio.create_task(live(bench))
            await bench.until(lambda bench=bench, living=living: bench.database.is_cut or living.done())  # type: ignore[misc]
        except PowerCutError:
            pass
        await asyncio.sleep(3)
        await bench.crash()
        for cluster in bench.books.clusters.all_latest():
            bench.service.close(cluster.name)
        await bench.until(lambda bench=bench: not bench.books.clusters.unfinished())  # type: ignore[misc]
        assert not bench.rented(), f"left after {last_write} writes"
        assert not await bench.golem.allocations(), f"left after {last_write} writes"
        assert not await bench.golem.networks(), f"left after {last_write} writes"
        assert not bench.books.nodes.unfinished()
        await bench.end()


async def test_a_crash_in_the_middle_of_closing_is_finished(bench: Bench) -> None:
    """The cluster is closing on disk, its nodes are not ended yet."""
    bench.join("one", "two")
    await bench.start()
    await up(bench, workers=1)
    bench.database.last_write = bench.database.writes + 1
    with pytest.raises(PowerCutError):
        bench.service.close("demo")
    assert bench.service.get("demo").state is ClusterState.CLOSING
    await bench.crash()
    await bench.until_closed()
    assert not bench.rented()


async def test_a_crash_between_the_end_of_a_head_and_of_its_cluster_is_finished(bench: Bench) -> None:
    bench.join("one", "two")
    await bench.start()
    head, _ = await up(bench, workers=1)
    bench.database.last_write = bench.database.writes + 1
    with pytest.raises(PowerCutError):
        bench.service.terminate("demo", [head])
    assert bench.state(head) == "terminating"
    await bench.crash()
    await bench.until_closed()
    assert not bench.rented()
