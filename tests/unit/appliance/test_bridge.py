"""A bridge that cannot be asked is told as a sentence."""

from __future__ import annotations

import io
import json
import urllib.request
from pathlib import Path

import pytest

from appliance.bridge import Bridge
from appliance.steps import StepError
from tests.unit.appliance.bench import on

BEFORE = {"clusters": [{"name": "again", "state": "closed"}, {"name": "mine", "state": "closing"}]}
"""As bridges of before an upgrade answer."""

NOW = {**BEFORE, "closing": ["again", "mine"]}


def test_without_its_token_the_file_and_the_next_command_are_named(tmp_path: Path) -> None:
    with pytest.raises(StepError, match=r"token cannot be read — .*/bridge-token: No such file .* make up"):
        Bridge(on("devnet", tmp_path)).live_nodes()


@pytest.mark.parametrize(("body", "closing"), [(NOW, ["again", "mine"]), (BEFORE, ["mine"])])
def test_bills_of_earlier_incarnations_are_open_too(
    body: dict[str, object], closing: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bridge-token").write_text("token\n")
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: io.BytesIO(json.dumps(body).encode()))
    assert Bridge(on("devnet", tmp_path)).closing_clusters() == closing


def test_another_program_behind_its_port_is_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bridge-token").write_text("token\n")
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: io.BytesIO(b"<html>hello</html>"))
    expected = r"127\.0\.0\.1:1/v1/clusters answers nothing of the bridge's — .* docker compose ps"
    with pytest.raises(StepError, match=expected):
        Bridge(on("devnet", tmp_path)).live_nodes()
