"""Is the bridge alive, is it of use, and what does it count."""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from golem_bridge.api.context import ContextDep, HostOnly

router = APIRouter()


class Alive(BaseModel):
    alive: bool = True


class Ready(BaseModel):
    """``wallet`` is the address that pays."""

    ready: bool
    network: str
    wallet: str


@router.get("/v1/health/live", dependencies=[HostOnly])
async def live() -> Alive:
    """The process answers."""
    return Alive()


@router.get("/v1/health/ready", dependencies=[HostOnly])
async def ready(context: ContextDep) -> Ready:
    """yagna answers too; otherwise an error says what is wrong."""
    await context.check_ready()
    return Ready(ready=True, network=context.presenter.network, wallet=context.presenter.wallet)


@router.get("/metrics", dependencies=[HostOnly])
async def metrics(context: ContextDep) -> Response:
    """For Prometheus."""
    return Response(generate_latest(context.registry), media_type=CONTENT_TYPE_LATEST)
