"""How often a head may ask: a machine of a stranger must not keep the bridge from its other clusters' work."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from golem_bridge.clock import Clock

PER_SECOND = 50.0
"""Requests. An autoscaler asks once in 5 s and for each node that changes; upstream's some times for each node."""

BURST = 200
"""Requests that may come at once after a pause: a large cluster that starts."""


class Paced:
    """ASGI middleware: whoever asks too often waits for its turn; nothing is refused, so no client needs to know.

    How many can wait at once is the server's limit of concurrent requests.
    """

    def __init__(self, app: ASGIApp, clock: Clock, *, per_second: float = PER_SECOND, burst: int = BURST) -> None:
        self._app = app
        self._clock = clock
        self._interval = 1 / per_second
        self._credit = (burst - 1) * self._interval
        self._turn_at = clock.monotonic() - self._credit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        now = self._clock.monotonic()
        turn_at = max(self._turn_at, now - self._credit)
        self._turn_at = turn_at + self._interval
        if turn_at > now:
            await self._clock.sleep(turn_at - now)
        await self._app(scope, receive, send)
