"""Exe-scripts on exe-units that are late, away, or fail."""

from __future__ import annotations

import json

import pytest
from aiohttp import web

from golem_bridge.errors import CommandFailedError, GolemTimeoutError, NodeUnreachableError
from tests.unit.golem.conftest import Bench
from tests.unit.golem.fake_yagna import refusal

pytestmark = pytest.mark.filterwarnings("ignore:path is deprecated:DeprecationWarning")

EXEC = "/activity-api/v1/activity/act/exec"
STATE = "GET /activity-api/v1/activity/act/state"
NO_ROUTE = refusal(500, "GSB error: GSB failure: Bad request: endpoint address not found")
SCRIPT: list[dict[str, object]] = [{"deploy": {}}, {"run": {"entry_point": "/bin/true", "args": []}}]


def result(index: int, *, ok: bool = True, last: bool = False, **more: object) -> dict[str, object]:
    return {"index": index, "result": "Ok" if ok else "Error", "isBatchFinished": last, "eventDate": "x", **more}


async def test_results_come_in_pieces(bench: Bench) -> None:
    bench.yagna.on(f"POST {EXEC}", web.json_response("batch"))
    bench.yagna.on(
        f"GET {EXEC}/batch",
        web.json_response([]),
        refusal(408, "Timeout"),
        web.json_response([result(0)]),
        web.json_response([result(0), result(1, last=True, stdout="done")]),
    )
    results = await bench.golem.execute("act", SCRIPT, timeout=60)
    assert [item.stdout for item in results] == ["", "done"]
    assert json.loads(json.loads(bench.yagna.bodies[0])["text"]) == SCRIPT


async def test_an_exe_unit_that_appears_late(bench: Bench) -> None:
    bench.yagna.on(STATE, web.json_response({"state": ["Initialized", None]}))
    bench.yagna.on(f"POST {EXEC}", NO_ROUTE, NO_ROUTE, web.json_response("batch"))
    bench.yagna.on(f"GET {EXEC}/batch", NO_ROUTE, web.json_response([result(0), result(1, last=True)]))
    assert len(await bench.golem.execute("act", SCRIPT, timeout=60)) == 2


async def test_an_exe_unit_that_stays_away(bench: Bench) -> None:
    bench.yagna.on(STATE, refusal(500, "who knows"))
    bench.yagna.on(f"POST {EXEC}", NO_ROUTE)
    with pytest.raises(NodeUnreachableError, match="out of reach"):
        await bench.golem.execute("act", SCRIPT, timeout=600)
    assert len([request for request in bench.yagna.requests if request.method == "POST"]) == 4


async def test_an_activity_that_ends_meanwhile(bench: Bench) -> None:
    bench.yagna.on(STATE, web.json_response({"state": ["Terminated", None]}))
    bench.yagna.on(f"POST {EXEC}", web.json_response("batch"))
    bench.yagna.on(f"GET {EXEC}/batch", NO_ROUTE)
    with pytest.raises(CommandFailedError, match="ended activity"):
        await bench.golem.execute("act", SCRIPT, timeout=60)


async def test_a_command_that_fails(bench: Bench) -> None:
    bench.yagna.on(f"POST {EXEC}", web.json_response("batch"))
    failed = result(1, ok=False, last=True, message="ExeUnit: exit code 3", stderr="line\noops\x1b[31m")
    bench.yagna.on(f"GET {EXEC}/batch", web.json_response([result(0), failed]))
    with pytest.raises(CommandFailedError) as error:
        await bench.golem.execute("act", SCRIPT, timeout=60)
    assert "run (2 of 2)" in error.value.message
    assert "exit code 3; line oops" in error.value.message
    assert error.value.message.isprintable()


async def test_a_script_that_never_ends(bench: Bench) -> None:
    bench.yagna.on(f"POST {EXEC}", web.json_response("batch"))
    bench.yagna.on(f"GET {EXEC}/batch", web.json_response([result(0)]))
    started = bench.clock.monotonic()
    with pytest.raises(GolemTimeoutError, match=r"1 of 2 commands are done, next: run \(2 of 2\)"):
        await bench.golem.execute("act", SCRIPT, timeout=30)
    assert 30 <= bench.clock.monotonic() - started < 31
