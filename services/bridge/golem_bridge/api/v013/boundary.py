"""Requests in, answers out, in upstream's shape: its JSON, its errors."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, TypeVar

import structlog
from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import ValidationError

from golem_bridge.api.faults import explain
from golem_bridge.api.v013.wire import Request as WireRequest
from golem_bridge.errors import BridgeError, ForbiddenError, UnknownClusterError, UnknownNodeError

M = TypeVar("M", bound=WireRequest)

log = structlog.get_logger(__name__)


class Route(APIRoute):
    """Errors are answered as upstream's server answers them: 400 and one sentence, which the client prints."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_with_upstreams_errors(request: Request) -> Response:
            try:
                return await handle(request)
            except ForbiddenError as error:
                return answer({"error": error.message}, status=error.status)
            except UnknownClusterError:
                return answer({"error": "Cluster with given name not found"}, status=400)
            except UnknownNodeError:
                return answer({"error": "Node with given id not found"}, status=400)
            except BridgeError as error:
                log.info("upstream client refused", path=request.url.path, reason=error.message)
                return answer({"error": error.message}, status=400)
            except ValidationError as error:
                return answer({"error": explain(error.errors()[0])}, status=400)

        return handle_with_upstreams_errors


def parsed(model: type[M]) -> Callable[[Request], Awaitable[M]]:
    """A dependency: the request's JSON, whatever its Content-Type says."""

    async def parse(request: Request) -> M:
        return model.model_validate_json(await request.body())

    return parse


def answer(content: Mapping[str, object], *, status: int = 200) -> Response:
    """JSON to the byte as upstream's server writes it."""
    return Response(json.dumps(content), status_code=status, media_type="application/json; charset=utf-8")
