"""Requests are counted by route, refused ones too, and nobody outside can make new series."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from golem_bridge.api.doors import HostDoor
from golem_bridge.telemetry.live import LagMeter, Traffic, YagnaCalls
from tests.unit.bridge.samples import ManualClock

TOKEN = "a-token-long-enough"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def client(registry: CollectorRegistry) -> httpx.AsyncClient:
    app = FastAPI()

    @app.get("/v1/clusters/{name}")
    async def cluster(name: str) -> str:
        return name

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("a bug")

    door = HostDoor(app, token=TOKEN, metrics_token=TOKEN, allowed_hosts=frozenset({"bridge"}))
    transport = httpx.ASGITransport(Traffic(registry).around(door, door="host"), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://bridge")


def requests(registry: CollectorRegistry, **labels: str) -> float | None:
    return registry.get_sample_value("rayongolem_http_requests_total", {"door": "host", "method": "GET", **labels})


async def test_a_request_is_counted_under_its_template(registry: CollectorRegistry, client: httpx.AsyncClient) -> None:
    for name in ("one", "two"):
        await client.get(f"/v1/clusters/{name}", headers=HEADERS)
    assert requests(registry, route="/v1/clusters/{name}", code="200") == 2
    labels = {"door": "host", "route": "/v1/clusters/{name}", "method": "GET"}
    assert registry.get_sample_value("rayongolem_http_request_duration_seconds_count", labels) == 2


async def test_what_is_refused_or_unknown_has_no_route(registry: CollectorRegistry, client: httpx.AsyncClient) -> None:
    await client.get("/v1/clusters/one")
    await client.get("/no/such/path", headers=HEADERS)
    await client.request("BREW", "/no/such/path", headers=HEADERS)
    assert requests(registry, route="none", code="401") == 1
    assert requests(registry, route="none", code="404") == 1
    assert requests(registry, route="none", code="404", method="other") == 1


@pytest.mark.parametrize("code", ["401", "403"])
async def test_the_first_refusal_is_a_rise(registry: CollectorRegistry, client: httpx.AsyncClient, code: str) -> None:
    assert requests(registry, route="none", code=code) == 0
    await client.get("/v1/clusters/one")
    assert requests(registry, route="none", code="401") == 1


async def test_a_crash_counts_as_500(registry: CollectorRegistry, client: httpx.AsyncClient) -> None:
    await client.get("/broken", headers=HEADERS)
    assert requests(registry, route="/broken", code="500") == 1


def test_calls_of_yagna_are_timed_and_their_failures_counted(registry: CollectorRegistry) -> None:
    calls, accept = YagnaCalls(registry), {"operation": "accept_invoice"}
    calls.note("accept_invoice", 0.2, False)
    assert registry.get_sample_value("rayongolem_yagna_api_errors_total", accept) == 0
    calls.note("accept_invoice", 0.3, True)
    assert registry.get_sample_value("rayongolem_yagna_api_errors_total", accept) == 1
    assert registry.get_sample_value("rayongolem_yagna_api_duration_seconds_sum", accept) == 0.5


async def test_lag_is_what_sleep_took_too_long(registry: CollectorRegistry) -> None:
    class SlowClock(ManualClock):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds + 0.2)

    await LagMeter(registry, SlowClock()).measure()
    assert registry.get_sample_value("rayongolem_event_loop_lag_seconds_sum") == pytest.approx(0.2)
