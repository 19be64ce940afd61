"""A cluster as a user has it: a file, and Ray's commands on it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from appliance.bridge import Bridge, LiveNode
from appliance.paths import CLUSTER_FILE, ROOT, VENV
from appliance.settings import Settings

TIMEOUT = 300
"""Seconds one of Ray's commands may take here."""


@dataclass(frozen=True)
class Outcome:
    """How a command ended. ``text`` is all it printed."""

    code: int
    text: str


@dataclass
class ClusterFile:
    """A cluster file, golem-cluster.yaml as a rule, with another name, pointing at the tests' appliance."""

    settings: Settings
    name: str
    folder: Path
    source: Path = CLUSTER_FILE
    content: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.content = yaml.safe_load(self.source.read_text(encoding="utf-8"))
        self.content["cluster_name"] = self.name
        self.parameters["token_file"] = str(self.settings.token_file)
        self.write()

    @property
    def path(self) -> Path:
        return self.folder / f"{self.name}.yaml"

    @property
    def parameters(self) -> dict[str, Any]:
        """``provider.parameters``, to be changed before :meth:`write`."""
        parameters: dict[str, Any] = self.content["provider"]["parameters"]
        return parameters

    def have_no_workers(self) -> None:
        """Only a head, written so."""
        self.content["max_workers"] = 0
        self.content["available_node_types"]["ray.worker.default"] |= {"min_workers": 0, "max_workers": 0}
        self.write()

    def write(self) -> None:
        """Put changes of ``content`` into the file."""
        self.path.write_text(yaml.safe_dump(self.content, sort_keys=False), encoding="utf-8")

    def ray(self, command: str, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Outcome:
        """``ray COMMAND FILE ARGUMENTS``."""
        style = () if command in {"get-head-ip", "get-worker-ips", "rsync-up", "rsync-down"} else STYLE
        return self.run(VENV / "bin" / "ray", command, *style, self.path, *arguments, env=env)

    def up(self, *, env: Mapping[str, str] | None = None) -> Outcome:
        return self.ray("up", "--yes", env=env)

    def down(self) -> Outcome:
        return self.ray("down", "--yes")

    def nodes(self, bridge: Bridge) -> list[LiveNode]:
        """Its nodes that are not terminated."""
        return [node for node in bridge.live_nodes() if node.cluster == self.name]

    def run(self, *command: str | Path, env: Mapping[str, str] | None = None, typed: str = "") -> Outcome:
        """Any command, as the user would run it; ``typed`` is its standard input."""
        path = f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return run_command(*command, env={**os.environ, "PATH": path, **(env or {})}, cwd=ROOT, typed=typed)


def run_command(*command: str | Path, env: Mapping[str, str], cwd: Path, typed: str = "") -> Outcome:
    """In this environment only; ``typed`` is its standard input."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=dict(env),
        input=typed,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=TIMEOUT,
        check=False,
    )
    return Outcome(done.returncode, done.stdout)


def wait_until(holds: Callable[[], bool], seconds: float, what: str) -> None:
    """Ask every second. Fails the test after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(1)


STYLE = ("--log-style", "pretty", "--log-color", "false")
