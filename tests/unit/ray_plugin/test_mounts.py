"""``file_mounts`` that cannot be read cost nothing: Ray's ``ray up`` looks at them when the head is rented already."""

from __future__ import annotations

import os
from pathlib import Path

import click
import pytest
from ray.autoscaler._private.commands import get_or_create_head_node

from ray_on_golem.errors import RayOnGolemError
from ray_on_golem.provider import node_provider
from ray_on_golem.provider.mounts import check_readable
from ray_on_golem.provider.node_provider import MOUNTS
from tests.unit.ray_plugin.commands import RUNNING
from tests.unit.ray_plugin.conftest import Make
from tests.unit.ray_plugin.fake_bridge import FakeBridge
from tests.unit.ray_plugin.test_defaults import bootstrap, load


def test_ray_up_rents_nothing_for_a_file_that_is_not_there(bridge: FakeBridge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_provider, "Bridge", lambda _place: bridge)
    bridge.progress.append(RUNNING)
    config = bootstrap({**load("examples/minimal.yaml"), "cluster_name": "one", "file_mounts": {"/data": "~/nowhere"}})
    with pytest.raises(click.ClickException, match=r"Cannot read .*/nowhere, of file_mounts — No such file"):
        get_or_create_head_node(
            config, "cluster.yaml", no_restart=False, restart_only=False, yes=True, override_cluster_name=None
        )
    assert bridge.calls["open_cluster"] == bridge.calls["request_nodes"] == 0


def test_what_ray_can_read_is_let_through(home: Path) -> None:
    folder = home / "data" / "deeper"
    folder.mkdir(parents=True)
    (folder / "file").write_text("x", encoding="utf-8")
    (folder / "link to a folder").symlink_to(home)
    check_readable(["~/data", "~/data/", str(folder / "file")])


def test_a_link_to_nothing_deep_in_a_folder(home: Path) -> None:
    link = home / "data" / "link"
    link.parent.mkdir()
    link.symlink_to(home / "gone")
    with pytest.raises(RayOnGolemError) as refusal:
        check_readable(["~/data"])
    assert refusal.value.message == (
        f"Cannot read {link}, of file_mounts — {os.strerror(2)} — mend that, or the cluster file"
    )


def test_the_head_does_not_learn_of_the_hosts_paths(make: Make) -> None:
    prepared = make().prepare_for_head_node({"provider": {"type": "external", MOUNTS: ["/home/me"]}})
    assert set(prepared["provider"]) == {"type", "parameters"}
