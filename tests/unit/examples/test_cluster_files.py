from __future__ import annotations

import copy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

from appliance.paths import CLUSTER_FILE, ROOT
from golem_bridge.clusters.spec import ClusterSpec
from ray_on_golem import config as plugin
from ray_on_golem.provider.defaults import fill_defaults

EXAMPLES = ROOT / "examples"
FILES = sorted([*EXAMPLES.glob("*.yaml"), CLUSTER_FILE])
PUBLIC = ("hoodi", "polygon")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJkY5p8Yx0K4r2"


def read(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


def spec_of(path: Path) -> ClusterSpec:
    """The way a cluster file goes: Ray's and the plug-in's defaults, Ray's checks, the plug-in's, the bridge's."""
    filled = fill_defaults(prepare_config(read(path)))
    validate_config(filled)
    return ClusterSpec.model_validate({**plugin.cluster_spec(filled), "ssh_public_key": KEY})


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_file_is_taken_by_ray_plugin_and_bridge(path: Path) -> None:
    spec = spec_of(path)
    assert spec.max_workers == read(path)["max_workers"]
    assert spec.head_node_type in spec.node_types
    assert len(spec.node_types) >= 2


def test_every_file_was_looked_at() -> None:
    assert {path.stem for path in FILES} >= {"golem-cluster", "minimal", "full", *PUBLIC}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_workers_can_be_planned_for(path: Path) -> None:
    """The autoscaler never scales a type whose resources it does not know."""
    for node_type in fill_defaults(prepare_config(read(path)))["available_node_types"].values():
        assert node_type["max_workers"] == 0 or node_type["resources"]["CPU"] >= 1


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_names_are_unique(path: Path) -> None:
    names = [read(other)["cluster_name"] for other in FILES]
    assert names.count(read(path)["cluster_name"]) == 1


def test_the_full_file_holds_every_key() -> None:
    text = (EXAMPLES / "full.yaml").read_text(encoding="utf-8")
    keys = [key for known in plugin.KEYS.values() for key in known]
    assert [key for key in keys if key not in text] == []


def test_the_full_file_sets_nothing_in_vain() -> None:
    assert plugin.keys_without_effect(read(EXAMPLES / "full.yaml")) == []


def test_the_full_files_node_types_differ_where_it_says() -> None:
    spec = spec_of(EXAMPLES / "full.yaml")
    small, big = spec.node_types["ray.worker.default"], spec.node_types["ray.worker.big"]
    assert small.budget_control is not None and big.budget_control is not None
    assert (small.demand.min_cpu_threads, big.demand.min_cpu_threads) == (1, 4)
    assert (small.budget_control.max_start_price, big.budget_control.max_start_price) == (
        Decimal("0.5"),
        Decimal("0.1"),
    )
    assert small.budget_control.max_env_per_hour_price == big.budget_control.max_env_per_hour_price


@pytest.mark.parametrize("network", PUBLIC)
def test_public_files_name_their_network_and_every_limit(network: str) -> None:
    path = EXAMPLES / f"{network}.yaml"
    assert read(path)["provider"]["parameters"]["payment_network"] == network
    for node_type in spec_of(path).node_types.values():
        assert node_type.budget_control is not None
        assert None not in node_type.budget_control.model_dump(exclude={"per_cpu_expected_usage"}).values()
        assert node_type.demand.max_cpu_threads is not None


def most_in_the_first_hour(spec: ClusterSpec) -> Decimal:
    """GLM for head and all workers at the file's price limits."""
    limits = spec.node_types["worker"].budget_control
    threads = spec.node_types["worker"].demand.max_cpu_threads
    assert limits is not None and threads is not None
    assert limits.max_start_price is not None
    assert limits.max_cpu_per_hour_price is not None
    assert limits.max_env_per_hour_price is not None
    one = limits.max_start_price + limits.max_env_per_hour_price + threads * limits.max_cpu_per_hour_price
    return (1 + spec.max_workers) * one


@pytest.mark.parametrize("network", PUBLIC)
def test_public_budgets_carry_all_nodes_for_an_hour(network: str) -> None:
    spec = spec_of(EXAMPLES / f"{network}.yaml")
    assert most_in_the_first_hour(spec) <= spec.total_budget


def test_polygon_is_careful() -> None:
    spec = spec_of(EXAMPLES / "polygon.yaml")
    assert most_in_the_first_hour(spec) == Decimal("0.90")  # as the file's comment says
    assert spec.total_budget <= 1


def test_a_wrong_file_is_refused(tmp_path: Path) -> None:
    wrong = copy.deepcopy(read(EXAMPLES / "minimal.yaml"))
    wrong["max_wokers"] = 3
    path = tmp_path / "wrong.yaml"
    path.write_text(yaml.safe_dump(wrong), encoding="utf-8")
    with pytest.raises(Exception, match="max_wokers"):
        spec_of(path)
