"""A cluster of Ray 2.9.3 with the plug-in of Ray on Golem 0.13 inside, driven by the newest Ray and our plug-in.

The head's autoscaler asks upstream's plug-in for nodes, and that one the bridge, over upstream's 14 routes, through
the head's tunnel.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from appliance.bridge import Bridge
from appliance.paths import EXAMPLE
from appliance.settings import Settings
from appliance.settlement import check_chain, wait_for_settlement
from appliance.steps import Steps
from tests.e2e.cluster import ClusterFile, wait_until
from tests.e2e.conftest import MakeCluster
from tests.e2e.upstream import provide_image

pytestmark = pytest.mark.usefixtures("nothing_open")

VERSIONS = (
    'python -c "import ray, importlib.metadata as m; '
    "print('ray', ray.__version__, 'plug-in', m.version('ray-on-golem'))\""
)


@pytest.fixture(scope="module")
def cluster(make_cluster: MakeCluster, steps: Steps, settings: Settings) -> Iterator[ClusterFile]:
    made = make_cluster("older")
    made.parameters["node_config"]["demand"]["image_tag"] = provide_image(steps, settings)
    made.content["idle_timeout_minutes"] = 0.2
    made.write()
    outcome = made.up()
    assert outcome.code == 0, outcome.text
    yield made
    made.down()


def test_the_head_runs_what_upstream_released(cluster: ClusterFile) -> None:
    outcome = cluster.ray("exec", VERSIONS)
    assert outcome.code == 0, outcome.text
    assert "ray 2.9.3 plug-in 0.13.0" in outcome.text


def test_ray_status(cluster: ClusterFile) -> None:
    outcome = cluster.ray("exec", "ray status")
    assert outcome.code == 0, outcome.text
    assert "ray.head.default" in outcome.text


def test_tasks_spread_over_nodes_rented_for_them(cluster: ClusterFile, bridge: Bridge) -> None:
    outcome = cluster.ray("submit", EXAMPLE, "--", "--min-nodes", "3")
    assert outcome.code == 0, outcome.text
    assert all(f"(192.168.0.{host})" in outcome.text for host in (3, 4, 5)), outcome.text
    assert len(cluster.nodes(bridge)) == 3


def test_up_again_keeps_the_head(cluster: ClusterFile, bridge: Bridge) -> None:
    def head() -> list[str]:
        return [node.node_id for node in cluster.nodes(bridge) if "-head-" in node.node_id]

    before = head()
    outcome = cluster.ray("up", "--yes", "--no-restart")
    assert outcome.code == 0, outcome.text
    assert head() == before


def test_idle_workers_leave(cluster: ClusterFile, bridge: Bridge) -> None:
    wait_until(lambda: len(cluster.nodes(bridge)) == 1, 120, "idle workers to leave")


def test_down_ends_and_pays_everything(cluster: ClusterFile, bridge: Bridge, steps: Steps) -> None:
    outcome = cluster.down()
    assert outcome.code == 0, outcome.text
    bill = wait_for_settlement(steps, bridge, cluster.name)
    assert len(bill.lines) >= 3
    check_chain(steps, bridge.wallet(), bill)
