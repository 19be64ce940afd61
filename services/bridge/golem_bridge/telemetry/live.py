"""Metrics counted while it happens: requests at the doors, calls of yagna, lag of the event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import MutableMapping
from itertools import product
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from golem_bridge.clock import Clock
from golem_bridge.telemetry.catalogue import HTTP_REQUESTS, HTTP_SECONDS, LAG, YAGNA_ERRORS, YAGNA_SECONDS
from golem_bridge.telemetry.entry import Entry

LIVE = (HTTP_REQUESTS, HTTP_SECONDS, LAG, YAGNA_SECONDS, YAGNA_ERRORS)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "WEBSOCKET"})
NO_ROUTE = "none"
HUNG_UP = 499
"""Counted for a request that was broken off, as its client had left; no answer carries it."""

LAG_INTERVAL = 0.5
"""Seconds between two measurements of the event loop."""


class Traffic:
    """Counts what passes the doors, by the route's template: no caller can make series."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = counter(HTTP_REQUESTS, registry)
        self._seconds = histogram(HTTP_SECONDS, registry)

    def around(self, app: ASGIApp, *, door: str) -> ASGIApp:
        """The same app, counted; to be put outside of the door, so that the refused are counted too.

        Their series begin at zero: the first burst is a rise like any other.
        """
        for method, code in product(("GET", "POST"), ("401", "403")):
            self._requests.labels(door, NO_ROUTE, method, code)

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "lifespan":
                await app(scope, receive, send)
                return
            begin = time.perf_counter()
            code = _Code()
            try:
                await app(scope, receive, code.noting(send))
            except asyncio.CancelledError:
                code.value = HUNG_UP
                raise
            finally:
                self._count(scope, door, code.value, time.perf_counter() - begin)

        return counted

    def _count(self, scope: MutableMapping[str, Any], door: str, code: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", NO_ROUTE)
        method = scope.get("method", "WEBSOCKET")
        method = method if method in METHODS else "other"
        self._requests.labels(door, route, method, str(code)).inc()
        self._seconds.labels(door, route, method).observe(seconds)


class _Code:
    """The status of the answer; 500 if there was none, as the server then says."""

    def __init__(self) -> None:
        self.value = 500

    def noting(self, send: Send) -> Send:
        async def noted(message: Message) -> None:
            if message["type"] in {"http.response.start", "websocket.http.response.start"}:
                self.value = message["status"]
            elif message["type"] == "websocket.accept":
                self.value = 101
            await send(message)

        return noted


class YagnaCalls:
    """Counts the bridge's calls of yagna."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = histogram(YAGNA_SECONDS, registry)
        self._errors = counter(YAGNA_ERRORS, registry)

    def note(self, operation: str, seconds: float, failed: bool) -> None:
        """One call; its error series is there from the first call on."""
        self._seconds.labels(operation).observe(seconds)
        self._errors.labels(operation).inc(failed)


class LagMeter:
    """Asks to be woken and looks how much later it is."""

    def __init__(self, registry: CollectorRegistry, clock: Clock) -> None:
        self._lag = histogram(LAG, registry)
        self._clock = clock

    async def measure(self) -> None:
        """One measurement."""
        before = self._clock.monotonic()
        await self._clock.sleep(LAG_INTERVAL)
        self._lag.observe(max(0.0, self._clock.monotonic() - before - LAG_INTERVAL))


def counter(entry: Entry, registry: CollectorRegistry) -> Counter:
    """A counter of the catalogue, to be counted up."""
    return Counter(entry.family, entry.help, entry.labels, registry=registry)


def histogram(entry: Entry, registry: CollectorRegistry) -> Histogram:
    """A histogram of the catalogue, to be filled."""
    return Histogram(entry.family, entry.help, entry.labels, buckets=entry.buckets, registry=registry)
