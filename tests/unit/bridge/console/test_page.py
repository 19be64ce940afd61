"""The console's page: who gets it, what it may do, and that it holds nothing."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import ASGIApp

from golem_bridge.api.doors import HeadDoor, HostDoor
from golem_bridge.console.page import FOLDER, SCRIPTS, load_page
from golem_bridge.settings import Settings
from tests.fakes.console import OPEN, WALLET, SampleAppliance
from tests.unit.bridge.samples import START, ManualClock

TOKEN = "a-token-nobody-guesses"
METRICS_TOKEN = "a-token-for-prometheus"


@pytest.fixture
async def app() -> AsyncIterator[FastAPI]:
    """Nothing is in its books."""
    sample = SampleAppliance(ManualClock())
    yield sample.app()
    sample.database.close()


@pytest.fixture
async def busy_app(tmp_path: Path) -> AsyncIterator[FastAPI]:
    sample = SampleAppliance(ManualClock(), tmp_path / "books.sqlite")
    sample.fill()
    yield sample.app()
    sample.database.close()


def host_door(app: FastAPI) -> HostDoor:
    return HostDoor(app, token=TOKEN, metrics_token=METRICS_TOKEN, allowed_hosts=frozenset({"127.0.0.1"}))


async def request(
    app: ASGIApp,
    method: str,
    path: str,
    *,
    token: str | None = None,
    host: str = "127.0.0.1:4578",
    accept: str = "text/html,application/xhtml+xml,*/*;q=0.8",
) -> httpx.Response:
    """By default as a browser asks that is told to open an address."""
    headers = {"Host": host, "Accept": accept} | ({"Authorization": f"Bearer {token}"} if token else {})
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", trust_env=False) as client:
        return await client.request(method, path, headers=headers)


async def test_the_page_is_served_without_a_token_and_holds_nothing_of_the_appliance(busy_app: FastAPI) -> None:
    answer = await request(host_door(busy_app), "GET", "/")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.content == load_page().body
    assert not [secret for secret in (TOKEN, METRICS_TOKEN, WALLET, OPEN + "-3") if secret in answer.text]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/"),
        ("HEAD", "/"),
        ("OPTIONS", "/"),
        ("GET", "/index.html"),
        ("GET", "/%2e/v1/clusters"),
        ("GET", "/v1/clusters"),
        ("GET", "/v1/appliance"),
        ("GET", "/v1/wallet"),
        ("GET", f"/v1/clusters/{OPEN}/history"),
        ("GET", "/openapi.json"),
        ("GET", "/metrics"),
    ],
)
async def test_nothing_else_is(app: FastAPI, method: str, path: str) -> None:
    answer = await request(host_door(app), method, path)
    assert answer.status_code == 401


@pytest.mark.parametrize(("token", "status"), [(None, 401), (TOKEN, 200)])
async def test_who_wants_no_page_is_answered_as_upstreams_client_is(
    busy_app: FastAPI, token: str | None, status: int
) -> None:
    answer = await request(host_door(busy_app), "GET", "/", token=token, accept="*/*")
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/json")
    assert ("server_warnings" in answer.json()) is (status == 200)


async def test_the_page_too_is_for_known_hosts_only(app: FastAPI) -> None:
    answer = await request(host_door(app), "GET", "/", host="rebound.example:4578")
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/", "/v1/appliance", "/v1/wallet", f"/v1/clusters/{OPEN}/history"])
async def test_a_rented_machine_gets_none_of_it(app: FastAPI, path: str) -> None:
    answer = await request(HeadDoor(app, cluster_id=f"{OPEN}-3"), "GET", path)
    assert answer.status_code == 403


async def test_the_metrics_token_opens_no_data(app: FastAPI) -> None:
    answer = await request(host_door(app), "GET", "/v1/appliance", token=METRICS_TOKEN)
    assert answer.status_code == 401


async def test_the_policy_allows_the_pages_own_code_and_nothing_else(app: FastAPI) -> None:
    answer = await request(host_door(app), "GET", "/")
    directives = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert directives["default-src"] == "'none'"
    assert directives["connect-src"] == "'self'"
    assert directives["frame-ancestors"] == directives["base-uri"] == directives["form-action"] == "'none'"
    assert directives["require-trusted-types-for"] == "'script'"
    for tag in ("script", "style"):
        blocks = re.findall(rf"<{tag}>(.*?)</{tag}>", answer.text, re.DOTALL)
        digests = [base64.b64encode(hashlib.sha256(block.encode()).digest()).decode() for block in blocks]
        assert directives[f"{tag}-src"].split() == [f"'sha256-{digest}'" for digest in digests]
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_nothing_is_loaded_from_elsewhere_and_no_text_becomes_markup() -> None:
    body = load_page().body.decode()
    loading = re.findall(r"(?:src|@import|url\()[=\s\"'(]+(?!data:)[^\s]+", body)
    assert loading == []
    assert re.findall(r"\s(?:on[a-z]+|style)=", body) == []
    code = "".join((FOLDER / name).read_text() for name in SCRIPTS)
    for way in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        "localStorage",
    ):
        assert way not in code


async def test_what_the_page_asks_for_is_there(busy_app: FastAPI) -> None:
    appliance = (await request(host_door(busy_app), "GET", "/v1/appliance", token=TOKEN)).json()
    assert appliance == {
        "network": "devnet",
        "wallet": WALLET,
        "now": START.timestamp(),
        "grafana_port": 3000,
        "prometheus_port": 9090,
    }
    wallet = (await request(host_door(busy_app), "GET", "/v1/wallet", token=TOKEN)).json()
    assert wallet == {
        "address": WALLET,
        "amount": "999.84",
        "gas": "0.9995",
        "gas_coin": "tETH",
        "at": START.timestamp(),
    }
    told = (await request(host_door(busy_app), "GET", f"/v1/clusters/{OPEN}/history", token=TOKEN)).json()
    assert (told["name"], told["incarnation"]) == (OPEN, 3)
    last = told["points"][-1]
    assert (last["at"], last["nodes"], last["running"]) == (START.timestamp(), 6, 5)
    assert float(last["spent"]) > float(told["points"][0]["spent"]) == 0


async def test_an_unknown_clusters_history_is_an_error_with_advice(busy_app: FastAPI) -> None:
    answer = await request(host_door(busy_app), "GET", "/v1/clusters/nobody/history", token=TOKEN)
    assert answer.status_code == 404
    assert OPEN in answer.json()["error"]["message"]


@pytest.mark.parametrize(("profiles", "port"), [("devnet,grafana", 3000), ("devnet", None), ("", None)])
def test_grafana_is_linked_only_where_it_was_started(profiles: str, port: int | None) -> None:
    assert Settings(grafana_port=3000, appliance_profiles=profiles).linked_grafana_port == port
