"""Providers that misbehave, by the devnet's fault switchboard: others take their place, nothing is overpaid.

The last tests of this folder: what is not invoiced as agreed keeps its cluster closing for a quarter of an hour.
"""

from __future__ import annotations

import re

from appliance.bridge import Bridge
from tests.e2e.cluster import ClusterFile, wait_until
from tests.e2e.conftest import MakeCluster, Switchboard

REPLACED = 60
"""Seconds after which another node has taken the place of one whose provider vanished, Ray's word for it."""


def end(cluster: ClusterFile, bridge: Bridge) -> None:
    assert cluster.down().code == 0
    wait_until(lambda: not cluster.nodes(bridge), 60, "all nodes to end")


def alive(cluster: ClusterFile) -> set[str]:
    """Addresses of the nodes that Ray takes for alive."""
    return set(re.findall(r"^alive (\S+)", cluster.ray("exec", SHOW_ALIVE).text, re.MULTILINE))


SHOW_ALIVE = (
    'python -c "import ray; ray.init(logging_level=40); '
    "[print('alive', node['NodeManagerAddress']) for node in ray.nodes() if node['Alive']]\""
)


def test_refusing_and_failing_providers_are_passed_over(
    make_cluster: MakeCluster, bridge: Bridge, switchboard: Switchboard
) -> None:
    """alder and birch are the cheapest."""
    switchboard("set", "alder", "agreements=refuse")
    switchboard("set", "birch", "deploy=false")
    cluster = make_cluster("picky")
    outcome = cluster.up()
    assert outcome.code == 0, outcome.text
    assert [node.provider for node in cluster.nodes(bridge)] == ["cedar"], outcome.text
    end(cluster, bridge)


def test_a_vanished_worker_is_replaced(make_cluster: MakeCluster, bridge: Bridge, switchboard: Switchboard) -> None:
    cluster = make_cluster("lost")
    cluster.content["available_node_types"]["ray.worker.default"]["min_workers"] = 1
    cluster.write()
    outcome = cluster.up()
    assert outcome.code == 0, outcome.text

    def worker() -> str | None:
        """The provider of the running worker."""
        nodes = [node for node in cluster.nodes(bridge) if "-worker-" in node.node_id and node.state == "running"]
        return nodes[0].provider if nodes else None

    wait_until(lambda: len(alive(cluster)) == 2, 60, "the worker")
    lost, before = worker(), alive(cluster)
    assert lost is not None
    switchboard("vanish", lost)
    wait_until(lambda: len(now := alive(cluster)) == 2 and now != before, REPLACED, "another worker")
    assert worker() not in {None, lost}
    assert cluster.down().code == 0
    wait_until(
        lambda: all(node.provider == lost for node in cluster.nodes(bridge)),
        60,
        "all nodes to end whose providers can be reached",
    )


def test_overpriced_papers_are_not_paid(make_cluster: MakeCluster, bridge: Bridge, switchboard: Switchboard) -> None:
    for provider in ("alder", "birch", "cedar", "dogwood", "elm"):
        switchboard("set", provider, "debit_notes=over-priced")
    cluster = make_cluster("dear")
    outcome = cluster.up()
    assert outcome.code == 0, outcome.text
    cluster.ray("exec", "sleep 12")  # a debit note comes every 10 s
    end(cluster, bridge)
    bill = bridge.bill(cluster.name)
    assert bill.total_accepted == 0
    assert bill.total_paid == 0
