"""The browser that tests look at the console with: found under any of its names, installed on Debian, or asked for."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from appliance.paths import ROOT
from tests.integration.browser import NAMES

TOOLS = ("bash", "dirname", "cat", "mktemp", "tail", "rm")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A PATH without a browser, for root on Debian."""
    for name in TOOLS:
        (tmp_path / name).symlink_to(shutil.which(name) or "/bin/true")
    stand_in(tmp_path, "id", "echo 0")
    stand_in(tmp_path, "dpkg", "true")
    stand_in(tmp_path, "apt-get", f'echo "$*" >>{tmp_path}/asked')
    return tmp_path


def stand_in(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/bash\n{script}\n")
    path.chmod(0o755)


def look(machine: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/bash", str(ROOT / "appliance" / "browser.sh")],
        env={"PATH": str(machine), "HOME": str(machine)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("name", NAMES)
def test_any_browser_the_tests_can_use_will_do(machine: Path, name: str) -> None:
    stand_in(machine, name, "exit 1")
    done = look(machine)
    assert (done.returncode, done.stdout) == (0, f"{name} is here already\n")
    assert not (machine / "asked").exists()


def test_root_is_given_one_on_debian(machine: Path) -> None:
    done = look(machine)
    assert done.returncode == 0, done.stderr
    assert " chromium " in (machine / "asked").read_text().splitlines()[-1]


def test_nobody_else_is(machine: Path) -> None:
    stand_in(machine, "id", "echo 1000")
    done = look(machine)
    assert done.returncode == 1
    assert done.stderr.startswith("No browser is here (chromium, chromium-browser, google-chrome)")
    assert not (machine / "asked").exists()


@pytest.mark.parametrize("tool", ["apt-get", "dpkg"])
def test_elsewhere_nothing_is_installed(machine: Path, tool: str) -> None:
    (machine / tool).unlink()
    done = look(machine)
    assert done.returncode == 1
    assert done.stderr.startswith("No browser is here")
    assert not (machine / "asked").exists()


def test_where_there_is_no_package_one_must_be_brought(machine: Path) -> None:
    stand_in(machine, "apt-get", 'if [ "$1" = install ]; then echo "no installation candidate"; exit 100; fi')
    done = look(machine)
    assert done.returncode == 1
    assert "no installation candidate" in done.stderr
    assert done.stderr.splitlines()[-1].endswith("install it and run: make test")
