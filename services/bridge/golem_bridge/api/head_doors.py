"""The doors of the clusters' heads: each a server of its own on a unix socket, in front of the same routes."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from golem_bridge.api.doors import KEEP_ALIVE, HeadDoor
from golem_bridge.api.pace import Paced
from golem_bridge.api.patience import ImpatientProtocol
from golem_bridge.clock import Clock


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


class Noting:
    """The routes, and when they were asked last: ``asked_at``, at first when this began."""

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock
        self.asked_at = clock.now()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked_at = self._clock.now()
        await self._app(scope, receive, send)


@dataclass(frozen=True)
class _Door:
    path: Path
    noting: Noting
    server: uvicorn.Server
    task: asyncio.Task[None]


class HeadDoors:
    """One unix socket per live cluster; its path is the caller's identity."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._app: ASGIApp | None = None
        self._open: dict[str, _Door] = {}

    def serve(self, app: ASGIApp) -> None:
        """The routes to serve; set once they exist."""
        self._app = app

    def asked_at(self, cluster_id: str) -> datetime | None:
        """When a cluster's head asked for something last, or its door was opened; None while it has no door."""
        door = self._open.get(cluster_id)
        return None if door is None else door.noting.asked_at

    async def open(self, cluster_id: str) -> Path:
        """Listen for one cluster's head; a door that is open stays open. Raises OSError."""
        if cluster_id in self._open:
            return self._open[cluster_id].path
        assert self._app is not None, "serve() comes first"
        path = self._folder / f"{cluster_id}.sock"
        path.unlink(missing_ok=True)
        noting = Noting(self._app, self._clock)
        server = head_server(noting, self._clock, cluster_id=cluster_id, path=path)
        task = asyncio.create_task(server.serve(), name=f"head door {cluster_id}")
        self._open[cluster_id] = _Door(path, noting, server, task)
        while not server.started:
            if task.done():
                del self._open[cluster_id]
                raise OSError(f"the head door {path} did not open") from task.exception()
            await asyncio.sleep(0.01)
        path.chmod(0o600)
        return path

    async def close(self, cluster_id: str) -> None:
        """Closing a closed door is no error."""
        door = self._open.pop(cluster_id, None)
        if door is None:
            return
        door.server.should_exit = True
        await asyncio.wait([door.task], timeout=5)
        door.path.unlink(missing_ok=True)

    async def close_all(self) -> None:
        """Close every door that is open."""
        for cluster_id in list(self._open):
            await self.close(cluster_id)


class _DoorServer(uvicorn.Server):
    """Signals belong to the host door's server."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield
