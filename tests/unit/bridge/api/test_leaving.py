"""Questions end with their connection; what changes something does not."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import CollectorRegistry
from starlette.types import Message, Receive, Scope, Send

from golem_bridge.api.doors import HeadDoor
from golem_bridge.api.leaving import Leaving
from golem_bridge.telemetry.live import Traffic


class Client:
    """Sends its body, and hangs up when told to."""

    def __init__(self, body: bytes = b"") -> None:
        self.heard: list[Message] = []
        self._body: bytes | None = body
        self._left = asyncio.Event()

    def leave(self) -> None:
        self._left.set()

    async def receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.heard.append(message)


class Routes:
    """Answer once ``news`` is set; ``ends`` tells how each request ended."""

    def __init__(self) -> None:
        self.news = asyncio.Event()
        self.ends: list[str] = []
        self.bodies: list[bytes] = []

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        self.bodies.append((await receive())["body"])
        try:
            await self.news.wait()
        except asyncio.CancelledError:
            self.ends.append("broken off")
            raise
        await send({"type": "http.response.start", "status": 200, "headers": []})
        self.ends.append("answered")


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def asking(method: str) -> Scope:
    return {"type": "http", "method": method, "path": "/"}


@pytest.mark.parametrize(("method", "end"), [("GET", "broken off"), ("HEAD", "broken off"), ("POST", "answered")])
async def test_a_question_ends_when_its_asker_hangs_up(method: str, end: str) -> None:
    routes, client = Routes(), Client(b"body")
    request = asyncio.create_task(Leaving(routes)(asking(method), client.receive, client.send))
    await settle()
    client.leave()
    await settle()
    routes.news.set()
    await request
    assert (routes.ends, routes.bodies) == ([end], [b"body"])


async def test_who_stays_is_answered() -> None:
    routes, client = Routes(), Client()
    request = asyncio.create_task(Leaving(routes)(asking("GET"), client.receive, client.send))
    await settle()
    assert not request.done()
    routes.news.set()
    await request
    assert (routes.ends, [message["type"] for message in client.heard]) == (["answered"], ["http.response.start"])


async def test_who_left_before_is_not_asked_for() -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    routes = Routes()
    await Leaving(routes)(asking("GET"), receive, Client().send)
    assert routes.bodies == []


async def test_a_failure_is_the_servers_to_tell() -> None:
    async def fails(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise RuntimeError("broken")

    client = Client()
    with pytest.raises(RuntimeError, match="broken"):
        await Leaving(fails)(asking("GET"), client.receive, client.send)


async def test_a_head_that_hangs_up_is_no_failure_of_the_bridges() -> None:
    registry, routes, client = CollectorRegistry(), Routes(), Client()
    door = HeadDoor(Traffic(registry).around(routes, door="head"), cluster_id="demo-1")
    request = asyncio.create_task(door(asking("GET"), client.receive, client.send))
    await settle()
    client.leave()
    await request
    labels = {"door": "head", "route": "none", "method": "GET", "code": "499"}
    assert registry.get_sample_value("rayongolem_http_requests_total", labels) == 1
