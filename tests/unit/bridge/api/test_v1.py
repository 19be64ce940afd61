"""The v1 routes, as the plug-in uses them, and the answers to what makes no sense."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from golem_bridge.clusters.states import ClusterState, NodeState
from golem_bridge.store.database import clusters, contracts
from tests.unit.bridge.bench import Bench
from tests.unit.bridge.clusters.test_close import up
from tests.unit.bridge.doors import TOKEN, WALLET, Doors
from tests.unit.bridge.samples import spec

SPEC = spec().model_dump(mode="json", exclude_none=True)


def error(answer: httpx.Response) -> tuple[int, str, str]:
    body = answer.json()["error"]
    return answer.status_code, body["code"], body["message"]


async def test_a_cluster_is_opened_filled_watched_billed_and_closed(bench: Bench, doors: Doors) -> None:
    bench.join("one", "two")
    await bench.start()
    host = doors.host
    opened = (await host.put("/v1/clusters/demo", json=SPEC)).json()
    assert (opened["state"], opened["incarnation"], opened["budget"], opened["wallet"]) == ("active", 1, "5", WALLET)
    answer = await host.post("/v1/clusters/demo/nodes", json={"node_type": "head", "count": 1, "tags": {"a": "1"}})
    (head,) = answer.json()["nodes"]
    assert (head["node_id"], head["state"], head["ip"]) == ("demo-1-head-0001", "requested", "192.168.0.3")
    waited = await host.get(f"/v1/clusters/demo/nodes/{head['node_id']}", params={"wait": 60, "until": "running"})
    assert waited.json()["state"] == "running"
    tagged = await host.patch(f"/v1/clusters/demo/nodes/{head['node_id']}/tags", json={"tags": {"b": "2"}})
    assert tagged.json()["tags"] == {"a": "1", "b": "2"}
    (listed,) = (await host.get("/v1/clusters")).json()["clusters"]
    assert (listed["name"], listed["committed"]) == ("demo", "0.19")
    assert (await host.get("/v1/clusters/demo/nodes/192.168.0.3")).json()["price_per_hour"] == "0.18"
    assert (await host.post("/v1/clusters/demo/close")).json()["state"] == "closing"
    await bench.until_closed()
    bill = (await host.get("/v1/clusters/demo/bill")).json()
    assert (bill["state"], bill["settled"], bill["total_accepted"]) == ("closed", True, bill["total_paid"])
    (line,) = bill["lines"]
    assert line["accepted"] == bill["total_accepted"] == line["payments"][0]["amount"]


async def test_a_bill_tells_what_earlier_incarnations_cost(bench: Bench, doors: Doors) -> None:
    bench.join("one")
    await bench.start()

    async def life() -> dict[str, Any]:
        await up(bench)
        bench.service.close("demo")
        await bench.until_closed()
        bill: dict[str, Any] = (await doors.host.get("/v1/clusters/demo/bill")).json()
        return bill

    first, second = await life(), await life()
    assert first["earlier"] == {"incarnations": 0, "accepted": "0", "paid": "0"}
    assert Decimal(first["total_accepted"]) > 0
    assert second["earlier"] == {"incarnations": 1, "accepted": first["total_accepted"], "paid": first["total_paid"]}
    third = await life()
    together = Decimal(first["total_paid"]) + Decimal(second["total_paid"])
    assert (third["earlier"]["incarnations"], Decimal(third["earlier"]["paid"])) == (2, together)


async def test_a_bill_leaves_out_other_networks_money_and_what_cost_nothing(bench: Bench, doors: Doors) -> None:
    bench.join("one")
    await bench.start()
    await up(bench)
    bench.service.close("demo")
    await bench.until_closed()
    await doors.host.put("/v1/clusters/demo", json=SPEC)
    bench.service.close("demo")
    await bench.until_closed()
    await doors.host.put("/v1/clusters/demo", json=SPEC)
    earlier = (await doors.host.get("/v1/clusters/demo/bill")).json()["earlier"]
    assert (earlier["incarnations"], Decimal(earlier["accepted"]) > 0) == (1, True)
    with bench.database.write() as connection:
        connection.execute(update(clusters).where(clusters.c.incarnation < 3).values(golem_network="polygon"))
    earlier = (await doors.host.get("/v1/clusters/demo/bill")).json()["earlier"]
    assert earlier == {"incarnations": 0, "accepted": "0", "paid": "0"}


async def test_an_incarnation_that_waits_for_its_bills_is_told_also_when_a_later_one_is_over(
    bench: Bench, doors: Doors
) -> None:
    (mute,) = bench.join("mute", sends_invoices=False)
    await bench.start()
    await up(bench)
    bench.service.close("demo")
    await bench.until(lambda: not bench.rented(), seconds=10)
    mute.sends_invoices = True
    await up(bench)
    bench.service.close("demo")
    await bench.until(lambda: bench.service.get("demo").state is ClusterState.CLOSED, seconds=30)
    told = (await doors.host.get("/v1/clusters")).json()
    assert [(cluster["incarnation"], cluster["state"]) for cluster in told["clusters"]] == [(2, "closed")]
    assert told["closing"] == ["demo"]
    await bench.until(lambda: not bench.books.clusters.unfinished())
    assert (await doors.host.get("/v1/clusters")).json()["closing"] == []


async def test_nodes_of_an_earlier_incarnation_are_told_until_they_are_gone(bench: Bench, doors: Doors) -> None:
    (lost,) = bench.join("lost")
    await bench.start()
    (former,) = await up(bench)
    lost.vanished = True
    bench.service.close("demo")
    bench.join("two")
    (head,) = await up(bench)
    told = (await doors.host.get("/v1/clusters")).json()
    assert [node["node_id"] for cluster in told["clusters"] for node in cluster["nodes"]] == [head]
    assert [(node["node_id"], node["state"]) for node in told["ending"]["demo"]] == [(former, "terminating")]
    await bench.until(lambda: bench.state(former) == "terminated")
    assert (await doors.host.get("/v1/clusters")).json()["ending"] == {}


async def test_a_price_nobody_can_write_down_stops_nothing(bench: Bench, doors: Doors) -> None:
    """Bridges before this one signed such offers, and their prices stay in the books."""
    bench.join("one")
    await bench.start()
    (head,) = await up(bench)
    with bench.database.write() as connection:
        connection.execute(update(contracts).values(price=json.dumps(["1E-1000000"] * 3)))
    (listed,) = (await doors.host.get("/v1/clusters")).json()["clusters"]
    (node,) = listed["nodes"]
    assert (node["node_id"], node["price_start"], node["price_per_hour"], listed["committed"]) == (head, "0", "0", "0")
    await doors.host.post("/v1/clusters/demo/close")
    await bench.until_closed()
    assert (await doors.host.get("/v1/clusters/demo/bill")).json()["state"] == "closed"


async def test_a_long_poll_tells_each_new_message_and_gives_up_in_time(bench: Bench, doors: Doors) -> None:
    bench.join("one", command_seconds=5.0)
    await bench.start()
    await bench.service.open("demo", spec())
    (node,) = bench.service.request_nodes("demo", "head", 1, {})
    seen, messages = node.message, list[str]()
    while not messages or bench.books.nodes.get(node.node_id).state is not NodeState.RUNNING:
        answer = await doors.host.get(
            f"/v1/clusters/demo/nodes/{node.node_id}",
            params={"wait": 30, "until": "running", "message_after": seen},
        )
        seen = answer.json()["message"]
        messages.append(seen)
    assert messages[-1] == "Running on one"
    assert len(set(messages)) == len(messages) > 3
    bench.golem.down = True
    (stuck,) = bench.service.request_nodes("demo", "worker", 1, {})
    began = bench.clock.monotonic()
    await doors.host.get(f"/v1/clusters/demo/nodes/{stuck.node_id}", params={"wait": 7, "until": "running"})
    assert bench.clock.monotonic() - began == pytest.approx(7, abs=0.1)


async def test_a_long_poll_ends_when_the_node_does(bench: Bench, doors: Doors) -> None:
    await bench.start()
    await bench.service.open("demo", spec())
    (node,) = bench.service.request_nodes("demo", "head", 1, {})
    waiting = asyncio.create_task(
        doors.host.get(f"/v1/clusters/demo/nodes/{node.node_id}", params={"wait": 60, "until": "running"})
    )
    await asyncio.sleep(1)
    bench.service.close("demo")
    began = bench.clock.monotonic()
    assert (await waiting).json()["state"] in {"terminating", "terminated"}
    assert bench.clock.monotonic() - began < 1


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"total_buget": "5"}, "did you mean 'total_budget'?"),
        ({"total_budget": "0"}, "total_budget"),
        ({"total_budget": "NaN"}, "total_budget"),
        ({"total_budget": "-1"}, "total_budget"),
        ({"max_workers": -1}, "max_workers"),
        ({"head_node_type": "tail"}, "'tail' is not among node_types (head, worker)"),
        ({"ssh_public_key": "ssh-ed25519 AAAA\nssh-ed25519 BBBB"}, "ssh_public_key"),
        ({"node_types": {"head": {"demand": {}}}}, "exactly one of image_tag and image_hash"),
        ({"node_types": {"head": {"demand": {"image_tag": "a", "min_mem_gb": 1}}}}, "did you mean 'min_mem_gib'?"),
    ],
)
async def test_a_bad_cluster_file_is_explained(
    bench: Bench, doors: Doors, change: dict[str, object], part: str
) -> None:
    status, code, message = error(await doors.host.put("/v1/clusters/demo", json={**SPEC, **change}))
    assert (status, code) == (422, "bad_input")
    assert part in message
    assert bench.books.clusters.latest("demo") is None


@pytest.mark.parametrize("key", ["k" * 100_000, "\ud800", "\x1b[2J"])
@pytest.mark.parametrize("value", [1, {"\x1b" * 1000: "\ud800" * 1000}])
async def test_mistakes_are_told_shortly_and_printably(bench: Bench, doors: Doors, key: str, value: object) -> None:
    headers = {"Content-Type": "application/json"}
    for body in ({**SPEC, key: value}, {**SPEC, "node_types": {key: value}}, {**SPEC, "max_workers": value, key: 1}):
        answer = await doors.host.put("/v1/clusters/demo", content=json.dumps(body), headers=headers)
        status, code, message = error(answer)
        assert (status, code) == (422, "bad_input")
        assert len(message) < 1000
        assert message.isprintable()


@pytest.mark.parametrize("name", ["-demo", ".demo", "a" * 64, "a b", "a%0Ab", "d\u00e9mo"])
async def test_a_bad_name_opens_nothing(bench: Bench, doors: Doors, name: str) -> None:
    assert (await doors.host.put(f"/v1/clusters/{name}", json=SPEC)).status_code == 422
    assert not bench.books.clusters.all_latest()


async def test_an_unknown_image_opens_nothing(bench: Bench, doors: Doors) -> None:
    node_types = {"head": {"demand": {"image_tag": "unknown"}}}
    answer = await doors.host.put("/v1/clusters/demo", json={**SPEC, "node_types": node_types})
    assert error(answer)[:2] == (422, "bad_input")
    assert not await bench.golem.allocations()
    assert bench.books.clusters.latest("demo") is None


async def test_an_unknown_image_changes_nothing_of_a_live_cluster(bench: Bench, doors: Doors) -> None:
    bench.join("one")
    await bench.start()
    await up(bench)
    node_types = {"head": {"demand": {"image_tag": "unknown"}}}
    answer = await doors.host.put("/v1/clusters/demo", json={**SPEC, "total_budget": "9", "node_types": node_types})
    assert answer.status_code == 422
    assert bench.service.get("demo").budget == 5
    assert [row.total for row in await bench.golem.allocations()] == [5]


async def test_a_wallet_too_poor_opens_nothing(bench: Bench, doors: Doors) -> None:
    await bench.start()
    status, code, message = error(await doors.host.put("/v1/clusters/demo", json={**SPEC, "total_budget": "1001"}))
    assert (status, code) == (409, "budget")
    assert "The wallet cannot set 1001 GLM aside — available: 1000 GLM" in message
    await bench.until_closed()
    assert not await bench.golem.allocations()


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("GET", "/v1/clusters/nobody", None, (404, "unknown_cluster")),
        ("GET", "/v1/clusters/demo/nodes/nobody", None, (404, "unknown_node")),
        ("GET", "/v1/clusters/demo/nodes/x?wait=61", None, (422, "bad_input")),
        ("GET", "/v1/clusters/demo/nodes/x?wait=nan", None, (422, "bad_input")),
        ("POST", "/v1/clusters/demo/nodes", {"node_type": "gpu", "count": 1}, (422, "bad_input")),
        ("POST", "/v1/clusters/demo/nodes", {"node_type": "worker", "count": 0}, (422, "bad_input")),
        ("POST", "/v1/clusters/demo/nodes", {"node_type": "worker", "count": 4}, (409, "over_limit")),
        ("POST", "/v1/clusters/demo/nodes", {"node_type": "worker", "count": 1, "x": 1}, (422, "bad_input")),
        ("DELETE", "/v1/clusters/demo", None, (405, "bad_input")),
        ("GET", "/nowhere", None, (404, "bad_input")),
    ],
)
async def test_what_makes_no_sense_is_said_in_one_shape(
    bench: Bench, doors: Doors, method: str, path: str, body: object, expected: tuple[int, str]
) -> None:
    bench.join("one")
    await bench.start()
    await up(bench)
    status, code, message = error(await doors.host.request(method, path, json=body))
    assert (status, code) == expected
    assert " — " in message
    assert "Traceback" not in message


async def test_yagna_being_down_is_said(bench: Bench, doors: Doors) -> None:
    assert (await doors.host.get("/v1/health/ready")).json()["ready"] is True
    bench.golem.down = True
    assert error(await doors.host.get("/v1/health/ready"))[:2] == (503, "yagna_unavailable")
    assert (await doors.host.get("/v1/health/live")).json() == {"alive": True}


async def test_a_crash_is_an_answer_without_details(
    bench: Bench, doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash() -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(bench.books.clusters, "all_latest", crash)
    transport = doors.host._transport
    assert isinstance(transport, httpx.ASGITransport)
    transport.raise_app_exceptions = False
    answer = await doors.host.get("/v1/clusters", headers={"Authorization": f"Bearer {TOKEN}"})
    assert error(answer) == (500, "internal", "The bridge failed unexpectedly — see: docker compose logs bridge")
