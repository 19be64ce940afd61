"""ssh keys, made by the real ssh-keygen."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ray_on_golem.errors import RayOnGolemError
from ray_on_golem.keys import default_key, make_default_key, public_key


def test_a_key_is_made_once_and_private(home: Path) -> None:
    path = make_default_key("one")
    assert path == home / ".local" / "share" / "ray-on-golem" / "one" / "id_ed25519"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    made = path.read_bytes()
    assert make_default_key("one").read_bytes() == made
    assert sorted(file.name for file in path.parent.iterdir()) == ["id_ed25519", "id_ed25519.pub"]


def test_each_cluster_has_its_own() -> None:
    assert make_default_key("one").read_bytes() != make_default_key("two").read_bytes()


def test_xdg_is_heeded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert default_key("one") == tmp_path / "data" / "ray-on-golem" / "one" / "id_ed25519"


def test_commands_started_at_once_agree_on_one_key() -> None:
    with ThreadPoolExecutor(4) as pool:
        keys = list(pool.map(lambda _: public_key(make_default_key("one")), range(4)))
    assert len(set(keys)) == 1


def test_the_public_half() -> None:
    path = make_default_key("one")
    written = path.with_suffix(".pub").read_text(encoding="utf-8")
    assert public_key(path).split()[:2] == written.split()[:2]


def test_a_file_that_is_no_key_is_told(tmp_path: Path) -> None:
    (tmp_path / "bad").write_text("no key", encoding="utf-8")
    (tmp_path / "bad").chmod(0o600)
    with pytest.raises(RayOnGolemError, match=r"correct auth\.ssh_private_key"):
        public_key(tmp_path / "bad")
    with pytest.raises(RayOnGolemError, match="missing"):
        public_key(tmp_path / "missing")


def test_without_openssh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RayOnGolemError, match="ssh-keygen is not installed"):
        make_default_key("one")


def test_a_home_that_cannot_be_written(home: Path) -> None:
    (home / ".local").write_text("a file", encoding="utf-8")
    with pytest.raises(RayOnGolemError, match=r"set auth\.ssh_private_key"):
        make_default_key("one")
