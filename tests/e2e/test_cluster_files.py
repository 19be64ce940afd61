"""Other cluster files than the appliance's own one: the least Ray takes, all keys there are, and upstream's keys.

Only name, token and port are changed, and in upstream's style the image and the network: its own are on public ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.bridge import Bridge
from appliance.paths import EXAMPLE, ROOT
from appliance.settlement import check_chain, wait_for_settlement
from appliance.steps import Steps
from tests.e2e.cluster import ClusterFile
from tests.e2e.conftest import MakeCluster

pytestmark = pytest.mark.usefixtures("nothing_open")

UPSTREAMS = Path(__file__).with_name("upstream.yaml")
FILES = [ROOT / "examples" / "minimal.yaml", ROOT / "examples" / "full.yaml", UPSTREAMS]


@pytest.fixture(scope="module", params=FILES, ids=lambda path: path.stem)
def cluster(request: pytest.FixtureRequest, make_cluster: MakeCluster) -> Iterator[ClusterFile]:
    source: Path = request.param
    made = make_cluster(source.stem, source)
    if "webserver_port" in made.parameters:
        made.parameters["webserver_port"] = made.settings.ports.bridge
    if source == UPSTREAMS:
        made.parameters["payment_network"] = "devnet"
        made.parameters["node_config"]["demand"]["image_tag"] = "ray-on-golem/ray-node:local"
    made.write()
    outcome = made.up()
    assert outcome.code == 0, outcome.text
    yield made
    made.down()


def test_ray_knows_the_head(cluster: ClusterFile) -> None:
    outcome = cluster.ray("exec", "ray status")
    assert outcome.code == 0, outcome.text
    assert "Active:" in outcome.text


def test_tasks_spread_over_nodes_rented_for_them(cluster: ClusterFile) -> None:
    outcome = cluster.ray("submit", EXAMPLE, "--", "--min-nodes", "2")
    assert outcome.code == 0, outcome.text
    assert all(f"(192.168.0.{host})" in outcome.text for host in (3, 4)), outcome.text


def test_down_ends_and_pays_everything(cluster: ClusterFile, bridge: Bridge, steps: Steps) -> None:
    outcome = cluster.down()
    assert outcome.code == 0, outcome.text
    bill = wait_for_settlement(steps, bridge, cluster.name)
    assert len(bill.lines) >= 2
    check_chain(steps, bridge.wallet(), bill)
