"""Things die while a job runs: the job goes on, nothing is rented twice, nothing stays rented."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.bridge import Bridge
from appliance.paths import EXAMPLE, ROOT
from appliance.settlement import check_chain, check_nothing_open, wait_for_settlement
from appliance.steps import StepError, Steps
from tests.e2e.cluster import ClusterFile, wait_until
from tests.e2e.conftest import MakeCluster

INSIDE = Path(__file__).parent / "inside"
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


def test_two_clusters_know_nothing_of_each_other(
    cluster: ClusterFile, make_cluster: MakeCluster, bridge: Bridge
) -> None:
    other = make_cluster("other")
    other.content["max_workers"] = 0
    other.content["available_node_types"]["ray.worker.default"]["max_workers"] = 0
    other.write()
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


@pytest.mark.parametrize("service", ["chain", "prometheus"])
def test_a_job_outlives_a_killed_container(cluster: ClusterFile, bridge: Bridge, service: str) -> None:
    start_job(cluster, service)
    wait_until(lambda: len(running(bridge, cluster)) == 3, 120, "three nodes to run")
    before = running(bridge, cluster)
    kill_main_process(service)
    wait_until(lambda: health(service) == "healthy", 90, f"{service} to be healthy again")
    wait_for_job(cluster, service)
    assert set(running(bridge, cluster)) <= set(before)


def test_everything_is_paid_in_the_end(cluster: ClusterFile, bridge: Bridge, steps: Steps) -> None:
    assert cluster.down().code == 0
    bill = wait_for_settlement(steps, bridge, cluster.name)
    check_chain(steps, bridge.wallet(), bill)
    wait_until(lambda: not cluster.nodes(bridge), 60, "all nodes to end")
    check_nothing_open(steps)


def ask_door(cluster: ClusterFile, name: str) -> str:
    """What the head's own door says of a cluster, asked from inside the head."""
    said = cluster.ray("exec", f"python ask_door.py GET /v1/clusters/{name}").text
    return "".join(line for line in said.splitlines() if line.startswith("door "))


def take_along(cluster: ClusterFile) -> None:
    """Copy what is run on the head to it."""
    for script in (EXAMPLE, INSIDE / "ask_door.py", INSIDE / "cut_tunnel.py"):
        outcome = cluster.ray("rsync-up", script, f"/root/{script.name}")
        assert outcome.code == 0, outcome.text


def start_job(cluster: ClusterFile, name: str) -> None:
    """More tasks than one node does soon, in the background of the head."""
    job = f"nohup python tasks.py --count 80 --seconds 1 --min-nodes 3 > {name}.log 2>&1 &"
    outcome = cluster.ray("exec", job)
    assert outcome.code == 0, outcome.text


def wait_for_job(cluster: ClusterFile, name: str) -> None:
    wait_until(lambda: " tasks in " in cluster.ray("exec", f"cat {name}.log").text, 200, "the job to finish")


def running(bridge: Bridge, cluster: ClusterFile) -> list[str]:
    """Ids of a cluster's running nodes."""
    return sorted(node.node_id for node in cluster.nodes(bridge) if node.state == "running")


def answers(bridge: Bridge) -> bool:
    try:
        bridge.wallet()
    except StepError:
        return False
    return True


def health(service: str) -> str:
    return ask_docker("inspect", "--format", "{{.State.Health.Status}}", container_of(service))


def container_of(service: str) -> str:
    return ask_docker("compose", "ps", "--quiet", service)


def kill_main_process(service: str) -> None:
    """SIGKILL to the container's own program, below its init: a crash, after which Docker starts it again."""
    init = ask_docker("inspect", "--format", "{{.State.Pid}}", container_of(service))
    children = ask("ps", "-o", "pid=", "--ppid", init).split()
    os.kill(int(children[0]), signal.SIGKILL)


def ask_docker(*arguments: str) -> str:
    return ask("docker", *arguments)


def ask(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout.strip()
