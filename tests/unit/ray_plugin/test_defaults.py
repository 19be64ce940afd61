"""Cluster files through Ray's own preparation and validation."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ray.autoscaler._private.commands import _bootstrap_config
from ray.autoscaler._private.util import prepare_config, validate_config

from ray_on_golem import keys
from ray_on_golem.config import cluster_spec
from ray_on_golem.provider.defaults import HEAD_START, WORKER_START, fill_defaults
from ray_on_golem.provider.node_provider import KEY, SPEC, GolemNodeProvider
from tests.unit.ray_plugin.commands import ends
from tests.unit.ray_plugin.test_config import UPSTREAM

ROOT = Path(__file__).parents[3]
FILES = ["examples/minimal.yaml", "golem-cluster.yaml"]


def load(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / name).read_text(encoding="utf-8")))


def upstream() -> dict[str, Any]:
    """As upstream's golem-cluster.full.yaml."""
    return {
        **load("golem-cluster.yaml"),
        "provider": {
            "type": "external",
            "use_internal_ips": True,
            "module": "ray_on_golem.provider.node_provider.GolemNodeProvider",
            "parameters": copy.deepcopy(UPSTREAM),
        },
        "available_node_types": {
            "ray.head.default": {"min_workers": 0, "max_workers": 0, "resources": {}, "node_config": {}},
            "ray.worker.default": {"min_workers": 0, "max_workers": 10, "resources": {}, "node_config": {}},
        },
        "max_workers": 10,
        "head_node": True,
        "worker_nodes": True,
    }


def bootstrap(config: dict[str, Any]) -> dict[str, Any]:
    """All of Ray's own way from a file to a config."""
    return dict(_bootstrap_config(copy.deepcopy(config), no_config_cache=True))


@pytest.mark.parametrize("load_file", [*[lambda name=name: load(name) for name in FILES], upstream])
def test_ray_takes_the_file(load_file: Callable[[], dict[str, Any]]) -> None:
    config = bootstrap(load_file())
    validate_config(
        {key: value for key, value in config.items() if key != "provider"} | {"provider": {"type": "external"}}
    )
    assert config["provider"][SPEC] == cluster_spec(config)
    assert config["auth"] == {"ssh_user": "root", "ssh_private_key": config["provider"][KEY]}


def test_the_head_takes_what_it_is_sent() -> None:
    """Autoscaler v2 prepares and validates the config anew in each of its ticks."""
    config = bootstrap(load("examples/minimal.yaml"))
    config["provider"] = {"type": "external", "module": "a.B", "parameters": {"webserver_port": 4578}}
    validate_config(prepare_config(json.loads(json.dumps(config))))


def test_a_minimal_file_is_filled() -> None:
    config = bootstrap(load("examples/minimal.yaml"))
    assert config["head_start_ray_commands"] == [HEAD_START]
    assert config["worker_start_ray_commands"] == [WORKER_START]
    assert config["head_node_type"] == "ray.head.default"
    worker = config["available_node_types"]["ray.worker.default"]
    assert (worker["resources"], worker["max_workers"]) == ({"CPU": 1}, 1)
    assert config["provider"]["use_internal_ips"] is True
    assert config["file_mounts"] == {}
    assert config["idle_timeout_minutes"] == 5


def test_nothing_of_it_can_be_left_out() -> None:
    """What Ray insists on before it asks us: see the file's first line."""
    minimal = load("examples/minimal.yaml")
    for key in set(minimal) - {"cluster_name"}:
        with pytest.raises((KeyError, AssertionError)):
            bootstrap({name: value for name, value in minimal.items() if name != key})


def test_what_is_there_is_kept() -> None:
    config = load("examples/minimal.yaml")
    own = {
        "head_start_ray_commands": ["ray start --head"],
        "worker_start_ray_commands": ["ray start"],
        "initialization_commands": ["true"],
        "file_mounts": {"/a": "/etc/hostname"},
        "auth": {"ssh_user": "ray"},
        "available_node_types": {"h": {"resources": {"CPU": 4}}, "w": {"resources": {"GPU": 1}, "max_workers": 1}},
        "head_node_type": "h",
    }
    filled = fill_defaults({**config, **own})
    for key in (
        "head_start_ray_commands",
        "worker_start_ray_commands",
        "initialization_commands",
        "file_mounts",
        "auth",
    ):
        assert filled[key] == own[key]
    assert filled["available_node_types"]["w"]["resources"] == {"GPU": 1}


def test_filling_twice_changes_nothing_and_the_file_stays_as_it_is() -> None:
    config = upstream()
    before = copy.deepcopy(config)
    filled = fill_defaults(config)
    assert fill_defaults(filled) == filled
    assert config == before


def test_a_worker_without_resources_gets_the_threads_it_asks_for() -> None:
    config = upstream()
    config["provider"]["parameters"]["node_config"]["demand"]["min_cpu_threads"] = 4
    types = fill_defaults(config)["available_node_types"]
    assert types["ray.worker.default"]["resources"] == {"CPU": 4}
    assert types["ray.head.default"]["resources"] == {}


@pytest.mark.parametrize("threads", ["many", None, 0, [1]])
def test_filling_does_not_stumble_over_nonsense(threads: object) -> None:
    config = upstream()
    config["provider"]["parameters"]["node_config"]["demand"]["min_cpu_threads"] = threads
    assert fill_defaults(config)["available_node_types"]["ray.worker.default"]["resources"] == {"CPU": 1}
    assert fill_defaults({**config, "provider": {"parameters": 7}})


def test_a_key_of_the_users_own_is_found_in_his_home(home: Path) -> None:
    made = keys.make_default_key("other")
    (home / "key").write_bytes(made.read_bytes())
    (home / "key").chmod(0o600)
    config = bootstrap({**load("examples/minimal.yaml"), "auth": {"ssh_private_key": "~/key", "ssh_user": "root"}})
    assert config["auth"]["ssh_private_key"] == config["provider"][KEY] == str(home / "key")


def test_nothing_in_the_config_depends_on_where_python_and_the_appliance_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Ray compares it with the live head's, and ends a head that differs."""
    here = bootstrap(load("examples/minimal.yaml"))
    monkeypatch.setattr("sys.executable", "/elsewhere/python")
    monkeypatch.setenv("RAY_ON_GOLEM_TOKEN_FILE", "/elsewhere/token")
    (tmp_path / "deeper").mkdir()
    monkeypatch.chdir(tmp_path / "deeper")
    assert bootstrap(load("examples/minimal.yaml")) == here


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"cluster_name": "../x"}, "cluster_name '../x' cannot be used"),
        ({"auth": {"ssh_private_key": "~/none", "ssh_user": "root"}}, "correct auth.ssh_private_key"),
        ({"docker": {"image": "a", "container_name": "c"}}, "docker.image 'a' cannot be had"),
        (
            {"docker": {"head_image": "a", "worker_image": "b", "container_name": "c"}},
            "docker.head_image 'a' cannot be",
        ),
        ({"auth": {"ssh_user": "ubuntu"}}, "auth.ssh_user must be root — it is 'ubuntu'"),
        ({"total_budget": 0}, "total_budget must be more than 0 GLM"),
        ({"total_budgett": 1}, "did you mean 'total_budget'"),
    ],
)
def test_a_bad_file_ends_the_command_with_a_sentence(change: dict[str, Any], complaint: str) -> None:
    config = load("examples/minimal.yaml")
    config.update({key: value for key, value in change.items() if not key.startswith("total")})
    config["provider"]["parameters"].update({key: value for key, value in change.items() if key.startswith("total")})
    filled = prepare_config(config)
    code, output = ends(lambda: GolemNodeProvider.bootstrap_config(filled))
    assert code == 1
    assert complaint in output
