"""The console in a real browser, over a bridge's routes and door with made-up books. Needs Chromium, no appliance."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, HTTPException
from prometheus_client import CollectorRegistry
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from golem_bridge.api.app import host_server
from golem_bridge.clock import SystemClock
from golem_bridge.clusters.repository import MOST_ENDED
from golem_bridge.clusters.states import NodeState
from golem_bridge.settings import Settings
from golem_bridge.telemetry.live import Traffic
from tests.fakes.console import CLOSED, OPEN, SampleAppliance
from tests.integration.browser import Tab, tab

TOKEN = "a-token-nobody-guesses"
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
PHONE = 390
SHOWN = "document.querySelectorAll('details.cluster tbody tr').length > 0"
DRAWN = "document.querySelectorAll('#clusters .charts:not([hidden]) path.edge').length == 2"


@dataclass
class Served:
    """A running bridge; ``events`` None: it has no such route yet."""

    url: str
    sample: SampleAppliance
    app: FastAPI
    events: list[dict[str, object]] | None

    @property
    def link(self) -> str:
        return f"{self.url}/#token={TOKEN}"


@pytest.fixture(scope="session", autouse=True)
def appliance() -> None:
    """None is needed here, unlike by the rest of this folder."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    sample = SampleAppliance(SystemClock(), tmp_path / "books.sqlite")
    sample.fill()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = sample.app()
    bridge = Served(f"http://127.0.0.1:{port}", sample, app, list(sample.events()))

    async def tell_events(_request: Request) -> Response:
        if bridge.events is None:
            raise HTTPException(404)
        return JSONResponse({"events": bridge.events})

    app.router.routes.insert(0, Route("/v1/events", tell_events))
    settings = Settings(bridge_listen_host="127.0.0.1", bridge_listen_port=port)
    server = host_server(app, settings, token=TOKEN, metrics_token=TOKEN, traffic=Traffic(CollectorRegistry()))
    thread = threading.Thread(target=server.run)
    thread.start()
    _await(server)
    yield bridge
    server.should_exit = server.force_exit = True
    thread.join(timeout=30)
    sample.database.close()


def _await(server: uvicorn.Server) -> None:
    deadline = time.monotonic() + 30
    while not server.started:
        assert time.monotonic() < deadline, "the bridge did not start to serve"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with tab(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture
def page(browser: Tab) -> Iterator[Tab]:
    """A tab nobody has used; whatever the page complains about fails the test."""
    browser.call("Storage.clearDataForOrigin", origin="*", storageTypes="all")
    browser.look(width=1100)
    browser.open("about:blank")
    browser.complaints.clear()
    browser.requests.clear()
    yield browser
    assert browser.complaints == []


def test_a_link_shows_everything_and_its_token_is_not_kept_in_the_address(page: Tab, served: Served) -> None:
    page.open(served.link)
    page.wait_for(SHOWN)
    page.wait_for(DRAWN)
    assert page.evaluate("location.href") == f"{served.url}/"
    assert page.evaluate("history.length") <= 2
    text = page.text()
    for expected in ("devnet", "0x90cc…623b", "golem-cluster", "birch.golem.example", "5 running", "1 starting"):
        assert expected in text
    assert "Deploying the image at juniper: 41 %" in text
    assert "Runs at hazel" in text
    assert page.evaluate("document.getElementById('grafana').href") == "http://127.0.0.1:3000/"
    assert page.evaluate("document.getElementById('prometheus').href") == "http://127.0.0.1:9090/"
    assert not [url for url in page.requests if TOKEN in url.partition("#")[0]]
    assert not [url for url in page.requests if not url.startswith((served.url, "data:"))]


def test_a_pasted_token_opens_it_and_leaving_forgets_it(page: Tab, served: Served) -> None:
    page.open(f"{served.url}/")
    page.wait_for("!document.getElementById('door').hidden")
    assert "golem-cluster-3" not in page.text()
    page.evaluate("document.getElementById('token').focus()")
    page.call("Input.insertText", text=f" {TOKEN} ")
    page.evaluate("document.querySelector('#door button').click()")
    page.wait_for(SHOWN)
    page.call("Page.reload")
    page.wait_for(f"document.readyState == 'complete' && {SHOWN}")
    page.evaluate("document.getElementById('forget').click()")
    page.wait_for("!document.getElementById('door').hidden")
    assert page.evaluate("sessionStorage.length") == 0
    assert page.evaluate("document.querySelectorAll('tbody tr').length") == 0


def test_a_wrong_token_is_said_to_be_wrong(browser: Tab, served: Served) -> None:
    browser.open(f"{served.url}/#token=wrong")
    browser.wait_for("!document.getElementById('refusal').hidden")
    assert "does not know this token" in browser.text()
    assert browser.evaluate("sessionStorage.length") == 0


def test_a_strangers_words_stay_words(page: Tab, served: Served) -> None:
    served.sample.node("golem-cluster-3", 9, minutes=1, provider=HOSTILE)
    served.sample.node("golem-cluster-3", 10, minutes=1, state=NodeState.STARTING, message=HOSTILE)
    served.events = [{"at": 1.0, "cluster": HOSTILE, "node_id": None, "kind": HOSTILE, "message": HOSTILE}]
    page.open(served.link)
    page.wait_for(f"{SHOWN} && document.querySelectorAll('#event-list li').length == 1")
    assert page.evaluate("document.body.innerText.split('<img src=x').length") >= 4
    assert page.evaluate("document.images.length") == 0
    assert page.evaluate("document.title") == "Ray on Golem"


def test_injected_markup_would_not_run_either(browser: Tab, served: Served) -> None:
    browser.open(served.link)
    browser.wait_for(SHOWN)
    attempt = "(() => { try { document.body.innerHTML = '<b>x</b>'; return 'done'; } catch { return 'refused'; } })()"
    assert browser.evaluate(attempt) == "refused"


def test_it_goes_on_by_itself(page: Tab, served: Served) -> None:
    page.open(served.link)
    page.wait_for(SHOWN)
    page.evaluate("window.row = document.querySelector('#clusters tbody tr')")
    served.sample.node("golem-cluster-3", 11, minutes=0, provider="larch")
    page.wait_for("document.body.innerText.includes('larch')")
    assert page.evaluate("window.row === document.querySelector('#clusters tbody tr')"), "rows are made anew"


def test_a_bridge_without_events_is_good_enough(browser: Tab, served: Served) -> None:
    served.events = None
    browser.open(served.link)
    browser.wait_for(f"{SHOWN} && {DRAWN}")
    browser.wait_for("document.getElementById('live').textContent == 'live'")
    assert browser.evaluate("document.getElementById('events').hidden")


def test_the_bridges_own_events_are_understood(page: Tab, served: Served) -> None:
    served.app.router.routes.pop(0)
    served.sample.node("golem-cluster-3", 9, minutes=0.1, state=NodeState.REQUESTED, message="Looks for a provider")
    page.open(served.link)
    page.wait_for("document.getElementById('event-list').innerText.includes('Looks for a provider')")
    assert "golem-cluster · worker-0009" in page.evaluate("document.querySelector('#event-list li').innerText")


def test_a_bridge_that_falls_silent_is_said_to(browser: Tab, served: Served) -> None:
    browser.open(served.link)
    browser.wait_for("document.getElementById('live').textContent == 'live'")
    browser.call("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0)
    try:
        browser.wait_for("document.getElementById('live').textContent.includes('does not answer, last heard')")
        assert "golem-cluster" in browser.text(), "what was known stays to be read"
    finally:
        browser.call(
            "Network.emulateNetworkConditions", offline=False, latency=0, downloadThroughput=-1, uploadThroughput=-1
        )
    browser.wait_for("document.getElementById('live').textContent == 'live'")


def test_a_closed_cluster_opens_with_its_charts(page: Tab, served: Served) -> None:
    page.open(served.link)
    page.wait_for(SHOWN)
    card = "[...document.querySelectorAll('#past-clusters details.cluster')][0]"
    assert CLOSED in page.evaluate(f"{card}.innerText")
    assert "2 nodes" in page.evaluate(f"{card}.innerText")
    page.evaluate(f"{card}.querySelector('summary').click()")
    page.wait_for(f"{card}.querySelectorAll('.charts:not([hidden]) path.edge').length == 2")
    page.evaluate(f"{card}.querySelector('details.ended summary').click()")
    assert f"ray-on-golem bill {CLOSED}" in page.evaluate(f"{card}.innerText")
    assert page.evaluate(f"{card}.querySelectorAll('table:not([hidden])').length") == 0


@pytest.mark.parametrize(("name", "incarnation", "shown"), [(OPEN, 2, "#clusters"), (CLOSED, 0, "#past-clusters")])
def test_what_an_earlier_incarnation_still_costs_is_shown(
    page: Tab, served: Served, name: str, incarnation: int, shown: str
) -> None:
    """Whether the newest one is up or over."""
    earlier = served.sample.cluster(name, incarnation, minutes=90, budget="5")
    served.sample.node(earlier, 2, minutes=90, provider="willow", state=NodeState.TERMINATING, message="Ended with it")
    page.open(served.link)
    page.wait_for(SHOWN)
    card = f"document.querySelector('{shown} details.cluster')"
    assert page.evaluate(f"{card}.querySelector('.name').innerText") == name
    assert "willow" in page.evaluate(f"{card}.querySelector('table:not([hidden])').textContent")
    assert "1 ending" in page.evaluate("document.getElementById('figures').innerText")


def test_of_the_nodes_that_ended_the_last_are_listed(page: Tab, served: Served) -> None:
    for number in range(20, 20 + MOST_ENDED):
        served.sample.node("golem-cluster-3", number, minutes=5, lasted=1, state=NodeState.TERMINATED)
    page.open(served.link)
    page.wait_for(SHOWN)
    card = "document.querySelector('#clusters details.ended')"
    title = page.evaluate(f"{card}.querySelector('summary').innerText")
    assert title == f"{MOST_ENDED + 2} nodes ended, the last {MOST_ENDED} of them"
    assert page.evaluate(f"{card}.querySelectorAll('tbody tr').length") == MOST_ENDED


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, 1100])
def test_nothing_is_wider_than_the_window(page: Tab, served: Served, width: int, dark: bool, tmp_path: Path) -> None:
    served.sample.node("golem-cluster-3", 9, minutes=1, provider="W" * 400)
    page.look(width=width, dark=dark)
    page.open(served.link)
    page.wait_for(f"{SHOWN} && {DRAWN}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, ground.removeprefix("rgb(").removesuffix(")").split(","))) < 150) is dark
    page.screenshot(tmp_path / "console.png")
    assert (tmp_path / "console.png").stat().st_size > 10_000


def test_the_door_is_as_narrow_as_ever(served: Served) -> None:
    with httpx.Client(base_url=served.url, trust_env=False, verify=False) as client:
        assert client.get("/", headers={"Accept": "text/html"}).status_code == 200
        assert client.get("/").status_code == 401
        assert client.get("/v1/clusters").status_code == 401
        assert client.get("/", headers={"Host": "evil.example", "Accept": "text/html"}).status_code == 403
