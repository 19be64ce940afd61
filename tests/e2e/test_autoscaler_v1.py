"""Ray's first autoscaler, with the newest Ray: all that the second one does for a user, it does too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from appliance.bridge import Bridge
from appliance.paths import EXAMPLE
from appliance.settlement import check_chain, check_nothing_open, wait_for_settlement
from appliance.steps import Steps
from tests.e2e.cluster import ClusterFile, wait_until
from tests.e2e.conftest import MakeCluster

FIRST_AUTOSCALER = {"RAY_UP_enable_autoscaler_v2": "0"}
"""Ray's own switch for `ray up`."""

WHICH = 'pgrep -af autoscaler/; tr "\\0" "\\n" < /proc/$(pgrep -o raylet)/environ | grep -i autoscaler_v2'


@pytest.fixture(scope="module")
def cluster(make_cluster: MakeCluster) -> Iterator[ClusterFile]:
    made = make_cluster("first")
    made.content["idle_timeout_minutes"] = 0.2
    made.write()
    outcome = made.up(env=FIRST_AUTOSCALER)
    assert outcome.code == 0, outcome.text
    yield made
    made.down()


def test_it_is_the_first_one_that_runs(cluster: ClusterFile) -> None:
    said = cluster.ray("exec", WHICH).text
    assert "/autoscaler/_private/monitor.py" in said
    assert "/autoscaler/v2/monitor.py" not in said
    assert "autoscaler_v2=1" not in said


def test_tasks_spread_over_nodes_rented_for_them(cluster: ClusterFile) -> None:
    outcome = cluster.ray("submit", EXAMPLE, "--", "--min-nodes", "3")
    assert outcome.code == 0, outcome.text
    assert all(f"(192.168.0.{host})" in outcome.text for host in (3, 4, 5)), outcome.text


def test_idle_workers_leave(cluster: ClusterFile, bridge: Bridge) -> None:
    wait_until(lambda: len(cluster.nodes(bridge)) == 1, 120, "idle workers to leave")
    assert "-head-" in cluster.nodes(bridge)[0].node_id


def test_it_asks_again_after_that(cluster: ClusterFile) -> None:
    outcome = cluster.ray("submit", EXAMPLE, "--", "--min-nodes", "2", "--count", "40")
    assert outcome.code == 0, outcome.text


def test_down_ends_and_pays_everything(cluster: ClusterFile, bridge: Bridge, steps: Steps) -> None:
    outcome = cluster.down()
    assert outcome.code == 0, outcome.text
    bill = wait_for_settlement(steps, bridge, cluster.name)
    assert len(bill.lines) >= 3
    check_chain(steps, bridge.wallet(), bill)
    check_nothing_open(steps)
