"""A secret is in its own files and with those that need it, and nowhere else: searched for after a cluster has run."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tarfile
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from appliance.bridge import Bridge
from appliance.paths import ROOT
from appliance.settings import Settings, read_values
from golem_bridge.api import v013
from tests.devnet import compose, inside
from tests.e2e.canaries import Canary, Processes, found_in, found_in_tar, output_of
from tests.e2e.cluster import ClusterFile
from tests.e2e.conftest import MakeCluster
from tests.unit.docs.test_docs import ROUTE

HOST_TOKEN, METRICS_TOKEN, APP_KEY = "host token", "metrics token", "app-key"
WALLET_KEY, WALLET_FILE = "wallet's key", "wallet's key file"
BRIDGE_KEY, CLUSTER_KEY, HOST_KEY, RELAY_TOKEN = (
    "bridge's ssh key",
    "cluster's ssh key",
    "node's host key",
    "relay token",
)

HOMES = {
    HOST_TOKEN: {"bridge:/run/bridge/token"},
    METRICS_TOKEN: {"bridge:/run/bridge/metrics-token", "prometheus:/run/metrics/token"},
    APP_KEY: {"yagna:/run/yagna/app-key"},
    WALLET_FILE: {"yagna:/var/lib/yagna/devnet/yagna.db"},
    BRIDGE_KEY: {"bridge:/var/lib/bridge/id_ed25519"},
    CLUSTER_KEY: {"node:/root/ray_bootstrap_key.pem"},
    HOST_KEY: {"node:/etc/ssh/ssh_host_ed25519_key"},
    RELAY_TOKEN: {"bridge:/var/lib/bridge/bridge.sqlite", "node:/var/lib/ray-on-golem/relay-token"},
}
"""Where each must be, in containers and nodes. The wallet's key itself is in no file: its file is encrypted."""

FOLDERS = {
    "yagna": ("/var/lib/yagna", "/run/yagna", "/run/wallet"),
    "bridge": ("/var/lib/bridge", "/run/bridge"),
    "chain": ("/var/lib/chain", "/run/chain"),
    "devnet": ("/var/lib/golem-devnet",),
    "prometheus": ("/prometheus", "/run/metrics"),
}
"""The volumes, by one that has them mounted."""

NODES = "/run/golem-devnet/nodes"
IN_NODES = re.compile(r"(?:\./)?[^/]+/[^/]+/upper(/.*)")
"""Provider, node, and what the node itself calls the file."""
DATABASE = re.compile(r"-(wal|shm)$")
"""What SQLite keeps beside a database, for it."""

CHANGING = {"/request_nodes", "/set_tags", "/terminate", "/shutdown", "/ger_or_create_default_ssh_key"}
"""Routes of 0.13 that do something; the last one gives its own client the key made for it."""

READ_FILE = """
import sqlite3
books = sqlite3.connect("file:/var/lib/yagna/devnet/yagna.db?mode=ro", uri=True)
print(books.execute("select key_file_json from identity where is_default").fetchone()[0])
"""
NEWEST_TOKEN = """
import sqlite3
books = sqlite3.connect("file:/var/lib/bridge/bridge.sqlite?mode=ro", uri=True)
print(books.execute("select relay_token from nodes where node_id = ?", [{node_id!r}]).fetchone()[0])
"""


@dataclass(frozen=True)
class Evidence:
    """A live cluster, the secrets in play, and what was seen while it started."""

    cluster: ClusterFile
    node_id: str
    canaries: tuple[Canary, ...]
    processes: Processes
    printed: str


@pytest.fixture(scope="module")
def evidence(make_cluster: MakeCluster, bridge: Bridge, settings: Settings) -> Iterator[Evidence]:
    cluster, processes = make_cluster("canary"), Processes()
    with processes.watched():
        printed = [cluster.up(), cluster.ray("exec", "echo here I am")]
        env = {"RAY_ON_GOLEM_TOKEN_FILE": str(settings.token_file)}
        printed += [cluster.run("ray-on-golem", command, env=env) for command in ("status", "version")]
    assert [outcome.code for outcome in printed[:3]] == [0, 0, 0], printed
    (node,) = cluster.nodes(bridge)
    yield Evidence(
        cluster=cluster,
        node_id=node.node_id,
        canaries=tuple(secrets_of(settings, cluster, node.node_id)),
        processes=processes,
        printed="".join(outcome.text for outcome in printed),
    )
    assert cluster.down().code == 0


def secrets_of(settings: Settings, cluster: ClusterFile, node_id: str) -> Iterator[Canary]:
    """Those of the installation, of the cluster and of its head."""
    yield Canary.of_text(HOST_TOKEN, settings.token_file.read_text())
    yield Canary.of_text(METRICS_TOKEN, inside("bridge", "cat", "/run/bridge/metrics-token"))
    yield Canary.of_text(APP_KEY, inside("yagna", "cat", "/run/yagna/app-key"))
    key_file = json.loads(inside("yagna", "python3", "-c", READ_FILE))["crypto"]
    yield Canary.of_text(WALLET_FILE, key_file["ciphertext"])
    yield Canary.of_bytes(WALLET_KEY, decrypted(key_file))
    yield Canary.of_ssh_key(BRIDGE_KEY, inside("bridge", "cat", "/var/lib/bridge/id_ed25519"))
    own = Path.home() / ".local" / "share" / "ray-on-golem" / cluster.name / "id_ed25519"
    yield Canary.of_ssh_key(CLUSTER_KEY, own.read_text())
    shown = cluster.ray("exec", "cat /etc/ssh/ssh_host_ed25519_key").text
    yield Canary.of_ssh_key(HOST_KEY, shown[shown.index("-----BEGIN") : shown.index("-----END")] + "-----END\n")
    python = "/opt/venv/bin/python"
    yield Canary.of_text(RELAY_TOKEN, inside("bridge", python, "-c", NEWEST_TOKEN.format(node_id=node_id)))


def decrypted(crypto: dict[str, object]) -> bytes:
    """The private key of an Ethereum key file without a password, as yagna makes it."""
    parameters, iv = crypto["kdfparams"], crypto["cipherparams"]
    assert isinstance(parameters, dict)
    assert isinstance(iv, dict)
    assert (crypto["kdf"], crypto["cipher"]) == ("pbkdf2", "aes-128-ctr")
    salt, rounds = bytes.fromhex(parameters["salt"]), parameters["c"]
    key = hashlib.pbkdf2_hmac("sha256", b"", salt, rounds, parameters["dklen"])
    cipher = Cipher(algorithms.AES(key[:16]), modes.CTR(bytes.fromhex(iv["iv"]))).decryptor()
    return cipher.update(bytes.fromhex(str(crypto["ciphertext"])))


@pytest.fixture(scope="module")
def files(evidence: Evidence) -> dict[str, set[str]]:
    """Of every canary, the files of containers and nodes it is in."""
    homes: dict[str, set[str]] = defaultdict(set)
    for service, folders in FOLDERS.items():
        container = compose("ps", "--quiet", service).strip()
        for folder in folders:
            with output_of("docker", "cp", f"{container}:{folder}", "-") as stream:
                searched = list(found_in_tar(evidence.canaries, stream))
            assert searched, f"nothing in {service}:{folder}"
            for name, canaries in searched:
                for canary in canaries:
                    homes[canary].add(f"{service}:{Path(folder).parent}/{name}")
    with output_of("docker", "compose", "exec", "-T", "devnet", "tar", "-C", NODES, "-cf", "-", ".") as stream:
        for name, canaries in found_in_tar(evidence.canaries, stream):
            where = IN_NODES.fullmatch(name)
            for canary in canaries:
                homes[canary].add(f"node:{where[1] if where else name}")
    return {
        name: {re.sub(r"(\.db|\.sqlite)-(wal|shm)$", r"\1", path) for path in paths} for name, paths in homes.items()
    }


def test_each_is_in_its_own_files_and_in_no_others(files: dict[str, set[str]]) -> None:
    assert files == HOMES


def test_logs_and_what_commands_printed(evidence: Evidence, settings: Settings) -> None:
    logs = compose("logs", "--no-color")
    assert "yagna-entry: ready on devnet" in logs
    assert found_in(evidence.canaries, logs.encode()) == set()
    assert found_in(evidence.canaries, evidence.printed.encode()) == set()
    steps = b"".join(path.read_bytes() for path in settings.logs.glob("*.log"))
    assert found_in(evidence.canaries, steps) == set()


def test_processes(evidence: Evidence) -> None:
    """yagna takes its app-key in its environment only, which only its own user and root can read.

    The nodes' processes are among those seen: on the devnet the provider's machine is this one.
    """
    assert evidence.processes.found(evidence.canaries) <= {(APP_KEY, "environ of yagna")}
    assert any("golem_bridge" in text.decode(errors="replace") for text in evidence.processes.seen)


def test_answers_of_the_api(evidence: Evidence, settings: Settings) -> None:
    token = settings.token_file.read_text().strip()
    address = f"http://127.0.0.1:{settings.ports.bridge}"
    path_values = {"{name}": evidence.cluster.name, "{node_id}": evidence.node_id, "{port}": "8090"}
    good = 0
    for method, route in ROUTE.findall((ROOT / "docs" / "ARCHITECTURE.md").read_text()):
        if method != "GET":
            continue
        for placeholder, value in path_values.items():
            route = route.replace(placeholder, value)  # noqa: PLW2901 - filled in bit by bit
        for accept in ("application/json", "text/html"):
            code, body = asked(address + route, token, accept=accept)
            good += code == 200
            assert found_in(evidence.canaries, body) == set(), route
    body_of_all: dict[str, object] = {
        "cluster_name": evidence.cluster.name,
        "node_id": evidence.node_id,
        "tags": {},
        "payment_network": "hoodi",
        "payment_driver": "erc20",
    }
    for path in sorted(v013.PATHS - CHANGING - {"/"}):
        code, body = asked(address + path, token, body=body_of_all)
        good += code == 200
        assert found_in(evidence.canaries, body) == set(), path
    prometheus = f"http://127.0.0.1:{settings.ports.prometheus}"
    for path in ("/api/v1/status/config", "/api/v1/status/flags", "/api/v1/targets", "/metrics"):
        code, body = asked(prometheus + path, None)
        good += code == 200
        assert found_in(evidence.canaries, body) == set(), path
    assert good > 25


def asked(
    url: str, token: str | None, *, accept: str = "*/*", body: dict[str, object] | None = None
) -> tuple[int, bytes]:
    """Status and body, those of an error too, and the headers before them."""
    headers = {"Accept": accept, "Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data, headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, str(answer.headers).encode() + answer.read()
    except urllib.error.HTTPError as error:
        return error.code, str(error.headers).encode() + error.read()


def test_images_and_what_docker_tells_of_containers(evidence: Evidence) -> None:
    images = sorted(set(compose("config", "--images").split()))
    containers = compose("ps", "--all", "--quiet").split()
    told = [["history", "--no-trunc", image] for image in images] + [["inspect", *images, *containers]]
    for arguments in told:
        done = subprocess.run(["docker", *arguments], capture_output=True, check=True)
        assert found_in(evidence.canaries, done.stdout) == set()
    with output_of("docker", "save", *images) as stream:
        searched = list(found_in_tar(evidence.canaries, stream))
    assert [name for name, canaries in searched if canaries] == []
    assert len(searched) > len(images)


def test_the_support_bundle(evidence: Evidence, settings: Settings) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "appliance", "support-bundle"], cwd=ROOT, capture_output=True, check=True
    )
    assert found_in(evidence.canaries, done.stdout + done.stderr) == set()
    bundle = max(settings.run.glob("support-*.tar.gz"), key=lambda path: path.stat().st_mtime)
    assert bundle.stat().st_mode & 0o777 == 0o600
    with tarfile.open(bundle) as archive:
        names = archive.getnames()
        content = b"".join(file.read() for name in names if (file := archive.extractfile(name)))
    bundle.unlink()
    assert {"support/doctor.txt", "support/logs/bridge.log", "support/logs/yagna.log"} <= set(names)
    assert b"ready on devnet" in content
    assert found_in(evidence.canaries, content) == set()


def test_files_on_the_host(evidence: Evidence, settings: Settings) -> None:
    """The host's token is in its file, the cluster's key in the user's folder; Ray's own files hold neither."""
    assert found_in(evidence.canaries, repr(read_values()).encode()) == set()
    run = {
        path.name: found_in(evidence.canaries, path.read_bytes()) for path in settings.run.iterdir() if path.is_file()
    }
    assert {name: found for name, found in run.items() if found} == {"bridge-token": {HOST_TOKEN}}
    assert settings.token_file.stat().st_mode & 0o777 == 0o600
    of_ray = [path for path in Path("/tmp").glob("ray*") if path.is_file() and path.owner() == Path.home().owner()]
    assert {str(path): found for path in of_ray if (found := found_in(evidence.canaries, path.read_bytes()))} == {}
