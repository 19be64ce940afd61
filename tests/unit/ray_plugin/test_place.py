"""How the bridge is found."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from ray_on_golem.errors import RayOnGolemError
from ray_on_golem.place import find_place


def test_in_a_folder_of_the_appliance(token_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (token_file.parent / "bridge-port").write_text("5000\n", encoding="utf-8")
    deeper = token_file.parent.parent / "examples" / "more"
    deeper.mkdir(parents=True)
    monkeypatch.chdir(deeper)
    place = find_place({})
    assert (place.port, place.token_file, place.token(), place.is_head) == (5000, token_file, "secret", False)


def test_the_variable_wins_over_the_file_and_the_file_over_the_folder(
    token_file: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_place({"token_file": "~/token"}).token_file == home / "token"
    monkeypatch.setenv("RAY_ON_GOLEM_TOKEN_FILE", "~/other")
    assert find_place({"token_file": "~/token"}).token_file == home / "other"


@pytest.mark.parametrize("noted", ["", "many"])
def test_the_usual_port_where_none_is_noted(token_file: Path, noted: str) -> None:
    (token_file.parent / "bridge-port").write_text(noted, encoding="utf-8")
    assert find_place({}).port == 4578


def test_a_port_in_the_cluster_file(token_file: Path) -> None:
    (token_file.parent / "bridge-port").write_text("5000", encoding="utf-8")
    assert find_place({"webserver_port": 4999}).port == 4999
    assert find_place({"webserver_port": "bad"}).port == 5000


def test_on_a_head_it_is_the_tunnel(token_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ON_GOLEM_NETWORK", "1")
    place = find_place({"webserver_port": 4999, "token_file": str(token_file)})
    assert (place.port, place.token_file, place.token(), place.is_head) == (4578, None, None, True)


def test_a_token_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RayOnGolemError, match="make up") as caught:
        find_place({}).token()
    assert str(tmp_path / "run" / "bridge-token") in caught.value.message


def test_an_appliance_of_another_users_is_told(token_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its run/ is its user's only; the tests may run as root, who is refused nothing."""

    def refuse(path: Path, *_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    for method in ("exists", "read_text"):
        monkeypatch.setattr(Path, method, refuse)
    with pytest.raises(RayOnGolemError) as caught:
        find_place({}).token()
    assert f"token from {token_file} — Permission denied — run this as the user" in caught.value.message
