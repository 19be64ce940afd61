"""Events over the API, and answers held back until a cluster changes."""

from __future__ import annotations

import asyncio

from golem_bridge.money.ledger import EntryKind
from tests.unit.bridge.bench import Bench
from tests.unit.bridge.doors import Doors
from tests.unit.bridge.samples import spec

WORKER = "demo-1-worker-0002"


async def test_events_are_told_with_time_cluster_and_node(bench: Bench) -> None:
    events = (await Doors(bench).host.get("/v1/events", params={"limit": 1000})).json()["events"]
    first, last = events[0], events[-1]
    assert (first["cluster"], first["incarnation"], first["node_id"], first["kind"]) == ("demo", 1, None, "active")
    assert first["at"] == bench.clock.now().timestamp() - bench.clock.monotonic()
    assert (last["kind"], last["node_id"]) in {("running", "demo-1-head-0001"), ("running", WORKER)}
    assert [event["event_id"] for event in events] == sorted(event["event_id"] for event in events)


async def test_events_after_one_of_one_cluster(bench: Bench) -> None:
    host = Doors(bench).host
    last = (await host.get("/v1/events", params={"limit": 1})).json()["events"][0]["event_id"]
    bench.service.terminate("demo", [WORKER])
    news = (await host.get("/v1/events", params={"after": last})).json()["events"]
    assert news[0]["message"] == "Ended on request"
    assert (await host.get("/v1/events", params={"cluster": "other"})).json() == {"events": []}


async def test_limits_of_questions_are_checked(bench: Bench) -> None:
    host = Doors(bench).host
    for wrong in ("limit=0", "limit=1000000", "after=-1", "after=18446744073709551616"):
        assert (await host.get(f"/v1/events?{wrong}")).status_code == 422


async def version(bench: Bench) -> str:
    return str((await Doors(bench).host.get("/v1/clusters/demo")).json()["version"])


async def waiting(bench: Bench, seconds: float, seen: str | None = None) -> asyncio.Task[dict[str, object]]:
    """A request under way, given time to wait."""
    path = f"/v1/clusters/demo?wait={seconds}&version={seen or await version(bench)}"

    async def ask() -> dict[str, object]:
        answer = await Doors(bench).host.get(path)
        return dict(answer.json())

    task = asyncio.create_task(ask())
    await asyncio.sleep(0.5)
    return task


async def test_an_answer_waits_for_a_change(bench: Bench) -> None:
    before, task = await version(bench), await waiting(bench, 60)
    assert not task.done()
    bench.service.tag("demo", WORKER, {"a": "b"})
    assert (await task)["version"] != before


async def test_money_is_a_change_too(bench: Bench) -> None:
    task = await waiting(bench, 60)
    contract = bench.contract(WORKER)
    bench.books.ledger.accept(
        cluster_id="demo-1",
        agreement_id=contract.agreement_id,
        document_id="note",
        parts={EntryKind.ENV: 1},
        at=bench.clock.now(),
    )
    bench.books.changes.tell("demo-1")
    assert (await task)["accepted"] == "0.000000000000000001"


async def test_a_bell_without_news_is_not_answered(bench: Bench) -> None:
    task = await waiting(bench, 60)
    bench.books.changes.tell("demo-1")
    await asyncio.sleep(1)
    assert not task.done()
    await task


async def test_the_wait_ends_without_a_change(bench: Bench) -> None:
    before, begin = await version(bench), bench.clock.monotonic()
    assert (await (await waiting(bench, 20)))["version"] == before
    assert 20 <= bench.clock.monotonic() - begin < 22


async def test_an_old_version_is_answered_at_once(bench: Bench) -> None:
    assert (await waiting(bench, 60, seen="0")).done()


async def test_a_new_incarnation_is_a_change(bench: Bench) -> None:
    bench.service.close("demo")
    await bench.until_closed()
    task = await waiting(bench, 60)
    await bench.service.open("demo", spec())
    assert (await task)["incarnation"] == 2
