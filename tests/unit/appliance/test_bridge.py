"""A bridge that cannot be asked is told as a sentence."""

from __future__ import annotations

import io
import json
import urllib.request
from pathlib import Path

import pytest

from appliance import bridge
from appliance.bridge import Bridge, LiveNode
from appliance.loopback import open_here
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
    monkeypatch.setattr(bridge, "open_here", lambda *_, **__: io.BytesIO(json.dumps(body).encode()))
    assert Bridge(on("devnet", tmp_path)).closing_clusters() == closing


def test_nodes_of_earlier_incarnations_are_still_rented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def node(node_id: str, state: str) -> dict[str, str]:
        return {"node_id": node_id, "state": state, "provider_name": "alder", "price_per_hour": "0.1"}

    nodes = [node("mine-2-head-0001", "running"), node("mine-2-worker-0002", "terminated")]
    ending = {"mine": [node("mine-1-head-0001", "terminating")]}
    body = {"clusters": [{"name": "mine", "nodes": nodes}], "ending": ending}
    (tmp_path / "bridge-token").write_text("token\n")
    monkeypatch.setattr(bridge, "open_here", lambda *_, **__: io.BytesIO(json.dumps(body).encode()))
    assert Bridge(on("devnet", tmp_path)).live_nodes() == [
        LiveNode("mine", "mine-2-head-0001", "running", "alder", "0.1"),
        LiveNode("mine", "mine-1-head-0001", "terminating", "alder", "0.1"),
    ]


def test_another_program_behind_its_port_is_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bridge-token").write_text("token\n")
    monkeypatch.setattr(bridge, "open_here", lambda *_, **__: io.BytesIO(b"<html>hello</html>"))
    expected = r"127\.0\.0\.1:1/v1/clusters answers nothing of the bridge's — .* docker compose ps"
    with pytest.raises(StepError, match=expected):
        Bridge(on("devnet", tmp_path)).live_nodes()


def test_no_proxy_is_told_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment names: what is asked is on this machine."""
    asked: list[str] = []

    def do_open(_handler: object, _connection: object, request: urllib.request.Request) -> object:
        asked.append(request.host)
        raise OSError("nothing is there")

    monkeypatch.setattr(urllib.request.AbstractHTTPHandler, "do_open", do_open)
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.0/8")  # as Docker's documentation has it; Python knows no such notation
    with pytest.raises(OSError, match="nothing is there"):
        open_here("http://127.0.0.1:1/v1/clusters", timeout=1)
    assert asked == ["127.0.0.1:1"]
