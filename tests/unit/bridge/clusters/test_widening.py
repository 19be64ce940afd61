"""What a head names is recorded while its cluster is open, and decides nothing else, whenever it asks."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from golem_bridge.clusters.states import ClusterState
from golem_bridge.errors import InputError, UnknownClusterError
from golem_bridge.market.images import Image
from golem_bridge.market.requirements import DemandSpec
from tests.unit.bridge.bench import Bench, FakeImages
from tests.unit.bridge.samples import node_config, spec


class SlowImages(FakeImages):
    """Answers when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.may_answer = asyncio.Event()

    async def resolve(self, wanted: DemandSpec) -> Image:
        await self.may_answer.wait()
        return await super().resolve(wanted)


@pytest.fixture
async def slow(bench: Bench) -> SlowImages:
    """A cluster ``demo`` is open; from now on images are looked up slowly."""
    bench.join("one")
    await bench.start()
    await bench.service.open("demo", spec())
    bench.service._images = slow = SlowImages()
    return slow


async def test_a_type_is_recorded(bench: Bench, slow: SlowImages) -> None:
    slow.may_answer.set()
    await bench.service.widen("demo-1", "gpu", node_config())
    assert set(bench.service.get("demo").spec.node_types) == {"head", "worker", "gpu"}
    assert set(bench.service.market("demo")) == {"head", "worker", "gpu"}


async def test_a_name_nobody_can_read_is_refused(bench: Bench, slow: SlowImages) -> None:
    slow.may_answer.set()
    with pytest.raises(InputError):
        await bench.service.widen("demo-1", "x" * 1000, node_config())
    assert set(bench.service.get("demo").spec.node_types) == {"head", "worker"}


async def test_a_cluster_that_was_closed_meanwhile_is_not_opened_again(bench: Bench, slow: SlowImages) -> None:
    asked = [asyncio.create_task(bench.service.widen("demo-1", name, node_config())) for name in ("gpu", "big")]
    await asyncio.sleep(1)
    bench.service.close("demo")
    slow.may_answer.set()
    for answer in await asyncio.gather(*asked, return_exceptions=True):
        assert isinstance(answer, UnknownClusterError)
    assert [row.cluster_id for row in bench.books.clusters.all_latest()] == ["demo-1"]
    assert set(bench.service.get("demo").spec.node_types) == {"head", "worker"}
    await bench.until_closed()
    assert await bench.golem.allocations() == []
    assert "demo-1" not in bench.runtimes.by_cluster


async def test_nodes_asked_for_before_do_not_come_with_the_next_incarnation(bench: Bench, slow: SlowImages) -> None:
    slow.may_answer.set()
    bench.service.close("demo")
    await bench.until_closed()
    await bench.service.open("demo", spec())
    with pytest.raises(UnknownClusterError, match="'demo' is closed — start it again: ray up"):
        bench.service.request_nodes("demo", "worker", 1, {}, incarnation="demo-1")
    assert bench.books.nodes.of_cluster("demo-2") == []


async def test_the_users_limits_stay_whoever_asks_meanwhile(bench: Bench, slow: SlowImages) -> None:
    lowered = spec(budget="1", max_workers=1)
    users = asyncio.create_task(bench.service.open("demo", lowered))
    heads = asyncio.create_task(bench.service.widen("demo-1", "gpu", node_config()))
    await asyncio.sleep(1)
    slow.may_answer.set()
    await asyncio.gather(users, heads)
    now = bench.service.get("demo")
    assert (now.state, now.budget, now.spec.max_workers) == (ClusterState.ACTIVE, Decimal(1), 1)
    assert set(now.spec.node_types) == {"head", "worker", "gpu"}
    (allocation,) = await bench.golem.allocations()
    assert allocation.total == 1
