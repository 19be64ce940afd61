"""What the provider finds in files: the cluster's key, and configs that Ray has cached."""

from __future__ import annotations

from pathlib import Path

import pytest
from ray.autoscaler._private.commands import _bootstrap_config

from ray_on_golem import keys
from ray_on_golem.provider import defaults, node_provider
from ray_on_golem.provider.edition import edition
from ray_on_golem.provider.node_provider import EDITION, KEY, SPEC, GolemNodeProvider
from tests.unit.ray_plugin.commands import HEAD_TAGS, RUNNING, plain
from tests.unit.ray_plugin.conftest import NODE_TYPES, Make
from tests.unit.ray_plugin.fake_bridge import FakeBridge
from tests.unit.ray_plugin.test_defaults import load


def test_a_key_tidied_away_is_made_anew(make: Make) -> None:
    make()
    keys.default_key("one").unlink()
    make()
    assert keys.default_key("one").exists()


def test_a_users_own_key_is_never_made(bridge: FakeBridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_provider, "Bridge", lambda _place: bridge)
    GolemNodeProvider({"parameters": {}, SPEC: {}, KEY: str(tmp_path / "own")}, "one")
    assert not (tmp_path / "own").exists()


def test_a_config_cached_by_an_older_plug_in_is_used_once(
    bridge: FakeBridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_provider, "Bridge", lambda _place: bridge)
    cache = tmp_path / "ray-config"
    cache.write_text("{}", encoding="utf-8")
    bridge.progress.append(RUNNING)
    old = {
        "parameters": {},
        SPEC: {"head_node_type": "head", "node_types": NODE_TYPES, "ssh_public_key": "ssh-ed25519 A"},
        "_config_cache_path": str(cache),
    }
    GolemNodeProvider(old, "one").create_node({}, HEAD_TAGS, 1)
    assert bridge.specs[0]["ssh_public_key"] == "ssh-ed25519 A"
    assert not cache.exists()


@pytest.mark.parametrize("on_head", [False, True])
def test_other_cached_configs_are_kept(
    bridge: FakeBridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_head: bool
) -> None:
    monkeypatch.setattr(node_provider, "Bridge", lambda _place: bridge)
    cache = tmp_path / "ray-config"
    cache.write_text("{}", encoding="utf-8")
    config = {"parameters": {}, "_config_cache_path": str(cache)}
    if on_head:
        monkeypatch.setenv("ON_GOLEM_NETWORK", "1")
    else:
        config.update({SPEC: {}, KEY: str(tmp_path / "own"), EDITION: edition()})
    GolemNodeProvider(config, "one")
    assert cache.exists()


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # Ray leaves the file open
def test_a_changed_plug_in_is_in_force_from_the_second_command_on(
    bridge: FakeBridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_provider, "Bridge", lambda _place: bridge)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def start_commands() -> list[str]:
        """What a command of Ray's would start the head with."""
        config = _bootstrap_config({**load("examples/minimal.yaml"), "cluster_name": "one"})
        GolemNodeProvider(config["provider"], "one")
        return list(config["head_start_ray_commands"])

    assert start_commands() == start_commands() == [defaults.HEAD_START]
    monkeypatch.setattr(defaults, "HEAD_START", "ray start --head --better")
    monkeypatch.setattr(node_provider, "edition", lambda: "another")
    start_commands()
    assert start_commands() == start_commands() == ["ray start --head --better"]
    assert len(list(tmp_path.glob("ray-config-*"))) == 1


def test_a_cached_config_that_cannot_be_removed_is_told(
    bridge: FakeBridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As one that root has made in /tmp."""
    monkeypatch.setattr(node_provider, "Bridge", lambda _place: bridge)
    config = {"parameters": {}, SPEC: {}, KEY: str(tmp_path / "own"), "_config_cache_path": str(tmp_path)}
    GolemNodeProvider(config, "one")
    assert f"{tmp_path} was made by another version of the plug-in, and cannot be removed" in plain(capsys)
