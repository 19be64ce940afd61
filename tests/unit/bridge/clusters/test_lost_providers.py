"""Whose provider ended it, or is gone: the node ends. Who cannot be heard of for a while is not gone."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from golem_bridge.clusters.caretaker import LOST_AFTER
from golem_bridge.clusters.states import EndReason
from golem_bridge.golem.types import AgreementState
from tests.unit.bridge.bench import Bench
from tests.unit.bridge.clusters.test_close import up


async def test_a_provider_that_vanishes_ends_the_node(bench: Bench) -> None:
    bench.join("one", price_start=Decimal(0))
    (two,) = bench.join("two")
    await bench.start()
    head, worker = await up(bench, workers=1)
    two.vanished = True
    await bench.until(lambda: bench.state(worker) == "terminated")
    node = bench.books.nodes.get(worker)
    assert (node.reason, node.message) == (EndReason.PROVIDER_LOST, "two is gone: nothing was heard of it for 300 s")
    assert bench.state(head) == "running"


async def test_a_provider_whose_yagna_misses_it_ends_the_node(bench: Bench) -> None:
    """As on the devnet when a provider vanishes: its agent is gone, its yagna is not."""
    bench.join("one", price_start=Decimal(0))
    bench.join("two")
    await bench.start()
    _, worker = await up(bench, workers=1)
    bench.golem.world.activity(bench.contract(worker).activity_id or "").state = "Unresponsive"
    await bench.until(lambda: bench.state(worker) != "running", seconds=20)
    assert bench.books.nodes.get(worker).message == "two is gone: its activity is unresponsive"


async def test_without_its_heads_provider_a_cluster_ends(bench: Bench) -> None:
    """Nobody is left to replace it: without this, all workers would be paid for until the budget is used up."""
    (one,) = bench.join("one", price_start=Decimal(0))
    bench.join("two")
    await bench.start()
    head, worker = await up(bench, workers=1)
    one.vanished = True
    await asyncio.sleep(280)
    assert bench.state(head) == "running"
    await bench.until(lambda: bench.state(worker) == "terminated", seconds=60)
    assert bench.books.nodes.get(head).reason is EndReason.PROVIDER_LOST


async def test_a_node_that_is_heard_of_is_not_lost(bench: Bench) -> None:
    (one,) = bench.join("one")
    await bench.start()
    (head,) = await up(bench)
    one.vanished = True
    for _ in range(100):
        bench.heard[head] = bench.clock.now()
        await asyncio.sleep(10)
    assert bench.state(head) == "running"
    await bench.until(lambda: bench.state(head) != "running", seconds=LOST_AFTER + 20)


async def test_a_provider_that_is_back_soon_was_not_lost(bench: Bench) -> None:
    (one,) = bench.join("one")
    await bench.start()
    (head,) = await up(bench)
    for _ in range(5):
        one.vanished = True
        await asyncio.sleep(LOST_AFTER - 30)
        one.vanished = False
        await asyncio.sleep(30)
    assert bench.state(head) == "running"


async def test_an_agreement_its_provider_ended_ends_the_node(bench: Bench) -> None:
    bench.join("one")
    await bench.start()
    (head,) = await up(bench)
    bench.golem.world.agreement(bench.contract(head).agreement_id).state = AgreementState.TERMINATED
    await bench.until_closed()
    assert bench.books.nodes.get(head).message == "one is gone: its agreement is terminated"


async def test_while_yagna_is_down_nobody_is_called_lost(bench: Bench) -> None:
    bench.join("one")
    await bench.start()
    (head,) = await up(bench)
    bench.golem.down = True
    await asyncio.sleep(600)
    bench.golem.down = False
    await asyncio.sleep(60)
    assert bench.state(head) == "running"
