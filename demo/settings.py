"""Ports, profiles and names the demo needs, from ``.env`` (environment first, as compose does it) and the yaml."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from demo.paths import ROOT, RUN
from demo.steps import StepError


@dataclass(frozen=True)
class Ports:
    """On 127.0.0.1."""

    bridge: int
    prometheus: int
    grafana: int


def read_ports() -> Ports:
    """The published ports."""
    values = _dotenv()
    return Ports(
        bridge=int(values.get("BRIDGE_PORT", "4578")),
        prometheus=int(values.get("PROMETHEUS_PORT", "9090")),
        grafana=int(values.get("GRAFANA_PORT", "3000")),
    )


def profiles() -> str:
    """Compose profiles to use: those of ``.env``, as far as base-images.sh found their images."""
    chosen = RUN / "profiles"
    if chosen.exists():
        return chosen.read_text(encoding="utf-8").strip()
    return _dotenv().get("COMPOSE_PROFILES", "")


def cluster_name(path: Path) -> str:
    """``cluster_name`` of a cluster file."""
    found = re.search(r"^cluster_name:\s*[\"']?([A-Za-z0-9._-]+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise StepError(f"{path} names no cluster — add a line: cluster_name: golem-cluster")
    return found.group(1)


def _dotenv() -> dict[str, str]:
    lines = (ROOT / ".env").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.lstrip().startswith("#"))
    values = {name.strip(): value.strip() for name, value in pairs}
    return {**values, **{name: os.environ[name] for name in values if name in os.environ}}
