"""The rest of Ray's commands for clusters, with a key of the user's own, named by a path with a tilde."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from appliance.paths import ROOT, VENV
from tests.e2e.cluster import ClusterFile, wait_until
from tests.e2e.conftest import MakeCluster

PATIENCE = 60
"""Seconds."""

NODES_PYTHON = (3, 11)

CONTROL_PERSIST = 11.0
"""Seconds after which ssh, as Ray calls it, has let an idle connection go."""

PROGRAM = """
import ray
from ray.util import get_node_ip_address
for turn in range({turns}):
    ray.init("ray://127.0.0.1:{port}")
    print("turn", turn, "ran on", ray.get(ray.remote(get_node_ip_address).remote()))
    ray.shutdown()
"""
"""Each turn gets a server of its own on the head, of which now and then one used to die at birth."""


@dataclass(frozen=True)
class User:
    """Somebody with a home folder, in which a key lies, and a cluster."""

    cluster: ClusterFile
    env: Mapping[str, str]


@pytest.fixture(scope="module")
def user(make_cluster: MakeCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    home = tmp_path_factory.mktemp("home")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(home / "golem-key")], check=True)
    env = {"HOME": str(home)}
    cluster = make_cluster("commands")
    cluster.content["auth"] = {"ssh_user": "root", "ssh_private_key": "~/golem-key"}
    cluster.have_no_workers()
    outcome = cluster.up(env=env)
    assert outcome.code == 0, outcome.text
    yield User(cluster, env)
    cluster.down()


def test_monitor_shows_the_autoscalers_log(user: User) -> None:
    with following(user, "monitor") as command:
        assert command.stdout is not None
        for line in command.stdout:
            if re.search(r"autoscaler|Cluster status|======== ", line):
                return
        pytest.fail("ray monitor ended without a word of the autoscaler")


def test_a_job_is_submitted_through_the_dashboard(user: User) -> None:
    port = free_port()
    with following(user, "dashboard", "--port", str(port)):
        wait_until(lambda: listens(port), PATIENCE, "the dashboard's port")
        address = f"http://127.0.0.1:{port}"
        job = ("python", "-c", "import ray; ray.init(); print('the job ran on', ray.util.get_node_ip_address())")
        outcome = user.cluster.run(
            VENV / "bin" / "ray", "job", "submit", "--address", address, "--", *job, env=user.env
        )
    assert outcome.code == 0, outcome.text
    assert "the job ran on 192.168.0.3" in outcome.text
    assert "succeeded" in outcome.text


def test_python_programs_on_the_host_use_the_cluster(user: User) -> None:
    """Ray Client, through a port of the head that ``ray attach`` forwards; it wants the nodes' Python on both sides."""
    if sys.version_info[:2] != NODES_PYTHON:
        pytest.skip(f"Ray Client cannot be used from Python {sys.version}")
    port, turns = 10001, 8
    program = PROGRAM.format(port=port, turns=turns)
    with following(user, "attach", "--port-forward", str(port)):
        wait_until(lambda: listens(port), PATIENCE, "the forwarded port")
        outcome = user.cluster.run(VENV / "bin" / "python", "-c", program, env=user.env)
    assert outcome.code == 0, outcome.text
    assert outcome.text.count("ran on 192.168.0.3") == turns


def test_ssh_refuses_who_has_not_the_nodes_host_key(user: User) -> None:
    """As if somebody else answered at the node's address. Comes last: nobody gets in any more."""
    key = "/etc/ssh/ssh_host_ed25519_key"
    changed = user.cluster.ray("exec", f"rm {key} && ssh-keygen -q -N '' -f {key} && pkill -HUP -o sshd", env=user.env)
    assert changed.code == 0, changed.text
    time.sleep(CONTROL_PERSIST)
    outcome = user.cluster.ray("exec", "echo let in", env=user.env)
    assert outcome.code != 0
    assert "Host key verification failed" in outcome.text


@contextmanager
def following(user: User, command: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A command that goes on until it is ended."""
    process = subprocess.Popen(
        [str(VENV / "bin" / "ray"), command, *arguments, str(user.cluster.path)],
        cwd=ROOT,
        env={**os.environ, **user.env},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, 15)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.stdout.close()
        process.wait(PATIENCE)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
