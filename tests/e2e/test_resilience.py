"""Things die while a job runs: the job goes on, nothing is rented twice, nothing stays rented."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from appliance.bridge import Bridge
from appliance.settlement import wait_for_settlement
from appliance.steps import Steps
from tests.e2e.cluster import ClusterFile, wait_until
from tests.e2e.conftest import MakeCluster, Switchboard
from tests.e2e.crashes import (
    answers,
    ask_door,
    check_down_pays,
    health,
    kill_main_process,
    restart,
    running,
    start_job,
    take_along,
    tunnel_is_up,
    wait_for_job,
)

TUNNEL_LIMIT = 20
"""Seconds within which a cut tunnel is up again."""


@pytest.fixture(scope="module")
def cluster(make_cluster: MakeCluster) -> Iterator[ClusterFile]:
    made = make_cluster("tough")
    outcome = made.up()
    assert outcome.code == 0, outcome.text
    take_along(made)
    yield made
    made.down()


def test_a_job_outlives_a_killed_bridge(cluster: ClusterFile, bridge: Bridge) -> None:
    start_job(cluster, "killed-bridge")
    wait_until(lambda: len(running(bridge, cluster)) == 3, 120, "three nodes to run")
    before = running(bridge, cluster)
    kill_main_process("bridge")
    wait_until(lambda: answers(bridge), 60, "the bridge to come back")
    assert running(bridge, cluster) == before
    wait_for_job(cluster, "killed-bridge")
    assert set(running(bridge, cluster)) <= set(before)


def test_scaling_works_through_the_restored_tunnel(cluster: ClusterFile, bridge: Bridge) -> None:
    wait_until(lambda: len(running(bridge, cluster)) == 1, 150, "idle workers to leave")
    outcome = cluster.ray("exec", "python tasks.py --min-nodes 2 --count 40")
    assert outcome.code == 0, outcome.text


def test_a_cut_tunnel_is_restored(cluster: ClusterFile) -> None:
    outcome = cluster.ray("exec", "python cut_tunnel.py")
    assert outcome.code == 0, outcome.text
    wait_until(lambda: "door says 200" in ask_door(cluster, cluster.name), TUNNEL_LIMIT, "the tunnel to be up again")


def test_a_silent_link_is_noticed_and_restored(cluster: ClusterFile, bridge: Bridge, switchboard: Switchboard) -> None:
    """No frame passes between the head and anybody: nobody hangs up, nothing is refused."""
    (head,) = [node for node in cluster.nodes(bridge) if "-head-" in node.node_id]
    switchboard("set", str(head.provider), "vpn=false")
    wait_until(lambda: not tunnel_is_up(cluster), TUNNEL_LIMIT, "the bridge to notice")
    switchboard("clear", str(head.provider))
    wait_until(lambda: tunnel_is_up(cluster), TUNNEL_LIMIT, "the tunnel to be up again")
    outcome = cluster.ray("exec", "python tasks.py --min-nodes 2 --count 40")
    assert outcome.code == 0, outcome.text


def test_two_clusters_know_nothing_of_each_other(
    cluster: ClusterFile, make_cluster: MakeCluster, bridge: Bridge, steps: Steps
) -> None:
    other = make_cluster("other")
    other.have_no_workers()
    outcome = other.up()
    assert outcome.code == 0, outcome.text
    take_along(other)
    assert "door says 200" in ask_door(other, other.name)
    foreign = ask_door(other, cluster.name)
    assert "door says 403" in foreign
    assert "belongs to cluster" in foreign
    assert cluster.name + "-1-head" not in foreign
    assert other.down().code == 0
    assert len(running(bridge, cluster)) >= 1
    for bill, owner in ((wait_for_settlement(steps, bridge, other.name), other), (bridge.bill(cluster.name), cluster)):
        assert bill.lines
        assert all(line.node_id.startswith(f"{owner.name}-") for line in bill.lines), bill


@pytest.mark.parametrize(("service", "interrupt"), [("chain", restart), ("prometheus", kill_main_process)])
def test_a_job_outlives_an_interrupted_container(
    cluster: ClusterFile, bridge: Bridge, service: str, interrupt: Callable[[str], None]
) -> None:
    """The devnet's chain is only restarted: killed, it forgets its last seconds, as no public chain does."""
    start_job(cluster, service)
    wait_until(lambda: len(running(bridge, cluster)) == 3, 120, "three nodes to run")
    before = running(bridge, cluster)
    interrupt(service)
    wait_until(lambda: health(service) == "healthy", 90, f"{service} to be healthy again")
    wait_for_job(cluster, service)
    assert set(running(bridge, cluster)) <= set(before)


def test_everything_is_paid_in_the_end(cluster: ClusterFile, bridge: Bridge, steps: Steps) -> None:
    check_down_pays(cluster, bridge, steps)
