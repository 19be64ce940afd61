"""The script a fresh node runs."""

from __future__ import annotations

import subprocess
from itertools import pairwise
from pathlib import Path

from golem_bridge.clusters.bootstrap import Bootstrap, restored_home, shell_script
from tests.unit.bridge.samples import PUBLIC_KEY


def sh(*arguments: str) -> None:
    subprocess.run(["sh", *arguments], check=True, timeout=30)


def test_it_is_a_script() -> None:
    plan = Bootstrap(ip="192.168.0.3", authorized_keys=(PUBLIC_KEY,))
    sh("-n", "-c", shell_script(plan))


def test_the_relay_reaches_ssh_and_rays_metrics_only() -> None:
    plan = Bootstrap(ip="192.168.0.3", authorized_keys=(PUBLIC_KEY,))
    relay = next(line for line in shell_script(plan).splitlines() if "relay.py --listen" in line)
    words = relay.split()
    allowed = [int(port) for word, port in pairwise(words) if word == "--allow"]
    assert allowed == [22, 8090, 44217, 44227]


def test_the_home_of_official_images_is_restored(tmp_path: Path) -> None:
    copy, home = tmp_path / "root_copy", tmp_path / "root"
    (copy / "venv").mkdir(parents=True)
    (copy / "venv/python").symlink_to("/usr/bin/python3")
    (copy / ".bashrc").write_text("alias ll=ls\n")
    home.mkdir()
    (home / "kept").write_text("mine")
    sh("-eu", "-c", restored_home(str(copy), str(home)))
    assert (home / "venv/python").is_symlink()
    assert (home / ".bashrc").read_text() == "alias ll=ls\nexport PATH=$PATH:/root/.local/bin\n"
    assert (home / "kept").read_text() == "mine"


def test_other_images_keep_their_home(tmp_path: Path) -> None:
    sh("-eu", "-c", restored_home(str(tmp_path / "root_copy"), str(tmp_path)))
    assert list(tmp_path.iterdir()) == []
