"""The unmodified client of Ray on Golem 0.13.0, from PyPI, drives this appliance: `ray up`, `exec`, `submit`, `down`.

It can send no token, so it is let in by a setting, which these tests turn on for their bridge and off again.
"""

from __future__ import annotations

import secrets
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from appliance.bridge import Bridge
from appliance.paths import EXAMPLE
from appliance.settings import Settings
from appliance.settlement import check_chain, wait_for_settlement
from appliance.steps import Steps
from tests.e2e.cluster import Outcome, run_command, wait_until
from tests.e2e.crashes import recreate_bridge
from tests.e2e.upstream import clean_environment, install_client, provide_image

STYLE = Path(__file__).with_name("upstream.yaml")
OUR_IMAGE = "ray-on-golem/ray-node:local"

pytestmark = pytest.mark.usefixtures("nothing_open")


@dataclass(frozen=True)
class Upstream:
    """A cluster file, and upstream's commands on it."""

    name: str
    path: Path
    commands: Path
    home: Path

    def ray(self, command: str, *arguments: str | Path) -> Outcome:
        """Should it find no bridge, it would start a server and a Golem daemon of its own: it finds none to start."""
        environment = {
            **clean_environment(),
            "PATH": f"{self.commands}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.home),
            "RAY_ON_GOLEM_PATH": "false",
            "YAGNA_PATH": "false",
            "RAY_USAGE_STATS_ENABLED": "0",
        }
        return run_command(self.commands / "ray", command, self.path, *arguments, env=environment, cwd=self.home)


@pytest.fixture(scope="module")
def commands(steps: Steps) -> Path:
    return install_client(steps)


@pytest.fixture(scope="module")
def admitted(settings: Settings) -> Iterator[None]:
    """The bridge lets the client in, and only as long as these tests last."""
    recreate_bridge(settings, BRIDGE_ADMIT_UPSTREAM_CLIENT="true")
    yield
    recreate_bridge(settings)
    assert status_without_token(settings) == 401


def make(settings: Settings, commands: Path, image: str, folder: Path) -> Upstream:
    """Named anew, as Ray caches what it made of a file."""
    content = yaml.safe_load(STYLE.read_text(encoding="utf-8"))
    content["cluster_name"] = name = f"upstream-{secrets.token_hex(2)}"
    parameters = content["provider"]["parameters"]
    parameters["webserver_port"] = settings.ports.bridge
    parameters["node_config"]["demand"]["image_tag"] = image
    path = folder / "golem-cluster.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return Upstream(name, path, commands, folder)


def status_without_token(settings: Settings) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{settings.ports.bridge}/", timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_it_is_kept_out_by_default(settings: Settings, commands: Path, bridge: Bridge, tmp_path: Path) -> None:
    assert status_without_token(settings) == 401
    outcome = make(settings, commands, OUR_IMAGE, tmp_path).ray("up", "--yes")
    assert outcome.code != 0
    assert bridge.live_nodes() == []


@pytest.fixture(scope="module")
def upstream_image(steps: Steps, settings: Settings) -> str:
    return provide_image(steps, settings)


@pytest.fixture(scope="module", params=["upstream's image", "our image"])
def cluster(
    request: pytest.FixtureRequest,
    settings: Settings,
    bridge: Bridge,
    steps: Steps,
    commands: Path,
    upstream_image: str,
    admitted: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Upstream]:
    """Its head runs upstream's plug-in in the one image, ours in the other."""
    image = OUR_IMAGE if request.param == "our image" else upstream_image
    made = make(settings, commands, image, tmp_path_factory.mktemp("upstream"))
    outcome = made.ray("up", "--yes")
    assert outcome.code == 0, outcome.text
    for expected in ("Not starting the webserver, as it's already running", "All 1 requested nodes ready"):
        assert expected in outcome.text, outcome.text
    yield made
    if any(node.cluster == made.name for node in bridge.live_nodes()):
        made.ray("down", "--yes")


def test_exec(cluster: Upstream) -> None:
    outcome = cluster.ray("exec", "hostname")
    assert outcome.code == 0, outcome.text
    assert "192-168-0-3" in outcome.text
    # at first Ray says that its services are starting up
    wait_until(lambda: "ray.head.default" in cluster.ray("exec", "ray status").text, 60, "ray status to know the head")


def test_submit_runs_on_nodes_that_the_head_asked_for(cluster: Upstream, bridge: Bridge) -> None:
    outcome = cluster.ray("submit", EXAMPLE, "--", "--min-nodes", "2")
    assert outcome.code == 0, outcome.text
    assert all(f"(192.168.0.{host})" in outcome.text for host in (3, 4)), outcome.text
    nodes = {node.node_id.split("-")[-2] for node in bridge.live_nodes() if node.cluster == cluster.name}
    assert nodes == {"head", "worker"}


def test_down_ends_and_pays_everything(cluster: Upstream, bridge: Bridge, steps: Steps) -> None:
    outcome = cluster.ray("down", "--yes")
    assert outcome.code == 0, outcome.text
    wait_until(lambda: not [node for node in bridge.live_nodes() if node.cluster == cluster.name], 60, "its nodes' end")
    bill = wait_for_settlement(steps, bridge, cluster.name)
    assert len(bill.lines) >= 2
    check_chain(steps, bridge.wallet(), bill)
