"""Setting up from a fresh clone: without make, twice, with an engine that stops half-way, and back from a backup.

In a copy of the repository with a compose project of its own, beside the appliance of the other tests.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from appliance.paths import ROOT
from appliance.settings import IMAGES, Settings, read_values
from appliance.testing import own_appliance
from tests.dotenv import committed
from tests.e2e.engine_proxy import EngineProxy

PROJECT = "ray-on-golem-clone"
SPEC = {
    "total_budget": "2",
    "head_node_type": "head",
    "max_workers": 0,
    "node_types": {"head": {"demand": {"image_tag": "ray-on-golem/ray-node:local"}}},
    "ssh_public_key": asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip(),
}
FUNDED = Decimal(1000)
"""GLM in a new wallet."""

TIMEOUT = 300
"""Seconds a command may take; an appliance starts in a sixth of that."""


OF_MAKE = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
"""With these, which `make test` hands on, a `make` of the clone's tells which folder it is in."""


@dataclass
class Clone:
    """A copy of the tracked files, and the environment of somebody who has just cloned them."""

    folder: Path
    environment: dict[str, str]
    ports: dict[str, int] = field(default_factory=dict)

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Nobody sits at the terminal."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )

    def make(self, target: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run("make", target, **environment)

    def containers(self) -> dict[str, str]:
        """Id by service, of those that were made."""
        shown = self.run("docker", "compose", "--profile", "*", "ps", "--all", "--format", "json").stdout
        return {row["Service"]: row["ID"] for row in map(json.loads, shown.splitlines())}

    def volumes(self) -> set[str]:
        label = f"label=com.docker.compose.project={PROJECT}"
        return set(self.run("docker", "volume", "ls", "--quiet", "--filter", label).stdout.split())

    def ask(self, path: str, body: object = None, *, method: str = "GET") -> Any:  # noqa: ANN401 - parsed JSON
        """The bridge, with the token that the one-shot service made."""
        token = (self.folder / "run" / "bridge-token").read_text().strip()
        data = json.dumps(body).encode() if body is not None else None
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        url = f"http://127.0.0.1:{self.ports['BRIDGE_PORT']}{path}"
        with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=90) as answer:
            return json.load(answer)

    @contextmanager
    def with_env(self, old: str, new: str) -> Iterator[None]:
        """A changed ``.env``."""
        path = self.folder / ".env"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        yield
        path.write_text(text)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def clone(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """The other tests' ``.venv`` and images serve, so that no package is fetched twice."""
    folder = tmp_path_factory.mktemp("fresh") / "clone"
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / ".env").write_text(committed())
    (folder / ".venv").symlink_to(ROOT / ".venv")
    ports = {key: free_port() for key in settings.ports.by_key()}
    ours = {*own_appliance(), "APPLIANCE_DIR"}
    environment = {key: value for key, value in os.environ.items() if key not in {*ours, *OF_MAKE}}
    made = Clone(folder, environment, ports)
    made.environment |= {"COMPOSE_PROJECT_NAME": PROJECT, **{key: str(port) for key, port in ports.items()}}
    made.environment |= {key: value for key, value in read_values().items() if key in IMAGES}
    if settings.profiles_file.exists() and "grafana" not in settings.profiles:
        made.environment["COMPOSE_PROFILES"] = "devnet"  # as README says where Grafana's image cannot be had
    yield made
    made.run("docker", "compose", "--profile", "*", "down", "--volumes", "--remove-orphans")


def untouched(clone: Clone) -> None:
    """Nothing was made: no container, no volume, no file."""
    assert clone.containers() == {}
    assert clone.volumes() == set()
    assert [path.name for path in (clone.folder / "run").iterdir()] == [".gitignore"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("GOLEM_NETWORK=devnet", "GOLEM_NETWORK=mainnet", "is 'mainnet' — it must be devnet, hoodi, polygon"),
        ("DEVNET_PROVIDERS=", "DEVNET_PROVIDRES=", "which nothing reads — did you mean DEVNET_PROVIDERS?"),
        ("DEVNET_PROVIDERS=6", "DEVNET_PROVIDERS=six", "DEVNET_PROVIDERS is 'six' — it must be a number"),
        ("GOLEM_NETWORK=devnet", "GOLEM_NETWORK: polygon", "of .env is no setting"),
        ("GOLEM_NETWORK=devnet", "GOLEM_NETWORK=polygon", "Nobody is there to be asked — nothing was changed"),
    ],
)
def test_a_mistake_in_env_is_named_before_anything_is_done(clone: Clone, old: str, new: str, said: str) -> None:
    with clone.with_env(old, new):
        done = clone.make("up")
    assert done.returncode != 0
    assert said in done.stdout
    assert "Traceback" not in done.stdout
    untouched(clone)


def test_a_port_that_is_taken_is_named_before_anything_is_done(clone: Clone) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = clone.make("up", PROMETHEUS_PORT=str(port))
    assert done.returncode != 0
    assert f"Port {port} on 127.0.0.1 is taken by another program — nothing was changed" in done.stdout
    untouched(clone)


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """The folder becomes a file system of 64 MiB, which is in memory. Skips the test of who may not mount."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", folder], capture_output=True, text=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"only who may mount has a small disk: {mounted.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_disk_that_is_nearly_full_is_named_before_anything_is_done(clone: Clone, tmp_path: Path) -> None:
    with small_disk(tmp_path):
        small = replace(clone, folder=tmp_path / "clone")
        shutil.copytree(clone.folder, small.folder, symlinks=True)
        done = small.make("up")
        assert done.returncode != 0
        assert f"0.1 GiB are free in {small.folder}, " in done.stdout
        assert "are needed — nothing was changed — make room there" in done.stdout
        untouched(small)
        found = json.loads(small.make("doctor", ARGS="--json").stdout.partition("\nmake doctor failed")[0])
        (disk,) = [finding for finding in found if finding["name"] == "disk"]
        assert not disk["ok"]
    untouched(clone)


def test_compose_alone_brings_everything_up(clone: Clone) -> None:
    done = clone.run("docker", "compose", "up", "--detach", "--wait")
    assert done.returncode == 0, done.stdout
    token = clone.folder / "run" / "bridge-token"
    assert token.stat().st_mode & 0o777 == 0o600
    assert token.stat().st_uid == (clone.folder / "run").stat().st_uid
    assert clone.ask("/v1/health/ready")["network"] == "devnet"
    assert {"bridge", "yagna", "prometheus", "chain", "devnet", "secrets"} <= set(clone.containers())


def test_make_up_leaves_alone_what_runs(clone: Clone) -> None:
    wallet = clone.ask("/v1/health/ready")["wallet"]
    made = []
    for _ in range(2):
        done = clone.make("up")
        assert done.returncode == 0, done.stdout
        made.append(clone.containers())
    assert made[0] == made[1]
    assert clone.ask("/v1/health/ready")["wallet"] == wallet


def test_an_engine_that_stops_half_way_is_named_and_the_next_try_goes_on(clone: Clone, tmp_path: Path) -> None:
    wallet = clone.ask("/v1/health/ready")["wallet"]
    assert clone.make("down").returncode == 0
    with EngineProxy(tmp_path / "docker.sock", last_words=b"/start HTTP") as engine:
        done = clone.make("up", DOCKER_HOST=engine.address)
    assert engine.has_stopped.is_set()
    assert done.returncode != 0
    assert "The Docker engine has stopped — " in done.stdout
    assert "go on with: make up" in done.stdout
    assert "Traceback" not in done.stdout
    again = clone.make("up")
    assert again.returncode == 0, again.stdout
    assert clone.ask("/v1/health/ready")["wallet"] == wallet


def test_wallet_and_books_survive_the_loss_of_every_volume(clone: Clone) -> None:
    wallet = clone.ask("/v1/health/ready")["wallet"]
    bill = paid_cluster(clone, "kept")
    left = FUNDED - Decimal(bill["total_paid"])
    await_amount(clone, left)
    done = clone.make("backup")
    assert done.returncode == 0, done.stdout
    (backup,) = (clone.folder / "run" / "backup").iterdir()
    assert backup.stat().st_mode & 0o777 == 0o600
    with tarfile.open(backup) as archive:
        assert "./yagna-data/devnet/yagna.db" in archive.getnames()
    assert clone.run("docker", "compose", "--profile", "*", "down", "--volumes").returncode == 0
    assert clone.volumes() == set()

    done = clone.make("restore", FROM=str(backup.relative_to(clone.folder)))
    assert done.returncode == 0, done.stdout
    done = clone.make("up")
    assert done.returncode == 0, done.stdout
    assert clone.ask("/v1/health/ready")["wallet"] == wallet
    assert clone.ask("/v1/clusters/kept/bill") == bill
    await_amount(clone, left)
    assert paid_cluster(clone, "kept")["incarnation"] == bill["incarnation"] + 1


def paid_cluster(clone: Clone, name: str) -> Any:  # noqa: ANN401 - parsed JSON
    """Rent a node, end it, wait until it is paid; the bill."""
    clone.ask(f"/v1/clusters/{name}", SPEC, method="PUT")
    wanted = {"node_type": "head", "count": 1, "tags": {}}
    (node,) = clone.ask(f"/v1/clusters/{name}/nodes", wanted, method="POST")["nodes"]
    deadline = time.monotonic() + TIMEOUT
    while node["state"] != "running":
        assert node["state"] not in {"terminating", "terminated"}, node
        assert time.monotonic() < deadline, node
        node = clone.ask(f"/v1/clusters/{name}/nodes/{node['node_id']}?wait=20&until=running")
    clone.ask(f"/v1/clusters/{name}/close", method="POST")
    while not (bill := clone.ask(f"/v1/clusters/{name}/bill"))["settled"] or bill["state"] != "closed":
        assert time.monotonic() < deadline, bill
        time.sleep(1)
    return bill


def await_amount(clone: Clone, amount: Decimal) -> None:
    """The wallet's amount is looked at every 30 s."""
    deadline = time.monotonic() + 120
    while (now := known_amount(clone)) != amount:
        assert time.monotonic() < deadline, (now, amount)
        time.sleep(2)


def known_amount(clone: Clone) -> Decimal | None:
    """GLM in the wallet; None in the first seconds of yagna's."""
    try:
        return Decimal(clone.ask("/v1/wallet")["amount"])
    except urllib.error.HTTPError as error:
        assert "The wallet's amount is unknown" in error.read().decode()
        return None
