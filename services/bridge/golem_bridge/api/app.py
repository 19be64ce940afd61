"""The FastAPI application: one set of routes; and the server of the host's door in front of it."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Literal

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from golem_bridge import __version__
from golem_bridge.api import console, events, faults, health, market, relay, scrape, v013, v1
from golem_bridge.api.context import Context
from golem_bridge.api.doors import KEEP_ALIVE, HostDoor
from golem_bridge.settings import Settings
from golem_bridge.telemetry.live import Traffic

MAX_CONNECTIONS = 1000
HTTP: Literal["h11"] = "h11"
"""The parser that takes no more than 64 KiB of headers; httptools, which uvicorn prefers, takes them without end."""


def create_app(context: Context) -> FastAPI:
    """The routes, without a door."""
    app = FastAPI(title="Ray on Golem bridge", version=__version__)
    app.state.context = context
    app.include_router(console.page_router)
    app.include_router(v1.router)
    app.include_router(market.router)
    app.include_router(relay.router)
    app.include_router(v013.router)
    app.include_router(events.router)
    app.include_router(scrape.router)
    app.include_router(health.router)
    app.include_router(console.router)
    faults.install(app)
    return app


def host_server(
    app: ASGIApp, settings: Settings, *, token: str, metrics_token: str, traffic: Traffic
) -> uvicorn.Server:
    """The server of the host door."""
    door = HostDoor(
        app,
        token=token,
        metrics_token=metrics_token,
        allowed_hosts=settings.allowed_hosts,
        open_paths=v013.PATHS if settings.bridge_admit_upstream_client else frozenset(),
    )
    return HostServer(
        uvicorn.Config(
            traffic.around(door, door="host"),
            http=HTTP,
            host=settings.bridge_listen_host,
            port=settings.bridge_listen_port,
            log_config=None,
            access_log=False,
            lifespan="off",
            limit_concurrency=MAX_CONNECTIONS,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=5,
            ws_max_size=1 << 20,
            ws_per_message_deflate=False,
        )
    )


class HostServer(uvicorn.Server):
    """Ends at a signal and returns; uvicorn's own raises the signal again, and nothing after it would be taken down."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        if threading.current_thread() is not threading.main_thread():
            yield  # signals come to the main thread only
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)
