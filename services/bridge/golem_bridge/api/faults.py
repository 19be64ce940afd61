"""Errors become answers here and nowhere else."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from golem_bridge.api.doors import error_response
from golem_bridge.clusters.spec import ClusterSpec
from golem_bridge.errors import BridgeError, InputError
from golem_bridge.market.requirements import BudgetControl, DemandSpec, NodeConfig

KNOWN_KEYS = sorted(
    {name for model in (ClusterSpec, NodeConfig, DemandSpec, BudgetControl) for name in model.model_fields}
)

MOST_SHOWN = 200
"""Characters of a request's words that an answer repeats."""

log = structlog.get_logger(__name__)


def install(app: FastAPI) -> None:
    """Give the app its error answers."""
    app.add_exception_handler(BridgeError, _bridge_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


async def _bridge_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, BridgeError)
    return error_response(error)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return error_response(InputError(explain(error.errors()[0])))


async def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    failure = InputError(f"{error.detail} — see: docs/ARCHITECTURE.md, section API")
    failure.status = error.status_code
    return error_response(failure)


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    log.error("request crashed", path=request.url.path, exc_info=error)
    return error_response(BridgeError("The bridge failed unexpectedly — see: docker compose logs bridge"))


def explain(problem: Mapping[str, Any]) -> str:
    """One validation problem as a sentence; a misspelt key is told the nearest right one."""
    location: Sequence[object] = [part for part in problem["loc"] if part not in {"body", "query", "path"}]
    where = _shown(".".join(str(part) for part in location)) or "the request"
    if problem["type"] == "extra_forbidden":
        key = _shown(str(location[-1]))
        near = difflib.get_close_matches(key, KNOWN_KEYS, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(KNOWN_KEYS)}"
        return f"Unknown key {key!r} (at {where}) — {hint} — correct the cluster file"
    observed = str(problem.get("input"))[:100]
    return f"Bad value at {where} — {_shown(problem['msg'])}, got {observed!r} — correct it and try again"


def _shown(text: str) -> str:
    """What whoever asks has worded: short, and nothing that upsets a terminal."""
    return "".join(char if char.isprintable() else "?" for char in text[:MOST_SHOWN])
