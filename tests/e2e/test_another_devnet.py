"""Another network, or another devnet: only while nothing is rented or owed, and nothing else goes with the old one."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from appliance.bridge import Bridge
from appliance.paths import ROOT
from appliance.settings import Settings, read_values
from appliance.settlement import wait_for_settlement
from appliance.steps import Steps
from tests.devnet import glm_wei, inside
from tests.e2e.cluster import ClusterFile, Outcome, wait_until
from tests.e2e.conftest import MakeCluster
from tests.e2e.crashes import ask_docker, check_down_pays
from tests.e2e.onlooker import Onlooker
from tests.e2e.told import told_of

WEI = 10**18
OTHER_WALLET = "/var/lib/yagna/hoodi"
"""Where the wallet of a public network would lie: in one volume with the devnet's."""


@pytest.fixture(scope="module")
def cluster(make_cluster: MakeCluster) -> Iterator[ClusterFile]:
    made = make_cluster("mover")
    made.have_no_workers()
    outcome = made.up()
    assert outcome.code == 0, outcome.text
    yield made
    made.down()


@pytest.fixture
def onlooker(settings: Settings, tmp_path: Path) -> Onlooker:
    return Onlooker(settings, tmp_path)


def refused(outcome: Outcome, onlooker: Onlooker, *expected: str) -> None:
    """With a sentence, before anything was changed."""
    assert outcome.code == 1, outcome.text
    assert "Traceback" not in outcome.text
    for text in expected:
        assert text in outcome.text
    assert onlooker.kept_from == []


@pytest.mark.parametrize(
    ("command", "network", "harm"),
    [
        ("up", "hoodi", "a change from devnet to hoodi would leave them running and costing"),
        ("devnet-reset", "devnet", "the devnet's would be lost"),
    ],
)
def test_not_while_a_node_lives(
    cluster: ClusterFile, bridge: Bridge, onlooker: Onlooker, command: str, network: str, harm: str
) -> None:
    (node,) = cluster.nodes(bridge)
    outcome = onlooker.appliance(command, network=network)
    refused(outcome, onlooker, f"1 node(s) are still rented, {harm}", node.node_id, f"make {command} FORCE=1")
    assert cluster.nodes(bridge) == [node]
    assert "the answer is 42" in cluster.ray("exec", "echo the answer is $((6 * 7))").text


def test_another_network_waits_for_open_bills_and_no_longer(
    cluster: ClusterFile, bridge: Bridge, steps: Steps, onlooker: Onlooker
) -> None:
    """While the chain stands still nothing is paid."""
    with standing_still("chain"):
        assert cluster.down().code == 0
        wait_until(lambda: not cluster.nodes(bridge), 60, "the node to end")
        outcome = onlooker.appliance("up", network="hoodi")
        refused(outcome, onlooker, f"{cluster.name} on devnet still waits for invoices or payments")
    wait_for_settlement(steps, bridge, cluster.name)
    outcome = onlooker.appliance("up", network="hoodi")
    assert "compose --progress plain build" in onlooker.kept_from, outcome.text


@contextmanager
def standing_still(service: str) -> Iterator[None]:
    ask_docker("compose", "pause", service)
    try:
        yield
    finally:
        ask_docker("compose", "unpause", service)


@pytest.fixture
def neighbour(settings: Settings) -> Iterator[str]:
    """A volume of the compose project whose name comes nearest: that of ``make devnet``."""
    volume = f"{settings.project}-devnet_chain-data-of-a-test"
    ask_docker("volume", "create", volume)
    yield volume
    ask_docker("volume", "rm", "--force", volume)


@pytest.fixture
def other_wallet() -> Iterator[str]:
    key = f"{OTHER_WALLET}/key-of-a-test"
    inside("yagna", "mkdir", OTHER_WALLET)
    inside("yagna", "touch", key)
    yield key
    inside("yagna", "rm", "-r", OTHER_WALLET)


def test_a_new_devnet_has_a_full_wallet_and_takes_nothing_else_along(
    cluster: ClusterFile, bridge: Bridge, steps: Steps, neighbour: str, other_wallet: str
) -> None:
    bill, wallet = bridge.bill(cluster.name), bridge.wallet()
    for target in ("devnet-reset", "up"):
        done = subprocess.run(["make", target], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert bridge.wallet() != wallet
    assert glm_wei(bridge.wallet()) == Decimal(read_values()["DEVNET_WALLET_GLM"]) * WEI
    assert bridge.bill(cluster.name) == bill
    assert ask_docker("volume", "ls", "--quiet", "--filter", f"name={neighbour}") == neighbour
    assert inside("yagna", "ls", other_wallet).strip() == other_wallet

    outcome = cluster.up()
    assert outcome.code == 0, outcome.text
    assert told_of(cluster).incarnation == 2
    check_down_pays(cluster, bridge, steps)
