"""Who may come in: the host door asks for Host and token, a head door knows its cluster by its socket.

Both are plain ASGI middleware around the same routes, so no route can forget them.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from golem_bridge.api.bodies import HEAD_BODY, HOST_BODY, read_body
from golem_bridge.api.leaving import Leaving
from golem_bridge.errors import BridgeError, ForbiddenError, TooLargeError, UnauthorizedError

METRICS_PATHS = re.compile(r"/metrics|/v1/prometheus/sd|/v1/clusters/[^/]+/nodes/[^/]+/scrape/[0-9]+/metrics")
"""What Prometheus may ask for with the metrics token."""

KEEP_ALIVE = 75
"""Seconds an idle connection stays open. Autoscalers ask every 5 s, uvicorn's own limit: now and then a question was
on its way when the connection was closed, and upstream's client does not ask again."""

Message = MutableMapping[str, Any]

CONSOLE_PATH = "/"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking: the user (``cluster_id`` None) or one cluster's head."""

    cluster_id: str | None


class HostDoor:
    """Bearer token on every route but the empty console page, Host allow-list on every method, WebSockets included.

    ``open_paths`` ask for no token; browsers, which say where a request comes from, are kept out of them.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        token: str,
        metrics_token: str,
        allowed_hosts: frozenset[str],
        open_paths: frozenset[str] = frozenset(),
    ) -> None:
        self._app = app
        self._token = token
        self._metrics_token = metrics_token
        self._allowed_hosts = allowed_hosts
        self._open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        try:
            self._check(scope)
        except BridgeError as error:
            await refuse(error, scope, receive, send)
            return
        await _admit(Caller(cluster_id=None), self._app, scope, receive, send, most=HOST_BODY)

    def _check(self, scope: Scope) -> None:
        headers, path = Headers(scope=scope), scope["path"]
        host = _host_name(headers.get("host", ""))
        if host not in self._allowed_hosts:
            raise ForbiddenError(
                f"Host {host[:100]!r} is not served — allowed: {', '.join(sorted(self._allowed_hosts))} — "
                "use http://127.0.0.1, or set BRIDGE_ALLOWED_HOSTS"
            )
        if asks_for_page(scope):
            return
        if path in self._open_paths and "authorization" not in headers and not _is_browser(headers):
            return
        given = headers.get("authorization", "").removeprefix("Bearer ").encode()
        allowed = [self._token, self._metrics_token] if METRICS_PATHS.fullmatch(path) else [self._token]
        if not any(hmac.compare_digest(given, token.encode()) for token in allowed):
            why = "no token was sent" if not given else "the token is wrong"
            raise UnauthorizedError(
                f"Not authorized — {why} — the token is in run/bridge-token of the appliance's folder; "
                "point RAY_ON_GOLEM_TOKEN_FILE at it"
            )


class HeadDoor:
    """Everything that comes in here comes from one cluster's head: a machine of a stranger."""

    def __init__(self, app: ASGIApp, *, cluster_id: str) -> None:
        self._app = Leaving(app)
        self._caller = Caller(cluster_id=cluster_id)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        else:
            await _admit(self._caller, self._app, scope, receive, send, most=HEAD_BODY)


async def _admit(caller: Caller, app: ASGIApp, scope: Scope, receive: Receive, send: Send, *, most: int) -> None:
    """Let a request in once its body is read. WebSockets are left alone: the server bounds their messages."""
    scope.setdefault("state", {})["caller"] = caller
    if scope["type"] == "http":
        try:
            receive = await read_body(receive, most=most)
        except TooLargeError as error:
            await refuse(error, scope, receive, send)
            return
    await app(scope, receive, send)


def asks_for_page(scope: Scope) -> bool:
    """Whether a browser wants to show the console; at the same path upstream's client asks for JSON.

    It is the one thing that is served without a token: it holds no data, and to see any one must have the token.
    """
    if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] != CONSOLE_PATH:
        return False
    return "text/html" in Headers(scope=scope).get("accept", "")


async def refuse(error: BridgeError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the error; a WebSocket handshake gets it as an HTTP answer too."""
    response = error_response(error)
    if scope["type"] == "websocket":
        await _refuse_websocket(response, receive, send)
    else:
        await response(scope, receive, send)


def error_response(error: BridgeError) -> JSONResponse:
    """The one shape of errors."""
    body = {"error": {"code": error.code, "message": error.message}}
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None
    return JSONResponse(body, status_code=error.status, headers=headers)


async def _refuse_websocket(
    response: JSONResponse, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    await receive()
    await send(
        {"type": "websocket.http.response.start", "status": response.status_code, "headers": response.raw_headers}
    )
    await send({"type": "websocket.http.response.body", "body": bytes(response.body)})


def _is_browser(headers: Headers) -> bool:
    """A page of whatever site can make a browser ask 127.0.0.1 for anything."""
    return "origin" in headers or "sec-fetch-site" in headers


def _host_name(header: str) -> str:
    """Host header without port; brackets of IPv6 addresses kept apart from it."""
    if header.startswith("["):
        return header.partition("]")[0].removeprefix("[").lower()
    return header.partition(":")[0].lower()
