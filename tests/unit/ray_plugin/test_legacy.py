"""Cluster files written for older releases of upstream."""

from __future__ import annotations

import pytest

from ray_on_golem.config import cluster_spec, parameters_of
from ray_on_golem.errors import RayOnGolemError
from ray_on_golem.legacy import check_network, modern_parameters
from tests.unit.ray_plugin.test_config import config

FIRST_RELEASE = {
    "webserver_port": 4578,
    "network": "goerli",
    "budget": 1,
    "node_config": {
        "image_tag": "golem/ray-on-golem:0.1.0-py3.10.13-ray2.3.1",
        "capabilities": ["vpn", "inet", "manifest-support"],
        "min_mem_gib": 0,
        "min_cpu_threads": 0,
        "min_storage_gib": 0,
    },
}
"""As in ray-on-golem 0.1.0."""


def test_the_first_release_is_understood() -> None:
    spec = cluster_spec(config(FIRST_RELEASE, worker={"min_mem_gib": 2}))
    assert spec["total_budget"] == "1"
    demand = spec["node_types"]["worker"]["demand"]
    assert demand["image_tag"] == "golem/ray-on-golem:0.1.0-py3.10.13-ray2.3.1"
    assert demand["min_mem_gib"] == 2
    assert parameters_of(config(FIRST_RELEASE))["payment_network"] == "goerli"


def test_of_two_spellings_the_newer_counts() -> None:
    both = modern_parameters({"network": "goerli", "payment_network": "polygon", "budget": 1, "total_budget": 2})
    assert both == {"payment_network": "polygon", "total_budget": 2}


@pytest.mark.parametrize("network", ["devnet", "hoodi", "polygon"])
def test_the_appliances_network_needs_no_remark(network: str) -> None:
    assert check_network(network, network) is None
    assert check_network(None, network) is None


def test_a_closed_test_network_stands_for_todays() -> None:
    assert "'holesky' of the cluster file is closed" in str(check_network("holesky", "hoodi"))


@pytest.mark.parametrize(
    ("wanted", "actual"),
    [("holesky", "polygon"), ("goerli", "polygon"), ("polygon", "devnet"), ("hoodi", "devnet"), ("devnet", "polygon")],
)
def test_no_other_network_is_taken_for_the_one_meant(wanted: str, actual: str) -> None:
    with pytest.raises(RayOnGolemError, match=f"for network '{wanted}', the appliance runs on '{actual}'"):
        check_network(wanted, actual)
