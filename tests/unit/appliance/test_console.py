"""The link to the console."""

from __future__ import annotations

import urllib.parse
from pathlib import Path
from typing import NoReturn
from urllib.error import URLError

import pytest

from appliance import bridge
from appliance.bridge import Bridge
from appliance.console import console_url, show_link
from appliance.settings import Ports, Settings
from appliance.steps import StepError, Steps


def settings(run: Path) -> Settings:
    return Settings("ray-on-golem-unit", "devnet", Ports(4578, 2, 3), run)


def test_the_link_carries_the_token_where_no_server_sees_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bridge-token").write_text("to&ken#1\n")
    monkeypatch.setattr(Bridge, "ask", lambda _bridge, path: {path: "answered"})
    show_link(Steps(tmp_path / "logs"), settings(tmp_path))
    link = urllib.parse.urlsplit(capsys.readouterr().out.strip())
    assert f"{link.scheme}://{link.netloc}{link.path}" == console_url(settings(tmp_path)) == "http://127.0.0.1:4578/"
    assert link.query == ""
    assert urllib.parse.parse_qs(link.fragment) == {"token": ["to&ken#1"]}
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "bridge-token"], "logged"


def test_a_link_to_nothing_is_not_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> NoReturn:
        raise URLError(ConnectionRefusedError("Connection refused"))

    (tmp_path / "bridge-token").write_text("token\n")
    monkeypatch.setattr(bridge, "open_here", refused)
    with pytest.raises(StepError, match="does not answer — Connection refused — start it: make up"):
        show_link(Steps(tmp_path / "logs"), settings(tmp_path))
    assert capsys.readouterr().out == ""


def test_without_a_token_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="make up"):
        show_link(Steps(tmp_path / "logs"), settings(tmp_path))
