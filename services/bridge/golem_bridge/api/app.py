"""The FastAPI application: one set of routes, two kinds of doors in front of it."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import structlog
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from golem_bridge import __version__
from golem_bridge.api import console, events, faults, health, market, relay, scrape, v013, v1
from golem_bridge.api.context import Context
from golem_bridge.api.doors import HeadDoor, HostDoor
from golem_bridge.api.pace import Paced
from golem_bridge.api.patience import ImpatientProtocol
from golem_bridge.clock import Clock
from golem_bridge.settings import Settings
from golem_bridge.telemetry.live import Traffic

MAX_CONNECTIONS = 1000
HTTP: Literal["h11"] = "h11"
"""The parser that takes no more than 64 KiB of headers; httptools, which uvicorn prefers, takes them without end."""

KEEP_ALIVE = 75
"""Seconds an idle connection stays open. Autoscalers ask every 5 s, uvicorn's own limit: now and then a question was
on its way when the connection was closed, and upstream's client does not ask again."""

log = structlog.get_logger(__name__)


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


def head_server(app: ASGIApp, clock: Clock, *, cluster_id: str, path: Path) -> uvicorn.Server:
    """The server of one cluster's head door, on the unix socket ``path``."""
    return _DoorServer(
        uvicorn.Config(
            Paced(HeadDoor(app, cluster_id=cluster_id), clock),
            http=ImpatientProtocol,
            uds=str(path),
            log_config=None,
            access_log=False,
            lifespan="off",
            limit_concurrency=100,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=1,
        )
    )


class HeadDoors:
    """One unix socket per live cluster; its path is the caller's identity."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._app: ASGIApp | None = None
        self._open: dict[str, tuple[uvicorn.Server, asyncio.Task[None]]] = {}

    def serve(self, app: ASGIApp) -> None:
        """The routes to serve; set once they exist."""
        self._app = app

    async def open(self, cluster_id: str) -> Path:
        """Listen for one cluster's head; a door that is open stays open."""
        path = self._folder / f"{cluster_id}.sock"
        if cluster_id in self._open:
            return path
        assert self._app is not None, "serve() comes first"
        path.unlink(missing_ok=True)
        server = head_server(self._app, self._clock, cluster_id=cluster_id, path=path)
        task = asyncio.create_task(server.serve(), name=f"head door {cluster_id}")
        self._open[cluster_id] = (server, task)
        while not server.started:
            if task.done():
                raise OSError(f"the head door {path} did not open")
            await asyncio.sleep(0.01)
        path.chmod(0o600)
        return path

    async def close(self, cluster_id: str) -> None:
        server, task = self._open.pop(cluster_id, (None, None))
        if server is None or task is None:
            return
        server.should_exit = True
        await asyncio.wait([task], timeout=5)
        (self._folder / f"{cluster_id}.sock").unlink(missing_ok=True)

    async def close_all(self) -> None:
        for cluster_id in list(self._open):
            await self.close(cluster_id)


class _DoorServer(uvicorn.Server):
    """Signals belong to the host door's server."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield
