"""The demo ends what it has begun, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from appliance import demo
from appliance.bridge import Bridge, LiveNode
from appliance.paths import CLUSTER_FILE
from appliance.settings import cluster_name
from appliance.steps import StepError
from tests.unit.appliance.bench import NODE, Recorder, on

MINE = replace(NODE, cluster=cluster_name(CLUSTER_FILE))


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> list[LiveNode]:
    """What the bridge says is rented once the appliance is up."""
    nodes: list[LiveNode] = []
    monkeypatch.setattr(demo, "bring_up", lambda _steps, _settings: None)
    monkeypatch.setattr(Bridge, "live_nodes", lambda _self: nodes)
    monkeypatch.setattr(demo, "open_at_yagna", lambda _steps: {})
    return nodes


def test_a_cluster_that_is_the_users_is_neither_joined_nor_taken_down(live: list[LiveNode], tmp_path: Path) -> None:
    live += [replace(NODE, node_id="another"), MINE, replace(MINE, node_id="ending", state="terminating")]
    steps = Recorder(tmp_path)
    expected = rf"(?s)golem-cluster runs, .*{MINE.node_id}  running on alder.*ray down golem-cluster\.yaml.*make demo"
    with pytest.raises(StepError, match=expected) as refused:
        demo.run_demo(steps, on("devnet", tmp_path))
    assert steps.commands == []
    assert all(name not in str(refused.value) for name in ("another", "ending"))


@pytest.mark.parametrize("node", [NODE, replace(MINE, state="terminating")], ids=["another cluster's", "ending"])
def test_what_the_demo_began_it_ends(live: list[LiveNode], tmp_path: Path, node: LiveNode) -> None:
    live.append(node)
    steps = Recorder(tmp_path, "ray up")
    with pytest.raises(StepError, match="failed"):
        demo.run_demo(steps, on("devnet", tmp_path))
    assert steps.ran("ray up", "ray submit", "ray down") == ["ray up", "ray down"]
