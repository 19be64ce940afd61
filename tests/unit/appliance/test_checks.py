"""Ports and disk are the subject, so these tests open some ports, on the loopback, and count other bytes."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance import checks
from appliance.paths import COMPOSE_FILE
from appliance.settings import Ports, Settings
from appliance.steps import StepError


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def settings(*, bridge: int, other: int) -> Settings:
    return Settings("ray-on-golem-unit", "devnet", Ports(bridge, other, other), Path("run"))


def test_free_ports_are_fine(free: int) -> None:
    checks.check_ports(settings(bridge=free, other=free))


def test_a_taken_port_is_named_with_a_way_out(taken: int, free: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_is_ours", lambda _project, _port: False)
    expected = f"Port {taken} .* taken by another program — nothing was changed — .*BRIDGE_PORT={taken + 1}"
    with pytest.raises(StepError, match=expected):
        checks.check_ports(settings(bridge=taken, other=free))


def test_a_port_this_appliance_holds_is_fine(taken: int, free: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_is_ours", lambda project, port: (project, port) == ("ray-on-golem-unit", taken))
    checks.check_ports(settings(bridge=taken, other=free))


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """GiB that are free, and whether images are there, as the checks see it; Docker keeps its files in /."""
    seen = {"free": 100.0, "images": 0.0}

    def docker(*arguments: str) -> str:
        return "/" if arguments[0] == "info" else "sha256:1" * bool(seen["images"])

    monkeypatch.setattr(checks, "_docker", docker)
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=int(seen["free"] * checks.GIB)))
    return seen


def test_a_first_start_needs_room_for_images(disk: dict[str, float]) -> None:
    assert checks.check_disk(settings(bridge=1, other=2)) == "100 GiB free"
    disk["free"] = 5.5
    with pytest.raises(StepError, match=r"5\.5 GiB are free in .*, 6 are needed — nothing was changed — make room"):
        checks.check_disk(settings(bridge=1, other=2))


def test_once_the_images_are_there_little_is_enough(disk: dict[str, float]) -> None:
    disk |= {"free": 2.5, "images": 1}
    assert checks.check_disk(settings(bridge=1, other=2)) == "2 GiB free"
    disk["free"] = 1.5
    with pytest.raises(StepError, match="2 are needed"):
        checks.check_disk(settings(bridge=1, other=2))


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """With a file below each place that is mounted."""
    for place in checks.MOUNTED:
        folder = tmp_path / place
        folder.mkdir(parents=True)
        (folder / "settings.yml").write_text("")
    for path in (tmp_path, *tmp_path.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return tmp_path


def test_mounted_files_that_everybody_can_read_are_fine(clone: Path) -> None:
    clone.chmod(0o700)  # of no account: what is mounted is not reached through it
    checks.check_mounts(clone)


@pytest.mark.parametrize("place", checks.MOUNTED)
@pytest.mark.parametrize(("name", "mode", "shown"), [("settings.yml", 0o640, "-rw-r-----"), ("", 0o750, "drwxr-x---")])
def test_what_containers_could_not_read_is_named(clone: Path, place: str, name: str, mode: int, shown: str) -> None:
    (clone / place / name).chmod(mode)
    expected = rf"{place}/?{name} has mode {shown}, .* nothing was changed — run: chmod -R go\+rX docker grafana"
    with pytest.raises(StepError, match=expected):
        checks.check_mounts(clone)


def test_every_mount_of_ours_is_looked_at() -> None:
    sources = re.findall(r"^ +- \./([^:]+):", COMPOSE_FILE.read_text(), re.MULTILINE)
    assert sources
    assert [source for source in sources if not source.startswith(checks.MOUNTED)] == []


def test_without_an_engine_its_usual_place_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_docker", lambda *_: "")
    monkeypatch.setattr(checks, "DISK_FIRST", 0)
    assert checks.check_disk(settings(bridge=1, other=2)).endswith(" GiB free")
