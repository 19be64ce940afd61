"""The snapshot cache: few calls, and never older than what is known."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ray_on_golem.errors import RayOnGolemError
from ray_on_golem.provider.records import NodeRecord, Records
from tests.unit.ray_plugin.fake_bridge import FakeBridge, node_view


class Clock:
    """Monotonic seconds, moved by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def records(bridge: FakeBridge, clock: Clock) -> Records:
    bridge.nodes = {name: node_view(name) for name in ("head-1", "worker-2")}
    return Records(bridge, "one", fresh=10, clock=clock)


def test_one_call_serves_all_nodes(records: Records, bridge: FakeBridge) -> None:
    records.refresh()
    for _ in range(100):
        assert records.get("head-1").is_running
        assert not records.get("worker-3").is_live
    assert bridge.calls == {"cluster": 1}


def test_a_snapshot_serves_only_while_it_is_fresh(records: Records, bridge: FakeBridge, clock: Clock) -> None:
    records.get("head-1")
    clock.now += 9.9
    records.get("head-1")
    assert bridge.calls["cluster"] == 1
    clock.now += 0.2
    bridge.nodes["head-1"]["state"] = "terminated"
    assert not records.get("head-1").is_live
    assert bridge.calls["cluster"] == 2


def test_what_the_bridge_answers_about_a_node_counts_at_once(records: Records) -> None:
    records.refresh()
    records.put(node_view("worker-2", "terminating"), node_view("worker-3", "requested"))
    assert not records.get("worker-2").is_live
    assert records.get("worker-3").is_live


def test_an_answer_under_way_does_not_undo_what_was_put(records: Records, bridge: FakeBridge) -> None:
    class Slow(FakeBridge):
        """Answers with the state of before, after a tag was set."""

        def cluster(self, name: str) -> dict[str, Any]:
            snapshot = super().cluster(name)
            if self.calls["cluster"] == 1:
                slow.put(node_view("worker-2", tags={"ray-node-status": "up-to-date"}), node_view("worker-9"))
            return snapshot

    late = Slow()
    late.nodes = dict(bridge.nodes)
    slow = Records(late, "one", clock=Clock())
    assert {record.node_id for record in slow.refresh()} == {"head-1", "worker-2", "worker-9"}
    assert slow.get("worker-2").tags == {"ray-node-status": "up-to-date"}
    slow.refresh()
    assert slow.get("worker-2").tags == {}
    assert not slow.get("worker-9").is_live


def test_an_unknown_cluster_has_no_nodes(records: Records, bridge: FakeBridge) -> None:
    bridge.fail["cluster"] = RayOnGolemError("No cluster", "unknown_cluster")
    assert records.refresh() == []
    bridge.fail["cluster"] = RayOnGolemError("Broken", "internal")
    with pytest.raises(RayOnGolemError, match="Broken"):
        records.refresh()


def test_many_threads_cause_one_call(bridge: FakeBridge) -> None:
    entered, release = threading.Event(), threading.Event()

    class Held(FakeBridge):
        def cluster(self, name: str) -> dict[str, Any]:
            entered.set()
            assert release.wait(5)
            return super().cluster(name)

    held = Held()
    held.nodes = {"head-1": node_view("head-1")}
    records = Records(held, "one", fresh=10)
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(records.get, "head-1") for _ in range(8)]
        assert entered.wait(5)
        release.set()
        assert all(answer.result(5).is_running for answer in answers)
    assert held.calls["cluster"] == 1


def test_threads_that_read_and_write_see_their_own_writes(records: Records, bridge: FakeBridge) -> None:
    def work(number: int) -> list[bool]:
        seen = []
        for step in range(50):
            records.put(bridge.tag("one", "head-1", {f"tag-{number}": str(step)}))
            records.refresh()
            seen.append(int(records.get("head-1").tags[f"tag-{number}"]) >= step)
        return seen

    with ThreadPoolExecutor(1) as writer, ThreadPoolExecutor(3) as readers:
        writing = writer.submit(work, 0)
        for reading in [readers.submit(records.refresh) for _ in range(200)]:
            assert len(reading.result(5)) == 2
        assert all(writing.result(5))


@pytest.mark.parametrize(
    ("wanted", "fits"), [({}, True), ({"a": "1"}, True), ({"a": "2"}, False), ({"a": "1", "c": "3"}, False)]
)
def test_tags_are_matched_exactly(wanted: dict[str, str], fits: bool) -> None:
    assert NodeRecord("n", "running", None, tags={"a": "1", "b": "2"}).matches(wanted) is fits
