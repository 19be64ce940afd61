"""The main job: a cluster file, Ray's commands, a job that needs more nodes, the bill."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from appliance.bridge import Bridge, prometheus
from appliance.paths import EXAMPLE
from appliance.settings import Settings
from appliance.settlement import check_chain, check_nothing_open, wait_for_settlement
from appliance.steps import Steps
from tests.e2e.cluster import ClusterFile, wait_until
from tests.e2e.conftest import MakeCluster


@pytest.fixture(scope="module")
def begin() -> float:
    return time.time()


@pytest.fixture(scope="module")
def cluster(make_cluster: MakeCluster, begin: float) -> Iterator[ClusterFile]:
    made = make_cluster("light")
    made.content["idle_timeout_minutes"] = 0.4
    made.write()
    outcome = made.up()
    assert outcome.code == 0, outcome.text
    for expected in ("network: devnet", "wallet: 0x", "budget: 5 GLM", "Running on"):
        assert expected in outcome.text
    yield made
    made.down()


def test_exec_runs_on_the_head(cluster: ClusterFile) -> None:
    outcome = cluster.ray("exec", "hostname && getent hosts 192-168-0-4 && ray status")
    assert outcome.code == 0, outcome.text
    assert "192.168.0.4" in outcome.text  # nodes know each other by name before they come
    assert "192-168-0-3" in outcome.text
    assert "ray.head.default" in outcome.text


def test_tasks_spread_over_nodes_rented_for_them(cluster: ClusterFile) -> None:
    outcome = cluster.ray("submit", EXAMPLE, "--", "--min-nodes", "3")
    assert outcome.code == 0, outcome.text
    assert all(f"(192.168.0.{host})" in outcome.text for host in (3, 4, 5)), outcome.text


def test_addresses_are_told(cluster: ClusterFile) -> None:
    """The workers' first: they leave soon."""
    workers = cluster.ray("get-worker-ips").text.split()
    assert {"192.168.0.4", "192.168.0.5"} <= set(workers), workers
    assert cluster.ray("get-head-ip").text.strip().endswith("192.168.0.3")


def test_attach_opens_a_shell_on_the_head(cluster: ClusterFile) -> None:
    outcome = cluster.run("ray", "attach", cluster.path, typed="echo $HOSTNAME-$((6 * 7))\nexit\n")
    assert outcome.code == 0, outcome.text
    assert "192-168-0-3-42" in outcome.text


def test_files_go_up_and_come_down(cluster: ClusterFile) -> None:
    source, target = cluster.folder / "there.bin", cluster.folder / "back.bin"
    source.write_bytes(bytes(range(256)) * 4096)
    assert cluster.ray("rsync-up", source, "/root/there.bin").code == 0
    assert cluster.ray("rsync-down", "/root/there.bin", target).code == 0
    assert target.read_bytes() == source.read_bytes()


def test_up_again_changes_nothing(cluster: ClusterFile, bridge: Bridge) -> None:
    head = [node.node_id for node in bridge.live_nodes() if "head" in node.node_id]
    outcome = cluster.ray("up", "--yes", "--no-restart")
    assert outcome.code == 0, outcome.text
    assert [node.node_id for node in bridge.live_nodes() if "head" in node.node_id] == head


def test_idle_workers_leave(cluster: ClusterFile, bridge: Bridge) -> None:
    wait_until(lambda: len(cluster.nodes(bridge)) == 1, 90, "idle workers to leave")


def test_down_ends_and_pays_everything(
    cluster: ClusterFile, bridge: Bridge, steps: Steps, settings: Settings, begin: float
) -> None:
    outcome = cluster.down()
    assert outcome.code == 0, outcome.text
    bill = wait_for_settlement(steps, bridge, cluster.name)
    assert len(bill.lines) >= 3
    assert bill.total_paid > 0
    check_chain(steps, bridge.wallet(), bill)
    check_nothing_open(steps)


def test_prometheus_saw_nodes_come_and_go(cluster: ClusterFile, settings: Settings, begin: float) -> None:
    time.sleep(6)  # one scrape after the last change
    span = {"start": begin, "end": time.time(), "step": 5.0}
    nodes = prometheus(settings, f'sum(rayongolem_nodes{{cluster="{cluster.name}",state="running"}})', **span)
    counts = [int(float(value)) for _, value in nodes[0]["values"]]
    assert max(counts) == 3
    assert counts[-1] == 0
    spend = prometheus(settings, f'sum(rayongolem_spend_glm_total{{cluster="{cluster.name}"}})', **span)
    amounts = [float(value) for _, value in spend[0]["values"]]
    assert amounts[0] < amounts[-1]
    assert amounts == sorted(amounts)


def test_the_same_name_starts_while_its_last_bills_are_paid(cluster: ClusterFile, bridge: Bridge, steps: Steps) -> None:
    """Twice at once: what the second start finds is still closing."""
    for incarnation in (2, 3):
        outcome = cluster.up()
        assert outcome.code == 0, outcome.text
        heads = [node.node_id for node in cluster.nodes(bridge) if node.state == "running"]
        assert heads == [f"{cluster.name}-{incarnation}-head-0001"]
        assert "the answer is 42" in cluster.ray("exec", "echo the answer is $((6 * 7))").text
        assert cluster.down().code == 0
        assert cluster.name in bridge.closing_clusters()
        assert [node for node in cluster.nodes(bridge) if node.state != "terminating"] == []
    wait_for_settlement(steps, bridge, cluster.name)
    wait_until(lambda: cluster.name not in bridge.closing_clusters(), 120, "the second incarnation's bills to be paid")
    check_nothing_open(steps)
