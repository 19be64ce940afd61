"""A question whose asker has hung up: nobody waits for its answer, so it must not go on waiting for news here."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send

from golem_bridge.api.bodies import replaying

ASKING = frozenset({"GET", "HEAD"})
"""Methods that change nothing, so that breaking off leaves nothing half done."""


class Leaving:
    """ASGI middleware: questions end with their connection. To be put behind :func:`read_body`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ASKING:
            await self._app(scope, receive, send)
            return
        first = await receive()
        if first["type"] == "http.disconnect":
            return
        answer = asyncio.ensure_future(self._app(scope, replaying(first, receive), send))
        left = asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait([answer, left], return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                answer.result()
        finally:
            answer.cancel()
            left.cancel()
            await asyncio.gather(answer, left, return_exceptions=True)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
