"""The market from the cluster's side: what it can be asked, what starts teach it, and new limits while one waits."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from golem_bridge.clusters.spec import ClusterSpec
from golem_bridge.clusters.states import NodeState
from golem_bridge.market.requirements import BudgetControl
from tests.fakes.golem import FakeProvider
from tests.unit.bridge.bench import Bench
from tests.unit.bridge.doors import Doors
from tests.unit.bridge.samples import node_config, spec


def limited(max_start: str) -> ClusterSpec:
    limits = BudgetControl(max_start_price=Decimal(max_start))
    return spec().model_copy(update={"node_types": {"head": node_config(budget_control=limits)}})


def doubt(bench: Bench, provider: FakeProvider) -> float:
    return bench.runtimes.reputation.doubt(provider.provider_id, at=bench.clock.monotonic())


async def start(bench: Bench, wanted: ClusterSpec) -> str:
    """Id of a head that is being started."""
    if not bench.works:
        await bench.start()
    await bench.service.open("demo", wanted)
    return bench.service.request_nodes("demo", "head", 1, {})[0].node_id


async def test_the_funnel_can_be_asked_for(bench: Bench) -> None:
    bench.join("cheap", price_start=Decimal("0.01"))
    bench.join("dear", price_start=Decimal("0.05"))
    bench.join("far-too-dear", price_start=Decimal("0.5"))
    await bench.until_running(await start(bench, limited("0.1")))
    answer = await Doors(bench).host.get("/v1/clusters/demo/market")
    assert answer.status_code == 200
    head = answer.json()["node_types"]["head"]
    assert {step["name"]: step["count"] for step in head["steps"]} == {
        "seen": 3,
        "usable": 3,
        "as demanded": 3,
        "within max_start_price": 2,
        "within all limits": 2,
        "free": 1,
        "negotiated": 1,
        "agreed": 1,
    }
    assert head["refused"] == [{"reason": "start price above 0.1 GLM", "count": 1, "nearest": "0.5"}]
    assert (head["in_use"], head["left_alone"], head["failed_negotiations"]) == (1, 0, [])
    assert head["summary"].startswith("3 offers seen, 1 free now, 1 refused (start price above 0.1 GLM")
    assert (head["cheapest"]["provider_name"], head["cheapest"]["start"]) == ("cheap", "0.01")
    assert Decimal(head["cheapest"]["first_hour"]) > Decimal("0.01")


async def test_a_head_sees_the_market_of_its_own_cluster_only(bench: Bench) -> None:
    await bench.start()
    await bench.service.open("demo", spec())
    await bench.service.open("other", spec())
    head = Doors(bench).head("demo-1")
    assert (await head.get("/v1/clusters/demo/market")).status_code == 200
    assert (await head.get("/v1/clusters/other/market")).status_code == 403


async def test_a_closed_cluster_demands_nothing(bench: Bench) -> None:
    bench.join("one")
    await bench.until_running(await start(bench, spec()))
    bench.service.close("demo")
    await bench.until_closed()
    answer = await Doors(bench).host.get("/v1/clusters/demo/market")
    assert answer.json() == {"name": "demo", "node_types": {}}


async def test_who_failed_to_deploy_is_tried_last_next_time_and_forgiven_when_it_serves(bench: Bench) -> None:
    (bad,) = bench.join("bad", failing_command="deploy")
    bench.join("good", price_start=Decimal("0.02"))
    head_id = await start(bench, spec())
    await bench.until_running(head_id)
    assert bench.contract(head_id).provider_name == "good"
    assert doubt(bench, bad) > 0
    bad.failing_command = None
    bench.golem.join(bad)
    (worker,) = bench.service.request_nodes("demo", "worker", 1, {})
    await bench.until_running(worker.node_id)
    assert bench.contract(worker.node_id).provider_name == "bad"
    assert doubt(bench, bad) == 0


async def test_yagna_being_down_is_held_against_nobody(bench: Bench) -> None:
    (one,) = bench.join("one", command_seconds=30.0)
    head_id = await start(bench, spec())
    await bench.until(lambda: bench.state(head_id) == "deploying")
    bench.golem.down = True
    await bench.until(lambda: bench.state(head_id) != "deploying")
    assert doubt(bench, one) == 0


async def test_a_provider_that_vanished_under_a_node_is_left_alone_for_a_while(bench: Bench) -> None:
    (one,) = bench.join("one")
    head_id = await start(bench, spec())
    await bench.until_running(head_id)
    activity_id = bench.contract(head_id).activity_id
    assert activity_id is not None
    bench.golem.end_activity(activity_id)
    await bench.until(lambda: not bench.books.nodes.get(head_id).state.is_live)
    assert bench.runtimes.reputation.is_benched(one.provider_id, at=bench.clock.monotonic())


async def test_a_start_that_waits_goes_on_under_new_limits(bench: Bench) -> None:
    bench.join("dear", price_start=Decimal("0.05"))
    head_id = await start(bench, limited("0.01"))
    await bench.until(lambda: "1 refused" in bench.books.nodes.get(head_id).message)
    began = bench.clock.monotonic()
    await bench.service.open("demo", limited("0.1"))
    await bench.until_running(head_id)
    assert bench.clock.monotonic() - began < 10


async def test_new_limits_of_one_node_type_leave_the_others_alone(bench: Bench) -> None:
    bench.join("one", delay=3.0)
    head_id = await start(bench, spec())
    subscriptions = bench.runtimes.of("demo-1").subscriptions
    before = dict(subscriptions)
    wanted = spec()
    new_worker = node_config(budget_control=BudgetControl(max_start_price=Decimal(1)))
    await bench.service.open(
        "demo", wanted.model_copy(update={"node_types": {"head": wanted.node_types["head"], "gpu": new_worker}})
    )
    assert subscriptions["head"] is before["head"]
    assert set(subscriptions) == {"head", "gpu"}
    await bench.until_running(head_id)


async def test_a_start_that_waits_ends_with_its_cluster(bench: Bench) -> None:
    head_id = await start(bench, spec())
    await bench.until(lambda: "0 offers seen" in bench.books.nodes.get(head_id).message)
    bench.service.close("demo")
    await bench.until(lambda: bench.books.nodes.get(head_id).state is NodeState.TERMINATED, seconds=10)


async def test_parallel_starts_rent_from_different_providers(bench: Bench) -> None:
    bench.join("one", "two", "three", "four", delay=0.5)
    await bench.until_running(await start(bench, spec()))
    workers = bench.service.request_nodes("demo", "worker", 3, {})
    await bench.until_running(*(node.node_id for node in workers))
    assert len({bench.contract(node.node_id).provider_id for node in workers}) == 3
    negotiated = [thread for thread in bench.golem._threads.values() if thread.answered]
    assert len(negotiated) == len({thread.proposal.provider_id for thread in negotiated}) == 4


async def test_two_clusters_do_not_run_into_each_other_at_one_provider(bench: Bench) -> None:
    clusters = ("red", "blue")
    bench.join("one", "two", delay=0.5)
    await bench.start()
    await asyncio.gather(*(bench.service.open(name, spec()) for name in clusters))
    nodes = [bench.service.request_nodes(name, "head", 1, {})[0].node_id for name in clusters]
    await bench.until_running(*nodes)
    assert len({bench.contract(node_id).provider_id for node_id in nodes}) == 2
