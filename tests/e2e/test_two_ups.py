"""Two ``ray up`` of one cluster, one before the other has ended."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from appliance.bridge import Bridge
from tests.e2e.cluster import ClusterFile, wait_until
from tests.e2e.conftest import MakeCluster


def at_once(cluster: ClusterFile, bridge: Bridge) -> None:
    """The second begins with the first."""


def when_the_head_runs(cluster: ClusterFile, bridge: Bridge) -> None:
    """The second begins while Ray is being started on the first one's head."""
    wait_until(lambda: any(node.state == "running" for node in cluster.nodes(bridge)), 60, "the head to run")


@pytest.mark.parametrize("wait", [at_once, when_the_head_runs])
def test_they_rent_one_head(
    make_cluster: MakeCluster, bridge: Bridge, wait: Callable[[ClusterFile, Bridge], None]
) -> None:
    """One says that the other goes on, unless that one has ended before; either way the cluster is as one made it."""
    cluster = make_cluster("twice")
    cluster.have_no_workers()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(cluster.up)
        wait(cluster, bridge)
        second = pool.submit(cluster.up)
    try:
        winner, loser = sorted((first.result(), second.result()), key=lambda outcome: outcome.code)
        assert winner.code == 0, winner.text + loser.text
        assert loser.code == 0 or "Another ray up of cluster" in loser.text, loser.text
        assert [node.node_id for node in cluster.nodes(bridge)] == [f"{cluster.name}-1-head-0001"]
        assert cluster.ray("exec", "ray status").code == 0
    finally:
        assert cluster.down().code == 0
