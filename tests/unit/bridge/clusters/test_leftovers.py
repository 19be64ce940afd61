"""What yagna holds for no cluster is given back while the bridge runs, and nothing else is."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import NoReturn

import pytest

from golem_bridge.clusters.addresses import REQUESTOR_IP, VPN_ADDRESS, VPN_MASK
from golem_bridge.clusters.leftovers import GRACE
from golem_bridge.errors import GolemError, GolemTimeoutError
from tests.unit.bridge.bench import Bench
from tests.unit.bridge.clusters.test_close import up
from tests.unit.bridge.samples import spec

LOOK = 60.0
"""Seconds between two."""

MADE_BY = {"allocations": "create_allocation", "networks": "create_network"}


def with_late_answers(monkeypatch: pytest.MonkeyPatch, bench: Bench, method: str, *, after: float = 0) -> None:
    """What is asked for is done at once; after some seconds the bridge is told that no answer came."""
    done = getattr(bench.golem, method)

    async def late(*arguments: object, **named: object) -> NoReturn:
        await done(*arguments, **named)
        await asyncio.sleep(after)
        raise GolemTimeoutError(f"Cannot {method} — no answer — see: docker compose logs yagna")

    monkeypatch.setattr(bench.golem, method, late)


async def make_both(bench: Bench) -> None:
    """An allocation and a VPN of nobody's."""
    expires = bench.clock.now() + timedelta(days=1)
    await bench.golem.create_allocation(Decimal(5), platform="erc20-hoodi-tglm", expires=expires)
    await bench.golem.create_network(address=VPN_ADDRESS, mask=VPN_MASK, requestor_ip=REQUESTOR_IP)


async def held(bench: Bench) -> tuple[int, int]:
    """How many allocations and VPNs there are."""
    return len(await bench.golem.allocations()), len(await bench.golem.networks())


@pytest.mark.parametrize("kind", MADE_BY)
async def test_what_was_made_without_an_answer_is_given_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    await bench.start()
    with monkeypatch.context() as patch:
        with_late_answers(patch, bench, MADE_BY[kind])
        with pytest.raises(GolemTimeoutError):
            await bench.service.open("demo", spec())
    await bench.until_closed()
    assert len(await getattr(bench.golem, kind)()) == 1
    await asyncio.sleep(GRACE + 2 * LOOK)
    assert await held(bench) == (0, 0)


async def test_what_clusters_hold_stays(bench: Bench) -> None:
    bench.join("one", "two")
    await bench.start()
    head, worker = await up(bench, workers=1)
    await make_both(bench)
    await asyncio.sleep(GRACE + 2 * LOOK)
    cluster = bench.service.get("demo")
    assert [row.allocation_id for row in await bench.golem.allocations()] == [cluster.allocation_id]
    assert await bench.golem.networks() == [cluster.network_id]
    assert (bench.state(head), bench.state(worker)) == ("running", "running")


async def test_a_cluster_that_waits_for_its_bills_keeps_its_allocation(bench: Bench) -> None:
    bench.settings = bench.settings.model_copy(update={"settlement_patience": 3 * GRACE})
    bench.build()
    bench.join("one", sends_invoices=False)
    await bench.start()
    await up(bench)
    bench.service.close("demo")
    await asyncio.sleep(2 * GRACE)
    assert await held(bench) == (1, 1)


@pytest.mark.parametrize("kind", MADE_BY)
async def test_what_is_being_opened_is_let_be(bench: Bench, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    await bench.start()
    with_late_answers(monkeypatch, bench, MADE_BY[kind], after=3 * GRACE)
    opening = asyncio.create_task(bench.service.open("demo", spec()))
    await asyncio.sleep(2 * GRACE)
    assert len(await getattr(bench.golem, kind)()) == 1
    with pytest.raises(GolemTimeoutError):
        await opening


async def test_what_somebody_tries_out_is_left_for_a_while(bench: Bench) -> None:
    await bench.start()
    await asyncio.sleep(LOOK / 2)
    await make_both(bench)
    await asyncio.sleep(GRACE)
    assert await held(bench) == (1, 1)


async def test_what_yagna_does_not_take_back_is_tried_again_and_stops_nothing_else(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_id: str) -> NoReturn:
        raise GolemError("Cannot release — yagna answers 500 — see its log")

    await bench.start()
    await make_both(bench)
    with monkeypatch.context() as patch:
        patch.setattr(bench.golem, "release_allocation", refuse)
        await asyncio.sleep(GRACE + 2 * LOOK)
        assert await held(bench) == (1, 0)
    await asyncio.sleep(2 * LOOK)
    assert await held(bench) == (0, 0)
