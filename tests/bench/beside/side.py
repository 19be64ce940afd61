"""One of two things that make Ray clusters on Golem, as the measurements need it."""

from __future__ import annotations

import json
import shlex
import subprocess
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

LIMIT = 420
"""Seconds one command may take."""

SSH_OPTIONS = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "IdentitiesOnly=yes", "LogLevel=ERROR")


class BenchError(Exception):
    """Something could not be measured; the message says what and why."""


class Server(Protocol):
    """What stands between Ray and Golem: our bridge, upstream's web server."""

    def requests(self) -> int:
        """HTTP requests answered to heads so far."""

    def cpu(self) -> float:
        """Processor seconds used so far."""


@dataclass(frozen=True)
class Side:
    """``cluster_file`` has a worker type with the resource "far", which no head has."""

    name: str
    cluster: str
    cluster_file: Path
    ray: Path
    environment: Mapping[str, str]
    port: int
    token: str | None
    key: Path
    server: Server

    def run(self, command: str, *arguments: str) -> float:
        """One of Ray's commands on the cluster; seconds. Raises BenchError with the end of what it printed."""
        begin = time.monotonic()
        done = subprocess.run(
            [str(self.ray), command, str(self.cluster_file), *arguments],
            env=dict(self.environment),
            cwd=self.cluster_file.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=LIMIT,
            check=False,
        )
        if done.returncode != 0:
            raise BenchError(f"{self.name}: ray {command} ended with {done.returncode}: {done.stdout[-1500:]}")
        return time.monotonic() - begin

    def ssh(self, command: str) -> Sequence[str]:
        """A command line that runs ``command`` on the head, by the way this side offers."""
        head, proxy = self._way()
        options = [part for option in (*SSH_OPTIONS, f"ProxyCommand={proxy}") for part in ("-o", option)]
        return ["ssh", "-i", str(self.key), *options, f"root@{head}", command]

    def on_head(self, program: str, *arguments: str, timeout: float = LIMIT) -> Any:  # noqa: ANN401 - parsed JSON
        """Run a Python program on the head, as a login would; it prints JSON last."""
        command = "bash --login -c " + shlex.quote("python - " + shlex.join(arguments))
        done = subprocess.run(
            self.ssh(command), input=program, capture_output=True, text=True, timeout=timeout, check=False
        )
        if done.returncode != 0:
            raise BenchError(f"{self.name}: on the head: {done.stderr[-1500:]}")
        return json.loads(done.stdout.strip().splitlines()[-1])

    def ask(self, path: str, **body: object) -> dict[str, Any]:
        """One of upstream's routes, which both sides serve."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return dict(json.load(answer))

    def _way(self) -> tuple[str, str]:
        """Address of the head, and the ProxyCommand that leads there."""
        nodes = self.ask("/cluster_data", cluster_name=self.cluster)["cluster_data"].values()
        (head,) = [node for node in nodes if node["state"] == "running" and node["tags"].get("ray-node-type") == "head"]
        answer = self.ask("/ssh_proxy_command", cluster_name=self.cluster, node_id=head["node_id"])
        return head["internal_ip"], answer["ssh_proxy_command"]


def cpu_of(pids: Sequence[int]) -> float:
    """Seconds in user and system mode of these processes."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / 100
