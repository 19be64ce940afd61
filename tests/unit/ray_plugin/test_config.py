"""From cluster files to what the bridge is asked for."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ray_on_golem.config import WITHOUT_EFFECT, cluster_spec, keys_without_effect, merged
from ray_on_golem.errors import RayOnGolemError

UPSTREAM: dict[str, Any] = {
    "webserver_port": 4578,
    "webserver_datadir": None,
    "ray_gcs_expose_port": 6379,
    "enable_registry_stats": True,
    "payment_network": "holesky",
    "payment_driver": "erc20",
    "total_budget": 5,
    "node_config": {
        "subnet_tag": "public",
        "priority_subnet_tag": "ray-on-golem-heads",
        "demand": {
            "image_tag": "golem/ray-on-golem:0.13.0-py3.10.13-ray2.9.3",
            "node_descriptor": {"nodeDescriptor": {}},
            "capabilities": ["vpn", "inet"],
            "outbound_urls": ["https://pypi.dev.golem.network"],
            "min_mem_gib": 1,
            "min_cpu_threads": 1,
            "min_storage_gib": 1,
            "max_cpu_threads": None,
            "runtime": "vm",
        },
        "budget_control": {
            "per_cpu_expected_usage": {"cpu_load": 0.8, "duration_hours": 0.5, "max_cost": 1.5},
            "max_start_price": 0.5,
            "max_cpu_per_hour_price": 0.5,
            "max_env_per_hour_price": 0.5,
            "payment_interval_hours": {"minimal": 12, "optimal": 24},
        },
    },
}
"""Every key of ray-on-golem 0.13.0."""


def config(parameters: dict[str, Any] | None = None, worker: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "cluster_name": "golem-cluster",
        "max_workers": 10,
        "provider": {"parameters": copy.deepcopy(UPSTREAM if parameters is None else parameters)},
        "head_node_type": "head",
        "available_node_types": {"head": {"node_config": {}}, "worker": {"node_config": worker or {}}},
    }


def with_key(path: str, value: object = 1) -> dict[str, Any]:
    """Upstream's parameters with a key more, or another value, at a dotted path."""
    parameters = copy.deepcopy(UPSTREAM)
    *parents, key = path.split(".")
    section = parameters
    for parent in parents:
        section = section[parent]
    section[key] = value
    return parameters


def test_all_of_upstream_is_understood() -> None:
    assert cluster_spec(config())["node_types"]["worker"] == {
        "priority_subnet_tag": "ray-on-golem-heads",
        "demand": {
            "image_tag": "golem/ray-on-golem:0.13.0-py3.10.13-ray2.9.3",
            "capabilities": ["vpn", "inet"],
            "outbound_urls": ["https://pypi.dev.golem.network"],
            "min_mem_gib": 1,
            "min_cpu_threads": 1,
            "min_storage_gib": 1,
            "runtime": "vm",
        },
        "budget_control": {
            "max_start_price": "0.5",
            "max_cpu_per_hour_price": "0.5",
            "max_env_per_hour_price": "0.5",
            "per_cpu_expected_usage": {"cpu_load": "0.8", "duration_hours": "0.5", "max_cost": "1.5"},
        },
    }


def test_what_has_no_effect_is_told() -> None:
    unset = {"webserver_datadir"}
    assert keys_without_effect(config()) == [key for key in WITHOUT_EFFECT if key not in unset]
    assert keys_without_effect(config({"node_config": {"demand": {"image_tag": "a/b:c"}}})) == []


def test_limits_of_the_cluster() -> None:
    spec = cluster_spec(config())
    assert (spec["total_budget"], spec["max_workers"], spec["head_node_type"]) == ("5", 10, "head")


def test_a_node_type_has_the_last_word() -> None:
    spec = cluster_spec(config(worker={"demand": {"min_mem_gib": 8, "capabilities": ["vpn"]}, "subnet_tag": "other"}))
    head, worker = spec["node_types"]["head"], spec["node_types"]["worker"]
    assert (head["demand"]["min_mem_gib"], worker["demand"]["min_mem_gib"]) == (1, 8)
    assert worker["demand"]["capabilities"] == ["vpn"]
    assert worker["demand"]["min_cpu_threads"] == 1
    assert worker["subnet_tag"] == "other"


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("total_budgett", "did you mean 'total_budget'"),
        ("node_config.subnet", "did you mean 'subnet_tag'"),
        ("node_config.demand.min_mem_gb", "did you mean 'min_mem_gib'"),
        ("node_config.budget_control.max_start_prize", "did you mean 'max_start_price'"),
        ("node_config.budget_control.per_cpu_expected_usage.max_costs", "did you mean 'max_cost'"),
        ("node_config.budget_control.payment_interval_hours.minimum", "did you mean 'minimal'"),
        ("max_start_price", "it belongs under node_config.budget_control"),
        ("node_config.min_cpu_thread", "known: subnet_tag"),
    ],
)
def test_an_unknown_key_is_named_with_the_right_one(path: str, hint: str) -> None:
    with pytest.raises(RayOnGolemError, match="correct the cluster file") as caught:
        cluster_spec(config(with_key(path)))
    assert repr(path.rpartition(".")[2]) in caught.value.message
    assert hint in caught.value.message


@pytest.mark.parametrize("budget", [0, -1, "much", "nan", "inf", None])
def test_a_budget_is_more_than_nothing(budget: object) -> None:
    with pytest.raises(RayOnGolemError, match="total_budget must be more than 0 GLM"):
        cluster_spec(config(with_key("total_budget", budget)))


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("webserver_port", "4578", "webserver_port must be a port number"),
        ("webserver_port", 70000, "webserver_port must be a port number"),
        ("node_config", [1], "provider.parameters.node_config must hold keys and values"),
        ("node_config.demand", "much", "must hold keys and values"),
        ("node_config.budget_control", "little", "budget_control must hold keys and values"),
        ("node_config.budget_control.per_cpu_expected_usage", 3, "per_cpu_expected_usage must hold keys and values"),
        ("node_config.demand.image_hash", "abc", "names no image, or two"),
        ("node_config.demand.image_tag", None, "names no image, or two"),
    ],
)
def test_bad_values_are_told(path: str, value: object, complaint: str) -> None:
    with pytest.raises(RayOnGolemError, match=complaint):
        cluster_spec(config(with_key(path, value)))


@pytest.mark.parametrize("name", ["../../etc", "a b", "", "-a", "x" * 64])
def test_a_cluster_name_that_cannot_be_a_folder_is_told(name: str) -> None:
    with pytest.raises(RayOnGolemError, match="cluster_name"):
        cluster_spec({**config(), "cluster_name": name})


SECTIONS = st.recursive(
    st.integers() | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
)
MAPPINGS = st.dictionaries(st.sampled_from("abc"), SECTIONS, max_size=3)


@settings(max_examples=50)
@given(MAPPINGS, MAPPINGS)
def test_merging_adds_nothing_of_its_own(common: dict[str, Any], own: dict[str, Any]) -> None:
    result = merged(common, own)
    assert set(result) == set(common) | set(own)
    assert merged(result, own) == result
    for key, value in own.items():
        if not isinstance(value, dict):
            assert result[key] == value


@settings(max_examples=30)
@given(MAPPINGS)
def test_merging_shares_nothing_with_its_sources(common: dict[str, Any]) -> None:
    before = copy.deepcopy(common)
    result = merged(common, {})
    for value in result.values():
        if isinstance(value, dict):
            value["new"] = 1
    assert common == before
