"""What the unmodified client was recorded to send gets the answers it was recorded to understand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.bridge.bench import Bench
from tests.unit.bridge.doors import Doors

RECORDINGS = Path(__file__).parent / "recordings"
SESSION = ("ray_up_fresh", "ray_up_again", "ray_exec", "ray_submit", "ray_dashboard", "autoscaler_ticks", "ray_down")
OURS = ("state_log", "ssh_proxy_command", "version", "datadir", "extra_field", "token")
"""Fields whose values are each server's own, or that only the recording server has."""


def recorded(name: str) -> list[dict[str, Any]]:
    lines = (RECORDINGS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [record for record in map(json.loads, lines) if "mark" not in record]


def comparable(answer: object, ids: dict[str, str], ours: tuple[str, ...]) -> object:
    """An answer without what may differ, with our node ids."""
    if isinstance(answer, dict):
        return {ids.get(key, key): comparable(value, ids, ours) for key, value in answer.items() if key not in ours}
    if isinstance(answer, list):
        return [comparable(item, ids, ours) for item in answer]
    return ids.get(answer, answer) if isinstance(answer, str) else answer


async def replay(name: str, bench: Bench, doors: Doors, ids: dict[str, str]) -> int:
    """How many requests were answered as recorded."""
    records = recorded(name)
    for record in records:
        body, expected = record["body"], record["response"]
        if body and body.get("node_id") in ids:
            body = {**body, "node_id": ids[body["node_id"]]}
        await bench.until_running(
            *(ids[key] for key, node in expected.get("cluster_data", {}).items() if node["state"] == "running")
        )
        answer = await doors.stranger.request(
            record["method"], record["path"], content=None if body is None else json.dumps(body)
        )
        assert "content-type" not in answer.request.headers
        assert answer.status_code == record["status"], answer.text
        found = answer.json()
        if record["path"] == "/request_nodes":
            ids.update(zip(expected["requested_nodes"], found["requested_nodes"], strict=True))
        if record["path"] not in {"/get_wallet_status", "/ger_or_create_default_ssh_key"}:
            # a worker's state when it is told to end: here it has ended with its head
            ours = (*OURS, "state") if record["path"] == "/terminate" else OURS
            assert comparable(found, ids, ours) == comparable(expected, ids, ours), record
        assert answer.content == json.dumps(found).encode(), "not written as upstream writes JSON"
        assert answer.headers["content-type"] == "application/json; charset=utf-8"
    return len(records)


async def test_a_whole_session(bench: Bench, doors: Doors) -> None:
    ids: dict[str, str] = {}
    counts = {name: await replay(name, bench, doors, ids) for name in SESSION}
    assert counts["ray_up_fresh"] == 18
    assert counts["ray_down"] == 13
    await bench.until_closed("golem-cluster")
    assert bench.rented() == []


@pytest.mark.parametrize("path", ["/get_wallet_status", "/ger_or_create_default_ssh_key"])
async def test_answers_have_the_recorded_fields(path: str, doors: Doors) -> None:
    record = next(record for record in recorded("ray_up_fresh") if record["path"] == path)
    answer = (await doors.stranger.post(path, content=json.dumps(record["body"]))).json()
    assert {key: type(value) for key, value in answer.items()} == {
        key: type(value) for key, value in record["response"].items()
    }
