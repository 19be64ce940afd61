"""ssh through the relay, in bulk: compared by content, many connections at once, and none left behind.

RELAY_MIB says how much goes each way: few by default, 1024 once in a while.
"""

from __future__ import annotations

import hashlib
import os
import random
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from appliance.settings import Settings
from ray_on_golem import relay_client
from ray_on_golem.keys import default_key
from ray_on_golem.relay_client import WebSocket
from tests.e2e.cluster import ClusterFile
from tests.e2e.conftest import MakeCluster
from tests.e2e.crashes import open_files

MIB = 1024 * 1024
TOTAL = int(os.environ.get("RELAY_MIB", "48")) * MIB
"""Bytes each way."""

FILES = 24
AT_ONCE = 4
CONNECTIONS = 500
FEW = 10
"""Descriptors that come and go with other work."""

TIMEOUT = 60 + TOTAL / MIB
"""Seconds for one ssh command; generous, so that a stuck one fails the test instead of hanging it."""

HEAD_IP = "192.168.0.3"
COUNT = "grep -c ' 01 ' /proc/net/tcp || true"
"""Prints the number of established TCP connections in the node."""


class Ssh:
    """Plain ssh to the head: a connection of its own for each command."""

    def __init__(self, settings: Settings, cluster: ClusterFile) -> None:
        self.settings = settings
        self.cluster = cluster
        program = ("python3", "-S", "-E", relay_client.__file__)
        self.proxy = (*program, "--cluster", cluster.name, "--token-file", str(settings.token_file))
        quiet = ("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR")
        key = ("-i", str(default_key(cluster.name)), "-o", "IdentitiesOnly=yes")
        way = ("-o", f"ProxyCommand={shlex.join(self.proxy)} %h")
        self._command = ["ssh", "-F", "none", *quiet, *key, *way, f"root@{HEAD_IP}"]

    def run(self, command: str, data: bytes = b"") -> bytes:
        """What it prints."""
        done = subprocess.run([*self._command, command], input=data, capture_output=True, timeout=TIMEOUT, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    @contextmanager
    def stalled(self, command: str) -> Iterator[None]:
        """Its output is read by nobody meanwhile."""
        process = subprocess.Popen([*self._command, command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.read(1), "it has printed nothing"
        try:
            yield
        finally:
            process.kill()
            process.stdout.close()
            process.wait()

    def greet(self) -> bytes:
        """Only as far as sshd's first line."""
        token = self.settings.token_file.read_text(encoding="utf-8").strip()
        path = f"/v1/clusters/{self.cluster.name}/nodes/{HEAD_IP}/ssh"
        websocket = WebSocket.open(self.settings.ports.bridge, path, token)
        try:
            return websocket.receive() or b""
        finally:
            websocket.close()


@pytest.fixture(scope="module")
def ssh(settings: Settings, make_cluster: MakeCluster) -> Iterator[Ssh]:
    cluster = make_cluster("bulk")
    cluster.have_no_workers()
    outcome = cluster.up()
    assert outcome.code == 0, outcome.text
    yield Ssh(settings, cluster)
    cluster.down()


@pytest.fixture(scope="module")
def files() -> Sequence[bytes]:
    """Of mixed sizes, together TOTAL bytes."""
    chance = random.Random(4)
    shares = [chance.random() ** 3 + 0.001 for _ in range(FILES)]
    return [chance.randbytes(int(TOTAL * share / sum(shares))) for share in shares]


def test_not_one_wrong_byte_goes_up_or_comes_down(ssh: Ssh, files: Sequence[bytes]) -> None:
    sums = [hashlib.sha256(data).hexdigest() for data in files]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        stored = list(
            pool.map(lambda i: ssh.run(f"tee /tmp/{i} | sha256sum", files[i]).split()[0].decode(), range(FILES))
        )
        assert stored == sums
        fetched = list(pool.map(lambda i: hashlib.sha256(ssh.run(f"cat /tmp/{i}")).hexdigest(), range(FILES)))
        assert fetched == sums
        echoed = list(pool.map(lambda i: ssh.run("cat", files[i]) == files[i], range(0, FILES, 6)))
        assert all(echoed)


def test_a_reader_that_stalls_stops_nobody_else(ssh: Ssh) -> None:
    with ssh.stalled("cat /dev/zero"):
        for number in range(3):
            data = random.Random(number).randbytes(MIB)
            assert ssh.run("cat", data) == data


def test_connections_leave_none_behind(ssh: Ssh) -> None:
    before = int(ssh.run(COUNT))
    held = {service: open_files(service) for service in ("bridge", "yagna")}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        greetings = list(pool.map(lambda _: ssh.greet(), range(CONNECTIONS)))
    assert all(greeting.startswith(b"SSH-2.0-") for greeting in greetings)
    assert relay_links(ssh) == 1
    deadline_counts = [int(ssh.run(f"sleep 1; {COUNT}")) for _ in range(5)]
    assert min(deadline_counts) <= before + 2, deadline_counts
    for service, files in held.items():
        assert open_files(service) <= files + FEW, f"{service} held {files} files before"


def test_a_node_that_is_none_is_named(ssh: Ssh) -> None:
    done = subprocess.run([*ssh.proxy, "192.168.77.7"], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert f"No node '192.168.77.7' in cluster '{ssh.cluster.name}'" in done.stderr


def relay_links(ssh: Ssh) -> int:
    """Connections from yagna's VPN to the node's relay."""
    return int(ssh.run("grep -c ':11E3 [0-9A-F:]* 01 ' /proc/net/tcp || true"))
