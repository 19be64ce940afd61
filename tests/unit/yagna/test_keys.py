"""Secrets: made once, kept private, never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from yagna_entry.errors import StartError
from yagna_entry.keys import app_key, identity_secret


def test_each_installation_gets_its_own_key(tmp_path: Path) -> None:
    one, other = app_key(tmp_path / "one"), app_key(tmp_path / "other")
    assert one != other
    assert min(len(one), len(other)) >= 43


def test_the_key_survives_restarts(tmp_path: Path) -> None:
    assert app_key(tmp_path / "key") == app_key(tmp_path / "key")


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    key = app_key(tmp_path / "key")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "key").chmod(0o644)
    assert app_key(tmp_path / "key") == key
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("left", ["", "\n", "short"])
def test_what_a_crash_left_is_replaced(tmp_path: Path, left: str) -> None:
    (tmp_path / "key").write_text(left)
    key = app_key(tmp_path / "key")
    assert (tmp_path / "key").read_text() == key + "\n"


def test_no_folder_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="yagna-appkey"):
        app_key(tmp_path / "missing" / "key")


def test_no_identity_file_lets_yagna_make_one(tmp_path: Path) -> None:
    assert identity_secret(tmp_path / "id") is None
    (tmp_path / "id").write_text("\n")
    assert identity_secret(tmp_path / "id") is None


@pytest.mark.parametrize("prefix", ["", "0x"])
def test_a_mounted_identity_is_used(tmp_path: Path, prefix: str) -> None:
    (tmp_path / "id").write_text(prefix + "AB" * 32 + "\n")
    assert identity_secret(tmp_path / "id") == "ab" * 32


@pytest.mark.parametrize("content", ["ab" * 31, "zz" * 32, "ab" * 33, "ab" * 32 + " x", "\u00e9" * 64])
def test_a_wrong_identity_is_refused_without_showing_it(tmp_path: Path, content: str) -> None:
    (tmp_path / "id").write_text(content, "utf-8")
    with pytest.raises(StartError) as caught:
        identity_secret(tmp_path / "id")
    assert content not in str(caught.value)
    assert str(tmp_path / "id") in str(caught.value)
