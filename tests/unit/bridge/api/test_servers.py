"""The two servers' manners: how they end, and how long they hold a connection."""

from __future__ import annotations

import asyncio
import os
import signal
import threading

import pytest
import uvicorn
from prometheus_client import CollectorRegistry

from golem_bridge.api.app import HostServer, host_server
from golem_bridge.settings import Settings
from golem_bridge.telemetry.live import Traffic


async def nothing(*_: object) -> None:
    """An application."""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_server_and_lets_the_rest_be_taken_down(number: signal.Signals) -> None:
    server = HostServer(uvicorn.Config(nothing))
    taken_down = []
    with server.capture_signals():
        os.kill(os.getpid(), number)
        await asyncio.sleep(0.1)
        assert server.should_exit
        assert not server.force_exit
    taken_down.append("the rest")
    await asyncio.sleep(0.1)
    assert taken_down == ["the rest"]


def test_in_a_thread_it_is_ended_by_hand() -> None:
    server = HostServer(uvicorn.Config(nothing))
    served = []

    def serve() -> None:
        with server.capture_signals():
            served.append(server.should_exit)

    thread = threading.Thread(target=serve)
    thread.start()
    thread.join()
    assert served == [False]


def test_an_autoscalers_tick_never_meets_a_connection_that_is_being_closed() -> None:
    """Upstream's ticks and Ray's come every 5 s; its requests are sent once only."""
    server = host_server(
        nothing, Settings(), token="t" * 40, metrics_token="m" * 40, traffic=Traffic(CollectorRegistry())
    )
    assert server.config.timeout_keep_alive > 2 * 5
