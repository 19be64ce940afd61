"""Two ``ray up`` of one cluster at once; the other one is a process of its own, as it is for a user."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pytest
from ray.autoscaler.tags import NODE_KIND_HEAD

from ray_on_golem.errors import RayOnGolemError
from ray_on_golem.provider import turn
from tests.unit.ray_plugin.conftest import Make
from tests.unit.ray_plugin.fake_bridge import FakeBridge, node_view

TAGS = {"ray-node-type": NODE_KIND_HEAD, "ray-user-node-type": "head"}
RUNNING = {"state": "running", "message": "Running on alder", "ip": "192.168.0.3"}
HEAD = "one-1-head-0001"

TAKE = "from ray_on_golem.provider import turn; turn.take('one')"
HOLD = f"import sys; {TAKE}; print('held', flush=True); sys.stdin.read()"


def run_python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


@contextmanager
def another_at_work() -> Iterator[subprocess.Popen[str]]:
    """A process that holds cluster one's turn."""
    with subprocess.Popen(
        run_python(HOLD), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        try:
            yield other
        finally:
            other.kill()


def others_may() -> bool:
    """Another process gets the turn now."""
    return subprocess.run(run_python(TAKE), env=environment(), capture_output=True, check=False).returncode == 0


def test_a_head_is_not_asked_for_while_another_is_at_work(make: Make, bridge: FakeBridge) -> None:
    with another_at_work() as other, pytest.raises(click.ClickException) as refusal:
        make().create_node({}, TAGS, 1)
    assert refusal.value.message == (
        f"Another ray up of cluster one is at work (process {other.pid}) — wait for it and run ray up again"
    )
    assert bridge.calls["open_cluster"] == bridge.calls["request_nodes"] == 0


def test_a_head_another_sets_up_is_left_alone(make: Make, bridge: FakeBridge) -> None:
    bridge.nodes = {HEAD: node_view(HEAD, tags=TAGS)}
    with another_at_work(), pytest.raises(click.ClickException, match="Another ray up of cluster one is at work"):
        make().prepare_for_head_node({"provider": {}})
    assert bridge.calls["open_cluster"] == 0


def test_one_that_was_killed_is_in_nobodys_way() -> None:
    with another_at_work() as other:
        other.kill()
        other.wait()
        turn.take("one")
        turn.take("one")
    assert not others_may()


def test_other_clusters_go_on() -> None:
    with another_at_work():
        turn.take("two")
    turn.give_back("two")


@pytest.mark.parametrize("status", ["up-to-date", "update-failed"])
def test_the_next_one_may_when_the_head_is_set_up(make: Make, bridge: FakeBridge, status: str) -> None:
    bridge.progress.append(RUNNING)
    provider = make()
    provider.create_node({}, TAGS, 1)
    provider.set_node_tags(HEAD, {"ray-node-status": "setting-up"})
    assert not others_may()
    provider.set_node_tags(HEAD, {"ray-node-status": status})
    assert others_may()


def test_the_next_one_may_when_there_is_no_head(make: Make, bridge: FakeBridge) -> None:
    bridge.progress.append({"state": "terminating", "reason": "start_failed", "message": "5 providers failed"})
    with pytest.raises(click.ClickException, match="5 providers failed"):
        make().create_node({}, TAGS, 1)
    assert others_may()


def test_the_next_one_may_when_the_new_limits_are_refused(make: Make, bridge: FakeBridge) -> None:
    bridge.fail["open_cluster"] = RayOnGolemError("The wallet cannot set 500 GLM aside", "budget")
    with pytest.raises(click.ClickException, match="The wallet cannot set 500 GLM aside"):
        make().prepare_for_head_node({"provider": {}})
    assert others_may()


def test_a_home_that_cannot_be_written(home: Path) -> None:
    (home / ".local").write_text("a file", encoding="utf-8")
    with pytest.raises(RayOnGolemError, match="set XDG_DATA_HOME"):
        turn.take("one")
