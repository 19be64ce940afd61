"""What a user can get wrong: a clear sentence with the next command, exit code other than 0, nothing rented."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection

import pytest

from appliance.bridge import Bridge
from appliance.paths import EXAMPLE, ROOT, VENV
from appliance.settings import Settings
from tests.e2e.cluster import ClusterFile, Outcome, wait_until
from tests.e2e.conftest import MakeCluster
from tests.e2e.crashes import recreate_bridge

pytestmark = pytest.mark.usefixtures("nothing_open", "nothing_rented")


def refused(outcome: Outcome, *expected: str) -> None:
    assert outcome.code != 0, outcome.text
    assert "Traceback" not in outcome.text
    for text in expected:
        assert text in outcome.text


def test_an_unknown_key_is_named_with_the_nearest_right_one(make_cluster: MakeCluster) -> None:
    cluster = make_cluster("typo")
    cluster.parameters["totl_budget"] = 3
    cluster.write()
    refused(cluster.up(), "Unknown key 'totl_budget'", "did you mean 'total_budget'?", "correct the cluster file")


def test_a_limit_with_a_typo_is_no_limit_at_all(make_cluster: MakeCluster) -> None:
    cluster = make_cluster("limit")
    cluster.parameters["node_config"]["budget_control"]["max_start_prise"] = 1
    cluster.write()
    refused(cluster.up(), "Unknown key 'max_start_prise'", "did you mean 'max_start_price'?")


def test_a_wrong_token(make_cluster: MakeCluster) -> None:
    cluster = make_cluster("token")
    wrong = cluster.folder / "token"
    wrong.write_text("not-the-token-of-this-appliance\n")
    (cluster.folder / "bridge-port").write_text(f"{cluster.settings.ports.bridge}\n")
    cluster.parameters["token_file"] = str(wrong)
    cluster.write()
    refused(cluster.up(), "the token is wrong", str(wrong), "RAY_ON_GOLEM_TOKEN_FILE")


def test_a_bridge_that_is_down(make_cluster: MakeCluster) -> None:
    cluster = make_cluster("down")
    cluster.parameters["webserver_port"] = 1
    cluster.write()
    refused(cluster.up(), "The bridge at 127.0.0.1:1 does not answer", "make up")


@pytest.mark.parametrize("budget", [0, -1, "much"])
def test_a_budget_that_is_none(make_cluster: MakeCluster, budget: object) -> None:
    cluster = make_cluster("budget")
    cluster.parameters["total_budget"] = budget
    cluster.write()
    refused(cluster.up(), "total_budget must be more than 0 GLM", repr(budget))


def test_a_budget_below_one_nodes_hour(make_cluster: MakeCluster) -> None:
    cluster = make_cluster("poor")
    cluster.parameters["total_budget"] = 0.001
    cluster.write()
    refused(cluster.up(), "0.001 GLM", "is left", "raise total_budget in the cluster file")


def test_a_budget_beyond_the_wallet(make_cluster: MakeCluster) -> None:
    cluster = make_cluster("rich")
    cluster.parameters["total_budget"] = 1_000_000
    cluster.write()
    refused(cluster.up(), "The wallet cannot set 1000000 GLM aside", "lower total_budget")


def test_an_unknown_image(make_cluster: MakeCluster) -> None:
    cluster = make_cluster("image")
    cluster.parameters["node_config"]["demand"]["image_tag"] = "nobody/nothing:never"
    cluster.write()
    refused(cluster.up(), "Unknown image: tag 'nobody/nothing:never'", "correct image_tag")


def test_another_network_than_the_appliances(make_cluster: MakeCluster) -> None:
    cluster = make_cluster("network")
    cluster.parameters["payment_network"] = "polygon"
    cluster.write()
    refused(cluster.up(), "'polygon'", "'devnet'", "GOLEM_NETWORK")


def test_a_cluster_that_is_not_up(make_cluster: MakeCluster) -> None:
    cluster = make_cluster("absent")
    for outcome in (cluster.ray("exec", "true"), cluster.ray("submit", str(EXAMPLE)), cluster.ray("get-head-ip")):
        refused(outcome, f"Cluster {cluster.name} is not up", "start it: ray up")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_wait_for_a_provider_that_is_ended(make_cluster: MakeCluster, bridge: Bridge, number: signal.Signals) -> None:
    """By Ctrl-C, by ``kill``, with its terminal."""
    cluster = make_cluster("ended")
    cluster.parameters["node_config"]["demand"]["min_mem_gib"] = 4096
    cluster.write()
    # whoever runs the tests may ignore the signal, and hand that down
    command = ["env", f"--default-signal={number.name}", str(VENV / "bin" / "ray"), "up", "--yes", str(cluster.path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as up:
        wait_until(lambda: bool(cluster.nodes(bridge)), 60, "a head to be asked for")
        up.send_signal(number)
        assert up.wait(60) != 0
    wait_until(lambda: not cluster.nodes(bridge), 10, "the head to be given up")


@pytest.fixture
def hasty_bridge(settings: Settings) -> Iterator[None]:
    """It looks for a provider for ten seconds only."""
    recreate_bridge(settings, MARKET_PATIENCE="10")
    yield
    recreate_bridge(settings)


def test_what_nobody_offers(make_cluster: MakeCluster, hasty_bridge: None) -> None:
    huge = make_cluster("huge")
    huge.parameters["node_config"]["demand"]["min_mem_gib"] = 4096
    huge.write()
    refused(huge.up(), "No provider found in 10 s", "0 offers seen", "what demand asks for")
    cheap = make_cluster("cheap")
    cheap.parameters["node_config"]["budget_control"]["max_start_price"] = 0.0000001
    cheap.write()
    refused(cheap.up(), "offers seen", "start price above 0.0000001 GLM, the lowest is 0.001", "raise the limits")


def test_a_host_header_of_somebody_elses(settings: Settings) -> None:
    token = settings.token_file.read_text(encoding="utf-8").strip()
    with closing(HTTPConnection("127.0.0.1", settings.ports.bridge, timeout=15)) as connection:
        connection.request("GET", "/v1/clusters", headers={"Host": "evil.example", "Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        assert answer.status == 403
        assert "Host 'evil.example' is not served" in answer.read().decode()


def test_ray_on_golem_names_an_unknown_cluster(make_cluster: MakeCluster) -> None:
    cluster: ClusterFile = make_cluster("unknown")
    env = {"RAY_ON_GOLEM_TOKEN_FILE": str(cluster.settings.token_file)}
    outcome = cluster.run("ray-on-golem", "stop", cluster.name, env=env)
    assert outcome.code == 1
    assert f"No cluster '{cluster.name}'" in outcome.text
