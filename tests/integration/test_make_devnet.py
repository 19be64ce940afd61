"""``make devnet`` for real: beside the appliance, for an SDK's script; and what it says when it cannot start."""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from golem_devnet.catalogue.images import NODE_IMAGE
from tests.devnet import PYTHON, ROOT
from tests.integration.requestor import IMAGE

CLIENTS = Path(__file__).parent / "clients"
TIMEOUT = 600
"""Seconds for one command; the first one may have images to build."""

BROKEN = '{"block": {"number'


@dataclass(frozen=True)
class MakeDevnet:
    """``make devnet`` and ``make devnet-down`` under a project, a folder and a port of their own."""

    project: str
    folder: str
    port: int

    @property
    def environment(self) -> dict[str, str]:
        own = {"COMPOSE_PROJECT_NAME": self.project, "RUN_DIR": self.folder, "YAGNA_PORT": str(self.port)}
        return {**os.environ, **own}

    @property
    def env_file(self) -> Path:
        return ROOT / self.folder / "devnet.env"

    @property
    def key(self) -> str:
        (line,) = [line for line in self.env_file.read_text().splitlines() if "YAGNA_APPKEY" in line]
        return line.partition("=")[2]

    def run(self, *command: str, port: int | None = None) -> subprocess.CompletedProcess[str]:
        environment = self.environment | ({"YAGNA_PORT": str(port)} if port is not None else {})
        return self._call([sys.executable, "-m", "appliance", *command], environment)

    def containers(self) -> list[str]:
        label = f"label=com.docker.compose.project={self.project}-devnet"
        return self._call(["docker", "ps", "--quiet", "--no-trunc", "--filter", label]).stdout.split()

    def in_chain(self, command: str) -> str:
        """A shell command on the chain's files, with nothing running."""
        start = ["docker", "compose", "-p", f"{self.project}-devnet", "run", "--rm", "--no-deps", "-T"]
        done = self._call([*start, "--entrypoint", "sh", "chain", "-c", command])
        assert done.returncode == 0, done.stderr
        return done.stdout

    def images(self) -> set[str]:
        """Tags in its catalogue, asked as docs/DEVNET.md says."""
        catalogue = [PYTHON, "-m", "golem_devnet", "images", "list"]
        done = self._call(["docker", "compose", "-p", f"{self.project}-devnet", "exec", "-T", "devnet", *catalogue])
        assert done.returncode == 0, done.stderr
        return {image["tag"] for image in json.loads(done.stdout)}

    def wipe(self) -> None:
        """As the chain advises."""
        self._call(["docker", "compose", "-p", f"{self.project}-devnet", "down", "--volumes"])

    def _call(self, command: list[str], environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        chosen = environment or self.environment
        return subprocess.run(
            command, cwd=ROOT, env=chosen, capture_output=True, text=True, timeout=TIMEOUT, check=False
        )


@pytest.fixture(scope="module")
def devnet() -> Iterator[MakeDevnet]:
    project = f"{os.environ.get('COMPOSE_PROJECT_NAME', 'ray-on-golem')}-sdk"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    made = MakeDevnet(project, f"./run/{project}", port)
    yield made
    made.wipe()
    shutil.rmtree(ROOT / made.folder, ignore_errors=True)


def test_a_taken_port_is_named_and_nothing_is_changed(devnet: MakeDevnet) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        done = devnet.run("devnet", port=port)
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert f"Port {port} on 127.0.0.1 is taken by another program — nothing was changed" in said
    assert f"YAGNA_PORT={port + 1}" in said
    assert not devnet.containers()
    assert not devnet.env_file.exists()


def test_an_sdks_script_runs_with_nothing_but_the_env_file(devnet: MakeDevnet) -> None:
    done = devnet.run("devnet")
    assert done.returncode == 0, done.stdout + done.stderr
    assert stat.S_IMODE(devnet.env_file.stat().st_mode) == 0o600
    assert devnet.key not in done.stdout + done.stderr
    bare = {"PATH": f"{CLIENTS}:{os.environ['PATH']}", "HOME": os.environ.get("HOME", "/"), "IMAGE": IMAGE}
    script = f'. "{devnet.env_file}" && exec "{sys.executable}" "{CLIENTS / "yapapi_client.py"}"'
    ran = subprocess.run(["sh", "-c", script], env=bare, capture_output=True, text=True, timeout=180, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert "hello from 192-168-" in ran.stdout
    assert "CLOSED" in ran.stdout


def test_a_second_start_leaves_everything_running(devnet: MakeDevnet) -> None:
    before, key = devnet.containers(), devnet.key
    assert len(before) == 3
    assert devnet.run("devnet").returncode == 0
    assert (devnet.containers(), devnet.key) == (before, key)


def test_wallet_and_key_outlive_devnet_down(devnet: MakeDevnet) -> None:
    key = devnet.key
    assert devnet.run("devnet-down").returncode == 0
    assert not devnet.env_file.exists()
    assert not devnet.containers()
    assert devnet.run("devnet").returncode == 0
    assert devnet.key == key


def test_make_image_reaches_it_though_it_is_not_the_appliances(devnet: MakeDevnet) -> None:
    image = f"ray-on-golem/chain:{os.environ.get('IMAGE_TAG', 'local')}"
    done = devnet.run("image", image, "tests/image:1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"the devnet of {devnet.project}-devnet" in done.stdout
    assert devnet.images() == {NODE_IMAGE, "tests/image:1"}


def test_a_damaged_chain_is_told_with_a_way_out_and_left_as_it_is(devnet: MakeDevnet) -> None:
    assert devnet.run("devnet-down").returncode == 0
    devnet.in_chain(f"printf '%s' '{BROKEN}' > /var/lib/chain/state.json")
    done = devnet.run("devnet")
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert "state file /var/lib/chain/state.json is damaged" in said
    assert f"docker compose -p {devnet.project}-devnet down --volumes" in said
    assert not devnet.env_file.exists()
    devnet.run("devnet-down")
    assert devnet.in_chain("cat /var/lib/chain/state.json") == BROKEN
    devnet.wipe()
    assert devnet.run("devnet").returncode == 0
