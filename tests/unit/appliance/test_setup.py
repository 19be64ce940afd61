"""An engine that stops half-way is named as the cause; other failures keep their own words."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.setup import engine_watched
from appliance.steps import StepError


def docker(folder: Path, script: str) -> dict[str, str]:
    """An environment in which ``docker`` is a shell script."""
    program = folder / "docker"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


def test_an_engine_that_has_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = docker(tmp_path, "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    monkeypatch.setenv("PATH", environment["PATH"])
    expected = "engine has stopped — Cannot connect to the Docker daemon — nothing is lost, .* make up"
    with pytest.raises(StepError, match=expected), engine_watched(environment):
        raise StepError("`docker compose build` failed — exit code 1")


def test_an_engine_that_runs_is_not_blamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = docker(tmp_path, "echo 28.0.0")
    monkeypatch.setenv("PATH", environment["PATH"])
    with pytest.raises(StepError, match="exit code 1"), engine_watched(environment):
        raise StepError("`docker compose build` failed — exit code 1")
