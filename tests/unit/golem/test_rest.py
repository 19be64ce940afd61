"""Calls of YagnaGolem to a yagna that misbehaves: key, failures, who watches them.

What a well-behaved yagna does is in tests/contract, here and in the modules beside this one.
"""

from __future__ import annotations

import logging
import traceback

import pytest
from aiohttp import web

from golem_bridge.errors import GolemError, YagnaUnavailableError
from golem_bridge.golem.yagna import YagnaGolem
from tests.unit.golem.conftest import KEY, Bench
from tests.unit.golem.fake_yagna import refusal

pytestmark = pytest.mark.filterwarnings("ignore:path is deprecated:DeprecationWarning")

CHANNEL = "GET /net-api/v2/vpn/net/n/tcp/192.168.0.3/22"


async def test_every_request_carries_the_key_and_nothing_else_does(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    bench.yagna.on("GET /payment-api/v1/allocations", refusal(500, "broken"))
    bench.yagna.on("GET /me", web.json_response({"identity": "0x1"}))
    bench.yagna.on(CHANNEL, refusal(400, "refused"))
    assert await bench.golem.identity() == "0x1"
    said = []
    for attempt in (
        bench.golem.allocations(),
        bench.golem.open_channel("n", ip="192.168.0.3", port=22, timeout=5),
        bench.golem.agreement("unknown"),
    ):
        with pytest.raises(GolemError) as failed:
            await attempt
        said += [*traceback.format_exception(failed.value), repr(failed.value)]
    assert all(request.headers["Authorization"] == f"Bearer {KEY}" for request in bench.yagna.requests)
    assert KEY not in "".join([*said, caplog.text, repr(bench.golem), str(vars(bench.golem))])


async def test_a_yagna_that_is_not_there() -> None:
    async with YagnaGolem("http://127.0.0.1:1", KEY) as golem:
        for attempt in (golem.identity(), golem.allocations()):
            with pytest.raises(YagnaUnavailableError, match="docker compose"):
                await attempt
        with pytest.raises(YagnaUnavailableError):
            await golem.open_channel("n", ip="192.168.0.3", port=22, timeout=5)


async def test_a_wrong_key(bench: Bench) -> None:
    bench.yagna.on("GET /me", web.Response(status=401, text="Invalid application key"))
    with pytest.raises(YagnaUnavailableError, match="app-key"):
        await bench.golem.identity()


@pytest.mark.parametrize("body", [b"", b"nonsense", b"{}", b"[1]", b'{"identity": 5}', b"\xff"])
async def test_an_answer_that_is_not_understood(bench: Bench, body: bytes) -> None:
    bench.yagna.on("GET /me", web.Response(body=body))
    with pytest.raises(GolemError, match="not understood"):
        await bench.golem.identity()


async def test_every_call_is_observed_with_its_name_and_whether_yagna_failed(bench: Bench) -> None:
    seen: list[tuple[str, bool]] = []

    def observe(operation: str, seconds: float, failed: bool) -> None:
        assert seconds >= 0
        seen.append((operation, failed))

    bench.golem.observed_by(observe)
    bench.yagna.on("GET /payment-api/v1/payments/status", web.json_response([]), refusal(500, "broken"))
    await bench.golem.payment_problems()
    with pytest.raises(GolemError):
        await bench.golem.payment_problems()
    bench.yagna.on("DELETE /market-api/v1/demands/d", refusal(404, "gone"))
    await bench.golem.unsubscribe("d")
    assert seen == [("get", False), ("get", True), ("unsubscribe_demand", False)]
