"""An engine that stops half-way is named as the cause, other failures keep their own words; nothing goes on behind."""

from __future__ import annotations

import os
import select
from pathlib import Path

import pytest

from appliance import setup
from appliance.settings import Settings
from appliance.setup import bring_up, build_and_start, engine_watched
from appliance.steps import StepError, Steps
from tests.unit.appliance.bench import Docker, Recorder, on


def environment_with(folder: Path, script: str) -> dict[str, str]:
    """An environment in which ``docker`` is a shell script."""
    program = folder / "docker"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


def test_an_engine_that_has_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = environment_with(tmp_path, "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    monkeypatch.setenv("PATH", environment["PATH"])
    expected = "engine has stopped — Cannot connect to the Docker daemon — nothing is lost, .* make up"
    with pytest.raises(StepError, match=expected), engine_watched(environment):
        raise StepError("`docker compose build` failed — exit code 1")


def test_an_engine_that_runs_is_not_blamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = environment_with(tmp_path, "echo 28.0.0")
    monkeypatch.setenv("PATH", environment["PATH"])
    with pytest.raises(StepError, match="exit code 1"), engine_watched(environment):
        raise StepError("`docker compose build` failed — exit code 1")


def test_a_failure_ends_the_host_tools_and_what_they_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the next ``make up`` would run a second pip in the same folder."""
    held = tmp_path / "held"
    os.mkfifo(held)
    tools = tmp_path / "tools.sh"
    tools.write_text(f"#!/bin/sh\ntail -f /dev/null > {held} &\nwait\n")
    tools.chmod(0o755)
    reader: list[int] = []

    def fails(_steps: Steps, _settings: Settings) -> None:
        reader.append(os.open(held, os.O_RDONLY))  # returns once the tools run
        raise StepError("`docker compose build` failed")

    monkeypatch.setattr(setup, "HOST_TOOLS", tools)
    monkeypatch.setattr(setup, "build_and_start", fails)
    for check in ("check_ports", "check_disk", "check_mounts", "start_engine", "refuse_to_abandon_nodes"):
        monkeypatch.setattr(setup, check, lambda *_: None)
    with pytest.raises(StepError, match="compose build"):
        bring_up(Steps(tmp_path / "logs"), on("devnet", tmp_path))
    ended, _, _ = select.select(reader, [], [], 5)
    assert ended, "something still holds the pipe open"
    assert os.read(reader[0], 1) == b""
    os.close(reader[0])


def test_nothing_is_begun_where_nodes_would_be_abandoned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(_settings: Settings) -> None:
        raise StepError("1 node(s) are still rented")

    monkeypatch.setattr(setup, "refuse_to_abandon_nodes", refuses)
    for check in ("check_ports", "check_disk", "check_mounts"):
        monkeypatch.setattr(setup, check, lambda *_: None)
    steps = Recorder(tmp_path / "logs")
    with pytest.raises(StepError, match="still rented"):
        bring_up(steps, on("polygon", tmp_path))
    assert [Path(command).name for command in steps.commands] == ["engine.sh"]
    assert not list((tmp_path / "logs").glob("host-tools*"))


def test_nothing_is_begun_with_files_that_containers_cannot_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses() -> None:
        raise StepError("run: chmod")

    monkeypatch.setattr(setup, "check_mounts", refuses)
    for check in ("check_ports", "check_disk"):
        monkeypatch.setattr(setup, check, lambda _: None)
    steps = Recorder(tmp_path / "logs")
    with pytest.raises(StepError, match="run: chmod"):
        bring_up(steps, on("devnet", tmp_path / "run"))
    assert steps.commands == []
    assert not (tmp_path / "run").exists()


def test_a_devnet_that_is_not_wanted_goes_before_the_rest_comes_up(docker: Docker, tmp_path: Path) -> None:
    docker("printf 'chain\\nbridge\\n'")
    steps = Recorder(tmp_path / "logs")
    build_and_start(steps, on("hoodi", tmp_path))
    words = ("compose --progress plain build", "rm --stop --force chain devnet", "compose up")
    assert steps.ran(*words) == list(words)
