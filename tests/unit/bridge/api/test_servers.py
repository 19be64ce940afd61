"""The servers behind the doors: how they end, how long they hold a connection, what they bound before a door hears."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from pathlib import Path

import pytest
import uvicorn
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.server import ServerState

from golem_bridge.api.app import HostServer, host_server
from golem_bridge.api.doors import KEEP_ALIVE
from golem_bridge.api.head_doors import HeadDoors, Noting, head_server
from golem_bridge.api.patience import REQUEST_PATIENCE
from golem_bridge.clock import SystemClock
from golem_bridge.settings import Settings
from golem_bridge.telemetry.live import Traffic
from tests.unit.bridge.doors import METRICS_TOKEN, TOKEN
from tests.unit.bridge.samples import ManualClock


class Line(asyncio.Transport):
    """What a server writes, and whether it hung up."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.is_closed = True

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def is_closing(self) -> bool:
        return self.is_closed


HEADERS = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 8\r\n\r\n"
REQUEST = HEADERS + b"question"


async def answers_slowly(_scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await asyncio.sleep(3 * REQUEST_PATIENCE)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def called_at(app: ASGIApp) -> tuple[asyncio.Protocol, Line]:
    """A connection to a head's door with these routes, and what comes of it."""
    config = head_server(app, ManualClock(), cluster_id="demo-1", path=Path("demo-1.sock")).config
    config.load()
    config.loaded_app = app  # without the door's own checks
    protocol = config.http_protocol_class(config=config, server_state=ServerState(), app_state={})  # type: ignore[call-arg]
    line = Line()
    protocol.connection_made(line)
    return protocol, line


async def nobody(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise AssertionError("nobody asked anything")


def server(door: str) -> uvicorn.Server:
    if door == "head":
        return head_server(nobody, ManualClock(), cluster_id="demo-1", path=Path("demo-1.sock"))
    traffic = Traffic(CollectorRegistry())
    return host_server(nobody, Settings(), token=TOKEN, metrics_token=METRICS_TOKEN, traffic=traffic)


@pytest.mark.parametrize("door", ["host", "head"])
async def test_headers_without_end_are_cut_off(door: str) -> None:
    """Whoever sends them has shown no token yet."""
    config = server(door).config
    config.load()
    protocol = config.http_protocol_class(config=config, server_state=ServerState(), app_state={})  # type: ignore[call-arg]
    line = Line()
    protocol.connection_made(line)
    protocol.data_received(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
    for number in range(4):
        if not line.is_closed:
            protocol.data_received(b"X-%d: " % number + b"x" * 50_000 + b"\r\n")
    assert (line.is_closed, line.written[:12]) == (True, b"HTTP/1.1 400")


@pytest.mark.parametrize("said", [b"", b"P", HEADERS[:-2], HEADERS, REQUEST[:-1]])
async def test_who_does_not_finish_a_request_is_not_waited_for(said: bytes) -> None:
    protocol, line = called_at(answers_slowly)
    if said:
        protocol.data_received(said)
    await asyncio.sleep(REQUEST_PATIENCE - 1)
    assert not line.is_closed
    await asyncio.sleep(2)
    assert line.is_closed


async def test_who_says_a_byte_now_and_then_is_not_waited_for_either() -> None:
    protocol, line = called_at(nobody)
    for number in range(len(HEADERS) - 1):
        if not line.is_closed:
            protocol.data_received(HEADERS[number : number + 1])
            await asyncio.sleep(1)
    assert line.is_closed
    assert asyncio.get_running_loop().time() <= REQUEST_PATIENCE + 1


async def test_a_whole_request_may_take_its_time_and_be_followed_by_another() -> None:
    protocol, line = called_at(answers_slowly)
    for number in (1, 2):
        await asyncio.sleep(REQUEST_PATIENCE - 1)
        protocol.data_received(HEADERS)
        protocol.data_received(b"question")
        await asyncio.sleep(3 * REQUEST_PATIENCE + 1)
        assert (line.is_closed, line.written.count(b"HTTP/1.1 200")) == (False, number)
        await asyncio.sleep(KEEP_ALIVE / 2)
    protocol.data_received(HEADERS)
    await asyncio.sleep(REQUEST_PATIENCE + 1)
    assert line.is_closed, "a request that is not the first is not waited for longer"


async def test_who_hangs_up_leaves_nothing_to_wait_for() -> None:
    protocol, line = called_at(nobody)
    protocol.connection_lost(None)
    line.is_closed = False
    await asyncio.sleep(2 * REQUEST_PATIENCE)
    assert not line.is_closed


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_server_and_lets_the_rest_be_taken_down(number: signal.Signals) -> None:
    served_by = HostServer(uvicorn.Config(nobody))
    taken_down = []
    with served_by.capture_signals():
        os.kill(os.getpid(), number)
        await asyncio.sleep(0.1)
        assert served_by.should_exit
        assert not served_by.force_exit
    taken_down.append("the rest")
    await asyncio.sleep(0.1)
    assert taken_down == ["the rest"]


def test_in_a_thread_it_is_ended_by_hand() -> None:
    served_by = HostServer(uvicorn.Config(nobody))
    served = []

    def serve() -> None:
        with served_by.capture_signals():
            served.append(served_by.should_exit)

    thread = threading.Thread(target=serve)
    thread.start()
    thread.join()
    assert served == [False]


@pytest.mark.parametrize("door", ["host", "head"])
def test_an_autoscalers_tick_never_meets_a_connection_that_is_being_closed(door: str) -> None:
    """Upstream's ticks and Ray's come every 5 s; upstream's requests are sent once only."""
    assert server(door).config.timeout_keep_alive > 2 * 5


async def test_a_heads_last_question_is_noted() -> None:
    clock, seen = ManualClock(), []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope)

    noting = Noting(app, clock)
    begin = clock.now()
    clock.advance(60)
    assert noting.asked_at == begin
    scope: Scope = {"type": "http"}
    await noting(scope, no_more, not_written)
    assert (noting.asked_at, seen) == (clock.now(), [scope])


async def no_more() -> Message:
    raise AssertionError("nothing is read")


async def not_written(_message: Message) -> None:
    raise AssertionError("nothing is answered")


async def test_a_door_that_cannot_be_opened_is_tried_again(tmp_path: Path) -> None:
    doors = HeadDoors(tmp_path / "missing", SystemClock())
    doors.serve(nobody)
    for _ in range(2):
        with pytest.raises(OSError, match=r"the head door .*demo-1\.sock did not open"):
            await doors.open("demo-1")
    assert doors.asked_at("demo-1") is None
