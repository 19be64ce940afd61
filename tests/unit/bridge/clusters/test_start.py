"""Starting nodes: from a request to a running node, and every way in which that fails."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from golem_bridge.clusters.starter import PROVIDERS_TRIED
from golem_bridge.clusters.states import EndReason, NodeState
from golem_bridge.errors import BudgetError
from tests.unit.bridge.bench import Bench
from tests.unit.bridge.clusters.test_close import up
from tests.unit.bridge.doors import Doors
from tests.unit.bridge.samples import spec


def know_no_prices(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests for workers find nothing to measure the budget by: what is measured later has its turn."""
    subscription = bench.runtimes.of("demo-1").subscriptions["worker"]
    monkeypatch.setattr(subscription, "cheapest_known", lambda _: None)


async def head(bench: Bench, **limits: object) -> str:
    """Id of the head of a cluster just opened."""
    await bench.service.open("demo", spec(**limits))  # type: ignore[arg-type]
    (node,) = bench.service.request_nodes("demo", "head", 1, {})
    return node.node_id


async def test_a_cluster_comes_up_and_goes_down(bench: Bench) -> None:
    bench.join("one", "two", "three")
    await bench.start()
    head_id = await head(bench)
    await bench.until_running(head_id)
    workers = bench.service.request_nodes("demo", "worker", 2, {})
    await bench.until_running(*(node.node_id for node in workers))
    assert len(bench.rented()) == 6
    assert bench.doors.are_open == {"demo-1"}
    bench.service.close("demo")
    await bench.until_closed()
    assert not bench.rented()
    assert not await bench.golem.allocations()
    assert not await bench.golem.networks()
    assert not bench.doors.are_open


async def test_the_start_is_told_step_by_step(bench: Bench) -> None:
    bench.join("one", command_seconds=3.0)
    await bench.start()
    head_id = await head(bench)
    seen: list[str] = []

    def watch() -> bool:
        node = bench.books.nodes.get(head_id)
        if not seen or seen[-1] != node.state.value:
            seen.append(node.state.value)
        return node.state is NodeState.RUNNING

    await bench.until(watch)
    assert seen[-4:] == ["deploying", "starting", "bootstrapping", "running"]
    node = bench.books.nodes.get(head_id)
    assert node.message == "Running on one"
    assert node.running_at is not None
    assert node.host_public_key.startswith("ssh-ed25519 ")
    assert len(node.relay_token) > 20


async def test_the_image_is_deployed_into_the_vpn_with_everybody_in_it(bench: Bench) -> None:
    bench.join("one", "two")
    await bench.start()
    head_id = await head(bench)
    await bench.until_running(head_id)
    (worker,) = bench.service.request_nodes("demo", "worker", 1, {})
    await bench.until_running(worker.node_id)
    contract = bench.contract(worker.node_id)
    activity = bench.golem.world.activity(contract.activity_id or "")
    deploy, start, run = activity.scripts
    (network,) = deploy["deploy"]["net"]  # type: ignore[index]
    assert (network["nodeIp"], network["ip"], network["mask"]) == ("192.168.0.4", "192.168.0.0", "255.255.0.0")
    assert network["nodes"] == {
        "192.168.0.1": await bench.golem.identity(),
        "192.168.0.3": bench.contract(head_id).provider_id,
        "192.168.0.4": contract.provider_id,
    }
    assert list(start) == ["start"]  # type: ignore[call-overload]
    assert list(run) == ["run"]  # type: ignore[call-overload]


@pytest.mark.parametrize(
    "habit",
    [
        {"rejects_proposals": True},
        {"silent_on_proposals": True},
        {"refuses_agreements": True},
        {"silent_on_agreements": True},
        {"fails_activities": True},
        {"failing_command": "deploy"},
        {"failing_command": "start"},
        {"failing_command": "run"},
        {"hanging_command": "deploy"},
        {"hanging_command": "run"},
    ],
    ids=str,
)
async def test_when_a_provider_fails_the_next_one_is_tried(bench: Bench, habit: dict[str, object]) -> None:
    bench.join("bad", price_start=Decimal(0), **habit)
    bench.join("good")
    await bench.start()
    head_id = await head(bench, budget="0.3")  # carries one node, not two
    await bench.until_running(head_id)
    assert bench.contract(head_id).provider_name == "good"
    await bench.until(lambda: len(bench.rented()) == 2)
    (good,) = bench.books.contracts.open()
    assert good.provider_name == "good"
    assert len(bench.runtimes.of("demo-1").claims) == 1


async def test_a_link_to_a_machine_that_was_given_up_is_not_used_for_the_next(bench: Bench) -> None:
    """Both have the node's id."""
    bench.join("bad", price_start=Decimal(0))
    bench.join("good")
    bench.gate.unreachable = lambda node: bench.contract(node.node_id).provider_name == "bad"
    await bench.start()
    head_id = await head(bench)
    await bench.until_running(head_id)
    assert bench.contract(head_id).provider_name == "good"
    assert bench.dropped_links == [head_id]


async def test_after_some_providers_failed_the_start_fails(bench: Bench) -> None:
    bench.join(*(f"bad {number}" for number in range(PROVIDERS_TRIED + 1)), failing_command="deploy")
    await bench.start()
    head_id = await head(bench)
    await bench.until_closed()
    node = bench.books.nodes.get(head_id)
    assert node.reason is EndReason.START_FAILED
    assert f"{PROVIDERS_TRIED} providers failed" in node.message
    assert "exit code 1" in node.message
    assert not bench.rented()


async def test_nobody_on_the_market_is_said_after_the_patience(bench: Bench) -> None:
    bench.join("small", memory_gib=0.5, subnet="elsewhere")
    await bench.start()
    head_id = await head(bench)
    await bench.until(lambda: bench.books.nodes.get(head_id).message.startswith("Waiting for a provider"))
    await bench.until_closed()
    assert "No provider found in 300 s — 0 offers seen" in bench.books.nodes.get(head_id).message


async def test_a_node_that_does_not_fit_the_budget_is_not_rented(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.join("one", "two")
    await bench.start()
    head_id = await head(bench, budget="0.3")  # start and an hour cost 0.19 GLM
    await bench.until_running(head_id)
    know_no_prices(bench, monkeypatch)
    (worker,) = bench.service.request_nodes("demo", "worker", 1, {})
    await bench.until(lambda: bench.state(worker.node_id) == "terminated")
    node = bench.books.nodes.get(worker.node_id)
    assert node.reason is EndReason.BUDGET
    assert "costs 0.19 GLM for the start and one hour, 0.11 GLM of 0.3 GLM is left" in node.message
    assert len(bench.runtimes.of("demo-1").claims) == 1, "the provider that was too dear is free again"
    assert bench.state(head_id) == "running"


async def test_a_cheap_provider_that_is_taken_makes_no_room_for_a_dear_one(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each node that cannot be paid for would cost a negotiation, at every tick of the autoscaler."""
    bench.join("cheap")
    bench.join("dear", price_start=Decimal("2"))
    await bench.start()
    head_id = await head(bench, budget="1")
    await bench.until_running(head_id)
    agreements = len(bench.golem.world.agreements)
    with pytest.raises(BudgetError, match=r"the start and one hour cost at least 2\.18 GLM, 0\.81 GLM"):
        bench.service.request_nodes("demo", "worker", 1, {})
    know_no_prices(bench, monkeypatch)
    (worker,) = bench.service.request_nodes("demo", "worker", 1, {})
    await bench.until(lambda: bench.state(worker.node_id) == "terminated")
    assert len(bench.golem.world.agreements) == agreements, "nothing was drafted"


async def test_starts_that_race_for_the_budget_do_not_overdraw_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.join(*(f"provider {number}" for number in range(6)), delay=2.0)
    await bench.start()
    head_id = await head(bench, budget="0.5", max_workers=5)  # carries the head and one worker
    await bench.until_running(head_id)
    know_no_prices(bench, monkeypatch)
    workers = bench.service.request_nodes("demo", "worker", 5, {})
    await bench.until(lambda: all(not bench.books.nodes.get(node.node_id).state.is_pending for node in workers))
    assert sum(bench.state(node.node_id) == "running" for node in workers) == 1
    assert len([name for name in bench.rented() if name.startswith("agreement")]) == 2


async def test_a_node_ended_while_it_starts_leaves_nothing(bench: Bench) -> None:
    """Whatever the start is waiting for at that moment."""
    bench.join("head's")
    await bench.start()
    head_id = await head(bench, budget="100")
    await bench.until_running(head_id)
    bench.join("slow", delay=1.5, command_seconds=1.5)
    for tenths in range(1, 120, 7):
        (worker,) = bench.service.request_nodes("demo", "worker", 1, {})
        await asyncio.sleep(tenths / 10)
        bench.service.terminate("demo", [worker.node_id])
        await bench.until(lambda node_id=worker.node_id: bench.state(node_id) == "terminated")  # type: ignore[misc]
        bench.join("slow", delay=1.5, command_seconds=1.5)  # offers again
        assert len(bench.rented()) == 2, f"left after {tenths / 10} s"
        assert len(bench.runtimes.of("demo-1").claims) == 1


async def test_a_head_that_refuses_the_tunnel_is_no_head(bench: Bench) -> None:
    bench.join("one")
    bench.gate.refuses_forward = True
    await bench.start()
    head_id = await head(bench)
    await bench.until_closed()
    assert "1 failed before" in bench.books.nodes.get(head_id).message
    assert not bench.rented()
    assert not bench.doors.are_open


async def test_a_start_that_crashes_ends_the_node(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    bench.join("one")
    monkeypatch.setattr("golem_bridge.clusters.starter.deploy_script", crash)
    await bench.start()
    head_id = await head(bench)
    await bench.until_closed()
    assert "failed unexpectedly" in bench.books.nodes.get(head_id).message
    assert not bench.rented()


async def test_a_cluster_that_has_used_up_its_addresses_says_so(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("golem_bridge.clusters.service.CAPACITY", 3)
    bench.join("one", "two")
    await bench.start()
    _, worker = await up(bench, workers=1)
    bench.service.terminate("demo", [worker])
    answer = await Doors(bench).head("demo-1").post("/v1/clusters/demo/nodes", json={"node_type": "worker", "count": 2})
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "over_limit"
    assert "2 of its 3 addresses are used up" in answer.json()["error"]["message"]
    assert len(bench.books.nodes.of_cluster("demo-1")) == 2
    await bench.until(lambda: bench.state(worker) == "terminated")
    bench.join("two")
    await bench.until_running(bench.service.request_nodes("demo", "worker", 1, {})[0].node_id)
