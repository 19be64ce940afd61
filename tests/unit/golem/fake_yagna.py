"""A yagna that answers what a test scripts, on loopback: what the requests look like is the very thing here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable

from aiohttp import web

Answer = web.StreamResponse | Callable[[web.Request], Awaitable[web.StreamResponse]]


def refusal(status: int, message: str) -> web.Response:
    return web.json_response({"message": message}, status=status)


class FakeYagna:
    """Answers to ``METHOD /path`` in the order given; the last answer repeats."""

    def __init__(self) -> None:
        self.requests: list[web.Request] = []
        self.bodies: list[str] = []
        self._answers: dict[str, list[Answer]] = defaultdict(list)

    def on(self, route: str, *answers: Answer) -> None:
        self._answers[route].extend(answers)

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._handle)
        return application

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        self.bodies.append(await request.text())
        answers = self._answers.get(f"{request.method} {request.path}")
        if not answers:
            return refusal(404, f"nothing is scripted for {request.method} {request.path}")
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, web.Response):
            return web.Response(body=answer.body, status=answer.status, content_type="application/json")
        if isinstance(answer, web.StreamResponse):
            raise TypeError("script a Response or a handler")
        return await answer(request)
