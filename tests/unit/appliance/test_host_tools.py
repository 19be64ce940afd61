"""host-tools.sh, in a clone whose Python makes stand-ins of virtual environments: what is made anew, and where."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from appliance.setup import HOST_TOOLS

PYTHON = r"""#!/bin/bash
[ "$3" != --clear ] || rm -rf .venv
mkdir -p .venv/bin
touch .venv/bin/python
printf '#!/bin/bash\n# %s\n' "$PWD/.venv/bin/python" >.venv/bin/pip
cat >>.venv/bin/pip <"$(dirname "$0")/pip"
chmod +x .venv/bin/pip
"""

PIP = r"""
place=$(sed -n '2s/# //p' "$0")
[ -e "$place" ] || exit 1
[ "$1" != --version ] || exit 0
source=${!#}
if [ -d "$source" ]; then
    ls "$source/ray_on_golem" >.venv/installed
    mkdir "$source/build" # as setuptools does
fi
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The plug-in and the script, in a folder with a space in its name."""
    made = tmp_path / "a clone"
    plugin = made / "services" / "ray_plugin"
    (plugin / "ray_on_golem").mkdir(parents=True)
    (plugin / "ray_on_golem" / "cli.py").touch()
    (plugin / "requirements.txt").touch()
    (plugin / "pyproject.toml").touch()
    (made / "appliance").mkdir()
    shutil.copy(HOST_TOOLS, made / "appliance")
    (tmp_path / "pip").write_text(PIP)
    (tmp_path / "python3").write_text(PYTHON)
    (tmp_path / "python3").chmod(0o755)
    return made


def run(clone: Path) -> str:
    """What it said."""
    path = f"{clone.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/bash", str(clone / "appliance" / "host-tools.sh")],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_is_built_leaves_nothing_in_the_clone(clone: Path) -> None:
    """With sudo it would be root's, and in the way of whom the clone belongs to."""
    assert "are in .venv\n" in run(clone)
    assert (clone / ".venv" / "installed").read_text() == "cli.py\n"
    names = {path.name for path in (clone / "services" / "ray_plugin").iterdir()}
    assert names == {"ray_on_golem", "requirements.txt", "pyproject.toml"}


def test_unchanged_tools_are_left_alone(clone: Path) -> None:
    run(clone)
    (clone / ".venv" / "installed").unlink()
    assert "are in .venv already" in run(clone)
    assert not (clone / ".venv" / "installed").exists()


def test_tools_of_a_folder_that_was_moved_are_made_anew(clone: Path) -> None:
    """Their programs name the place they were made in."""
    run(clone)
    moved = clone.rename(clone.with_name("moved"))
    assert "are in .venv\n" in run(moved)
    assert f"# {moved}/.venv/bin/python\n" in (moved / ".venv" / "bin" / "pip").read_text()


def test_tools_of_a_copied_folder_do_not_lead_to_the_first_one(clone: Path) -> None:
    run(clone)
    copied = shutil.copytree(clone, clone.with_name("copied"))
    assert "are in .venv\n" in run(copied)
    assert f"# {copied}/.venv/bin/python\n" in (copied / ".venv" / "bin" / "pip").read_text()


def test_tools_whose_python_has_gone_are_made_anew(clone: Path) -> None:
    """After an upgrade of the machine, whose python3 is another one."""
    run(clone)
    (clone / ".venv" / "bin" / "python").unlink()
    assert "are in .venv\n" in run(clone)
    assert "are in .venv already" in run(clone)


def test_tools_behind_a_link_serve_where_they_are(clone: Path) -> None:
    run(clone)
    linked = clone.with_name("linked")
    shutil.copytree(clone, linked, ignore=shutil.ignore_patterns(".venv"))
    (linked / ".venv").symlink_to(clone / ".venv")
    assert "are in .venv already" in run(linked)
