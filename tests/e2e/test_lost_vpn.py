"""yagna dies while a job runs and loses the VPN: from then on the nodes are reached through their exe-units."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from appliance.bridge import Bridge
from appliance.steps import Steps
from tests.e2e.cluster import ClusterFile, wait_until
from tests.e2e.conftest import MakeCluster
from tests.e2e.crashes import (
    answers,
    ask_door,
    check_down_pays,
    health,
    kill_main_process,
    running,
    start_job,
    take_along,
    wait_for_job,
)


@pytest.fixture(scope="module")
def cluster(make_cluster: MakeCluster) -> Iterator[ClusterFile]:
    made = make_cluster("astray")
    outcome = made.up()
    assert outcome.code == 0, outcome.text
    take_along(made)
    yield made
    made.down()


def test_a_job_outlives_a_killed_yagna(cluster: ClusterFile, bridge: Bridge) -> None:
    start_job(cluster, "yagna")
    wait_until(lambda: len(running(bridge, cluster)) == 3, 120, "three nodes to run")
    before = running(bridge, cluster)
    kill_main_process("yagna")
    wait_until(lambda: health("yagna") == "healthy", 180, "yagna to be healthy again")
    wait_for_job(cluster, "yagna")
    assert set(running(bridge, cluster)) <= set(before)


def test_scaling_works_without_the_vpn(cluster: ClusterFile, bridge: Bridge) -> None:
    wait_until(lambda: len(running(bridge, cluster)) == 1, 150, "idle workers to leave")
    outcome = cluster.ray("exec", "python tasks.py --min-nodes 2 --count 40")
    assert outcome.code == 0, outcome.text


def test_the_bridge_finds_its_way_without_the_vpn(cluster: ClusterFile, bridge: Bridge) -> None:
    before = running(bridge, cluster)
    kill_main_process("bridge")
    wait_until(lambda: answers(bridge), 60, "the bridge to come back")
    assert set(running(bridge, cluster)) <= set(before)
    wait_until(lambda: "door says 200" in ask_door(cluster, cluster.name), 60, "the head to reach the bridge")


def test_everything_is_paid_in_the_end(cluster: ClusterFile, bridge: Bridge, steps: Steps) -> None:
    check_down_pays(cluster, bridge, steps)
