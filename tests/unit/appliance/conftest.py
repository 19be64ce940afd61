"""Docker as a shell script, and a bridge that answers without a socket."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.bridge import Bridge, LiveNode
from appliance.steps import StepError
from tests.unit.appliance.bench import NODE, Docker


@pytest.fixture(autouse=True)
def unforced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORCE", raising=False)


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Docker:
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()

    def write(script: str) -> None:
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")

    return write


@pytest.fixture
def stopped(docker: Docker) -> None:
    """No container runs."""
    docker("true")


@pytest.fixture
def rented(docker: Docker, monkeypatch: pytest.MonkeyPatch) -> None:
    """The appliance runs, with one node."""
    docker("printf 'bridge\\nyagna\\n'")
    monkeypatch.setattr(Bridge, "live_nodes", lambda _self: [NODE])


@pytest.fixture
def idle(docker: Docker, monkeypatch: pytest.MonkeyPatch) -> None:
    """The appliance runs, without a node."""
    docker("printf 'bridge\\nyagna\\n'")
    monkeypatch.setattr(Bridge, "live_nodes", lambda _self: [])
    monkeypatch.setattr(Bridge, "closing_clusters", lambda _self: [])


@pytest.fixture
def silent(docker: Docker, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bridge's container starts again and again, and does not answer."""
    docker("printf 'bridge\\nyagna\\n'")

    def no_answer(_self: Bridge) -> list[LiveNode]:
        raise StepError("http://127.0.0.1:1/v1/clusters does not answer — refused — see: docker compose ps")

    monkeypatch.setattr(Bridge, "live_nodes", no_answer)
