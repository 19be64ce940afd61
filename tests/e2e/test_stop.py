"""``ray-on-golem stop`` when things are bad: nothing is left in the wallet, Ray is gone from the host."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance.bridge import Bridge
from appliance.paths import ROOT
from appliance.steps import Steps
from tests.e2e.cluster import ClusterFile, wait_until
from tests.e2e.conftest import MakeCluster
from tests.e2e.crashes import check_paid

SET_GLM = Path(__file__).parent / "inside" / "set_glm.py"


@contextmanager
def empty(wallet: str) -> Iterator[None]:
    """No GLM is in the wallet meanwhile."""
    before = set_glm(wallet, 0)
    try:
        yield
    finally:
        set_glm(wallet, before)


def set_glm(wallet: str, wei: int) -> int:
    """What was there before, in wei."""
    command = ["docker", "compose", "exec", "-T", "chain", "python3", "-", wallet, str(wei)]
    program = SET_GLM.read_text(encoding="utf-8")
    done = subprocess.run(command, cwd=ROOT, input=program, capture_output=True, text=True, timeout=60, check=True)
    return int(done.stdout)


@pytest.fixture
def without_ray(tmp_path: Path) -> dict[str, str]:
    """An environment in which Ray cannot be imported."""
    (tmp_path / "ray.py").write_text('raise ImportError("Ray is gone")\n', encoding="utf-8")
    return {"PYTHONPATH": str(tmp_path)}


def test_it_ends_a_cluster_that_is_paid_once_there_is_money_again(
    make_cluster: MakeCluster, bridge: Bridge, steps: Steps, without_ray: dict[str, str]
) -> None:
    cluster = make_cluster("broke")
    cluster.have_no_workers()
    outcome = cluster.up()
    assert outcome.code == 0, outcome.text
    environment = {**without_ray, "RAY_ON_GOLEM_TOKEN_FILE": str(cluster.settings.token_file)}
    with empty(bridge.wallet()):
        assert "Ray is gone" in cluster.run("python", "-c", "import ray", env=environment).text
        outcome = cluster.run("ray-on-golem", "stop", cluster.name, env=environment)
        assert outcome.code == 0, outcome.text
        wait_until(lambda: not cluster.nodes(bridge), 30, "the head to end")
        assert not bridge.bill(cluster.name).settled
        other = refused_up(make_cluster)
        assert "The wallet cannot set 5 GLM aside — available: 0 GLM" in other, other
    bill = check_paid(cluster, bridge, steps)
    assert bill.total_paid > 0


def refused_up(make_cluster: MakeCluster) -> str:
    """What ``ray up`` says to an empty wallet."""
    cluster: ClusterFile = make_cluster("hopeless")
    outcome = cluster.up()
    assert outcome.code != 0
    return outcome.text
