"""Two ``ray up`` of one cluster at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from appliance.bridge import Bridge
from tests.e2e.conftest import MakeCluster


def test_they_rent_one_head(make_cluster: MakeCluster, bridge: Bridge) -> None:
    """The later one says that the other goes on, or, if it finds the head already, waits for it as any ``ray up``."""
    cluster = make_cluster("twice")
    cluster.have_no_workers()
    with ThreadPoolExecutor(2) as pool:
        outcomes = [future.result() for future in [pool.submit(cluster.up) for _ in range(2)]]
    first, second = sorted(outcomes, key=lambda outcome: outcome.code)
    assert first.code == 0, first.text + second.text
    assert second.code == 0 or "Another ray up of cluster" in second.text, second.text
    assert [node.node_id for node in cluster.nodes(bridge)] == [f"{cluster.name}-1-head-0001"]
    assert cluster.down().code == 0
