"""The link to the console."""

from __future__ import annotations

import urllib.parse
from pathlib import Path

import pytest

from appliance.console import console_url, show_link
from appliance.settings import Ports, Settings
from appliance.steps import StepError, Steps


def settings(run: Path) -> Settings:
    return Settings("ray-on-golem-unit", "devnet", Ports(4578, 2, 3), run)


def test_the_link_carries_the_token_where_no_server_sees_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bridge-token").write_text("to&ken#1\n")
    show_link(Steps(tmp_path / "logs"), settings(tmp_path))
    link = urllib.parse.urlsplit(capsys.readouterr().out.strip())
    assert f"{link.scheme}://{link.netloc}{link.path}" == console_url(settings(tmp_path)) == "http://127.0.0.1:4578/"
    assert link.query == ""
    assert urllib.parse.parse_qs(link.fragment) == {"token": ["to&ken#1"]}
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "bridge-token"], "logged"


def test_without_a_token_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="make up"):
        show_link(Steps(tmp_path / "logs"), settings(tmp_path))
