"""Every example app, with little to do: the same command line on a local Ray and on a rented cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.bridge import Bridge
from appliance.paths import ROOT, VENV
from appliance.settlement import wait_for_settlement
from appliance.steps import Steps
from tests.e2e.cluster import ClusterFile
from tests.e2e.conftest import MakeCluster

EXAMPLES = ROOT / "examples"
PICTURE = "/tmp/mandelbrot-of-the-tests.png"
APPS = {
    "tasks": (["--count", "8", "--seconds", "0.05"], "8 tasks in"),
    "actors": (["--actors", "1", "--texts", "3", "--length", "100"], "300 words in"),
    "pi": (["--tasks", "3", "--samples", "10000"], "off, after"),
    "mandelbrot": (["--width", "60", "--height", "40", "--output", PICTURE], f"{PICTURE}: 60 x 40 in"),
    "hash_cracker": (["--word", "ray"], "found 'ray'"),
    "bridge_deal": (["--tasks", "4", "--deals", "10"], "40 deals in"),
}
"""What each is told, and what it must say."""


@pytest.fixture(scope="module")
def cluster(make_cluster: MakeCluster, bridge: Bridge, steps: Steps, nothing_open: None) -> Iterator[ClusterFile]:
    made = make_cluster("examples")
    outcome = made.up()
    assert outcome.code == 0, outcome.text
    yield made
    made.down()
    wait_for_settlement(steps, bridge, made.name)


def test_none_is_forgotten() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(APPS)


@pytest.mark.parametrize("app", APPS)
def test_it_runs_on_a_cluster(cluster: ClusterFile, app: str) -> None:
    arguments, expected = APPS[app]
    outcome = cluster.ray("submit", EXAMPLES / f"{app}.py", "--", *arguments)
    assert outcome.code == 0, outcome.text
    assert expected in outcome.text


@pytest.mark.parametrize(
    ("app", "arguments"),
    [("actors", ["--actors", "3"]), ("bridge_deal", ["--tasks", "60", "--deals", "40000"])],
)
def test_it_runs_on_nodes_rented_for_it(make_cluster: MakeCluster, app: str, arguments: list[str]) -> None:
    """Up to the limit: a head and two workers. The app itself says where its parts ran."""
    cluster = make_cluster(app.replace("_", "-"))
    outcome = cluster.up()
    assert outcome.code == 0, outcome.text
    outcome = cluster.ray("submit", EXAMPLES / f"{app}.py", "--", *arguments)
    assert outcome.code == 0, outcome.text
    assert set(re.findall(r"192-168-0-\d+", outcome.text)) == {f"192-168-0-{host}" for host in (3, 4, 5)}, outcome.text
    assert cluster.down().code == 0


def test_the_picture_comes_down(cluster: ClusterFile, tmp_path: Path) -> None:
    target = tmp_path / "picture.png"
    arguments, _ = APPS["mandelbrot"]
    assert cluster.ray("submit", EXAMPLES / "mandelbrot.py", "--", *arguments).code == 0
    assert cluster.ray("rsync-down", PICTURE, target).code == 0
    assert target.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("app", APPS)
def test_it_runs_without_a_cluster(cluster: ClusterFile, app: str) -> None:
    arguments, expected = APPS[app]
    outcome = cluster.run(VENV / "bin" / "python", EXAMPLES / f"{app}.py", *arguments)
    assert outcome.code == 0, outcome.text
    assert expected in outcome.text
