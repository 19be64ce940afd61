"""volumes.sh, on folders instead of volumes: a backup takes the place of what was there, or nothing happens."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from appliance.volumes import SCRIPT


def do(what: str, volumes: Path, backup: Path | None = None) -> subprocess.CompletedProcess[str]:
    arguments = [str(volumes), *([str(backup)] if backup else [])]
    command = ["/bin/sh", str(SCRIPT), what, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def fill(volumes: Path, **files: str) -> Path:
    """``yagna__devnet__key="x"`` is a file yagna-data/devnet/key that holds x."""
    for name, content in files.items():
        first, *rest = name.split("__")
        path = volumes.joinpath(f"{first}-data", *rest)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return volumes


def files(volumes: Path) -> dict[str, str]:
    found = [path for path in volumes.rglob("*") if path.is_file()]
    return {str(path.relative_to(volumes)): path.read_text() for path in found}


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """Of a devnet's wallet and books."""
    source = fill(tmp_path / "source", yagna__devnet__key="kept", bridge__books="kept", bridge__door="")
    (source / "yagna-data").chmod(0o700)
    path = tmp_path / "backup.tar.gz"
    assert do("pack", source, path).returncode == 0
    return path


@pytest.fixture
def volumes(tmp_path: Path) -> Path:
    """What has happened since."""
    return fill(tmp_path / "volumes", yagna__devnet__key="new", yagna__devnet__wal="new", bridge__books="new")


KEPT = {"yagna-data/devnet/key": "kept", "bridge-data/books": "kept", "bridge-data/door": ""}


def test_a_backup_takes_the_place_of_what_was_there(volumes: Path, backup: Path) -> None:
    before = files(volumes)
    assert do("unpack", volumes, backup).returncode == 0
    assert {name: files(volumes)[name] for name in before} == before
    assert do("swap", volumes).returncode == 0
    assert files(volumes) == KEPT
    assert (volumes / "yagna-data").stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in volumes.glob("*/*")) == ["books", "devnet", "door"]


def test_new_volumes_are_filled(tmp_path: Path, backup: Path) -> None:
    empty = tmp_path / "empty"
    for name in ("yagna-data", "bridge-data"):
        (empty / name).mkdir(parents=True)
    assert do("unpack", empty, backup).returncode == 0
    assert do("swap", empty).returncode == 0
    assert files(empty) == KEPT


def test_a_failure_to_unpack_leaves_everything_as_it_was(volumes: Path, backup: Path) -> None:
    before = files(volumes)
    backup.write_bytes(backup.read_bytes()[:-20])
    assert do("unpack", volumes, backup).returncode != 0
    assert files(volumes) == before
    assert not list(volumes.glob("*/.restored"))


def test_without_anything_unpacked_nothing_is_moved(volumes: Path) -> None:
    before = files(volumes)
    assert do("swap", volumes).returncode != 0
    assert files(volumes) == before


def test_an_interrupted_swap_is_done_again(volumes: Path, backup: Path) -> None:
    assert do("unpack", volumes, backup).returncode == 0
    aside = volumes / "yagna-data" / ".replaced.abcdef"
    aside.mkdir()
    (volumes / "yagna-data" / "devnet").rename(aside / "devnet")
    (volumes / "yagna-data" / ".restored" / "yagna-data" / "devnet").rename(volumes / "yagna-data" / "devnet")
    assert do("unpack", volumes, backup).returncode == 0
    assert do("swap", volumes).returncode == 0
    assert files(volumes) == KEPT


def test_wallets_are_found_also_where_an_interrupted_swap_has_put_them_aside(tmp_path: Path) -> None:
    fill(
        tmp_path, yagna__devnet__key="", **{"yagna__.replaced.abcdef__polygon__key": "", "yagna__.local__share__x": ""}
    )
    assert {"devnet", "polygon"} <= set(do("wallets", tmp_path).stdout.split())
    assert "hoodi" not in do("wallets", tmp_path).stdout


def test_what_an_interrupted_unpack_has_left_is_in_no_backup(tmp_path: Path, volumes: Path) -> None:
    before = files(volumes)
    fill(volumes, **{"yagna__.restored__yagna-data__devnet__key": "half"})
    path = tmp_path / "again.tar.gz"
    assert do("pack", volumes, path).returncode == 0
    other = tmp_path / "other"
    other.mkdir()
    subprocess.run(["tar", "-C", str(other), "-xzf", str(path)], check=True)
    assert files(other) == before
