"""The devnet's container is killed while a cluster runs: the machines of all providers lose power at once.

The cluster ends by itself, what it owes is paid, and the same name starts again on the providers that are back.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from appliance.bridge import Bridge
from appliance.steps import Steps
from tests.e2e.cluster import ClusterFile, wait_until
from tests.e2e.conftest import MakeCluster
from tests.e2e.crashes import Running, check_down_pays, check_paid, kill_main_process
from tests.e2e.told import told_of

NOTICED = 60
"""Seconds within which the bridge knows that the nodes are gone, and says so."""

BACK = 60
"""Seconds within which the devnet is healthy again by itself."""


@pytest.fixture(scope="module")
def cluster(make_cluster: MakeCluster) -> Iterator[ClusterFile]:
    """A head and a worker that have both been billed for something."""
    made = make_cluster("dark")
    made.content["available_node_types"]["ray.worker.default"]["min_workers"] = 1
    made.write()
    outcome = made.up()
    assert outcome.code == 0, outcome.text
    wait_until(lambda: has_billed_nodes(made, 2), 90, "a debit note of each node")
    yield made
    made.down()


def has_billed_nodes(cluster: ClusterFile, count: int) -> bool:
    nodes = told_of(cluster).nodes
    return len(nodes) == count and all(node.state == "running" and node.spent > 0 for node in nodes)


def test_the_nodes_are_given_up_and_the_devnet_comes_back(cluster: ClusterFile) -> None:
    devnet = Running.now("devnet")
    kill_main_process("devnet")
    wait_until(lambda: told_of(cluster).state != "active", NOTICED, "the bridge to notice")
    told = told_of(cluster)
    assert [node.reason for node in told.nodes] == ["provider_lost", "provider_lost"], told
    assert all(" is gone: " in node.message for node in told.nodes), told
    wait_until(devnet.is_back, BACK, "the devnet to be healthy again")


def test_the_cluster_ends_by_itself_and_is_paid(cluster: ClusterFile, bridge: Bridge, steps: Steps) -> None:
    bill = check_paid(cluster, bridge, steps)
    assert len(bill.lines) == 2
    assert all(line.paid > 0 for line in bill.lines), bill


def test_the_same_name_starts_again(cluster: ClusterFile, bridge: Bridge, steps: Steps) -> None:
    cluster.have_no_workers()
    outcome = cluster.up()
    assert outcome.code == 0, outcome.text
    assert told_of(cluster).incarnation == 2
    assert [node.node_id for node in cluster.nodes(bridge)] == [f"{cluster.name}-2-head-0001"]
    assert "the answer is 42" in cluster.ray("exec", "echo the answer is $((6 * 7))").text
    check_down_pays(cluster, bridge, steps)
