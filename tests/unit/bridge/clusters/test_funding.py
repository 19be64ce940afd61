"""One allocation per cluster, as large as its budget, whatever became of the one before."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from golem_bridge.errors import BudgetError, InputError
from golem_bridge.settings import GolemNetwork
from tests.unit.bridge.bench import Bench
from tests.unit.bridge.samples import spec


async def totals(bench: Bench) -> list[Decimal]:
    return [allocation.total for allocation in await bench.golem.allocations()]


async def test_a_new_budget_amends_the_allocation(bench: Bench) -> None:
    await bench.start()
    before = await bench.service.open("demo", spec(budget="5"))
    after = await bench.service.open("demo", spec(budget="7"))
    assert after.allocation_id == before.allocation_id
    assert await totals(bench) == [7]


@pytest.mark.parametrize("left", ["3", "7"])
async def test_an_allocation_is_as_large_as_the_budget_after_a_change_that_was_never_booked(
    bench: Bench, left: str
) -> None:
    """The bridge died, or yagna's answer was lost, between the two."""
    await bench.start()
    before = await bench.service.open("demo", spec(budget="5"))
    await bench.golem.amend_allocation(before.allocation_id or "", total=Decimal(left))
    await bench.service.open("demo", spec(budget="5"))
    assert await totals(bench) == [5]


@pytest.mark.parametrize("budget", ["5", "7"])
async def test_an_allocation_that_yagna_has_lost_is_made_anew(bench: Bench, budget: str) -> None:
    """The devnet was reset, or somebody released it by hand."""
    bench.join("one")
    await bench.start()
    before = await bench.service.open("demo", spec(budget="5"))
    await bench.golem.release_allocation(before.allocation_id or "")
    after = await bench.service.open("demo", spec(budget=budget))
    assert after.allocation_id != before.allocation_id
    assert await totals(bench) == [Decimal(budget)]
    (head,) = bench.service.request_nodes("demo", "head", 1, {})
    await bench.until_running(head.node_id)


async def test_a_wallet_that_cannot_carry_the_new_budget_changes_nothing(bench: Bench) -> None:
    await bench.start()
    before = await bench.service.open("demo", spec(budget="5"))
    with pytest.raises(BudgetError, match=r"cannot set 5000 GLM aside — available: 99\d"):
        await bench.service.open("demo", spec(budget="5000"))
    assert bench.service.get("demo") == before
    assert await totals(bench) == [5]


async def test_a_cluster_of_another_network_gets_no_money_of_this_one(bench: Bench) -> None:
    """The network was changed while the cluster was open."""
    await bench.start()
    before = await bench.service.open("demo", spec(budget="5"))
    bench.books.clusters.change("demo-1", lambda row: replace(row, golem_network=GolemNetwork.HOODI))
    await bench.golem.release_allocation(before.allocation_id or "")
    with pytest.raises(InputError, match="opened on hoodi, the appliance runs on devnet"):
        await bench.service.open("demo", spec(budget="5"))
    assert await totals(bench) == []
    bench.service.close("demo")
    assert (await bench.service.open("demo", spec(budget="5"))).golem_network is GolemNetwork.DEVNET
