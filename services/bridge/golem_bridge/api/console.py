"""The console: an empty page for the browser, and what it must know of the appliance to fill itself."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.routing import Match
from starlette.types import Scope

from golem_bridge.api.context import ContextDep, HostOnly
from golem_bridge.api.doors import CONSOLE_PATH, asks_for_page
from golem_bridge.console.page import load_page
from golem_bridge.money.price import glm_text

page = load_page()


class PageRoute(APIRoute):
    """Leaves whoever wants no page to other routes."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return super().matches(scope) if asks_for_page(scope) else (Match.NONE, {})


router = APIRouter()
page_router = APIRouter(route_class=PageRoute)


class Appliance(BaseModel):
    """``now`` is the bridge's time in unix seconds; ports are those on the user's machine, null without a service."""

    network: str
    wallet: str
    now: float
    grafana_port: int | None
    prometheus_port: int | None


class Wallet(BaseModel):
    """``amount`` in GLM, what is set aside for clusters included; ``gas`` in ``gas_coin``; true at ``at``."""

    address: str
    amount: str
    gas: str
    gas_coin: str
    at: float


@page_router.get(CONSOLE_PATH, dependencies=[HostOnly], include_in_schema=False)
async def show_page() -> Response:
    """The page; served without a token, so nothing of the appliance may ever be written into it."""
    return Response(page.body, media_type="text/html", headers=page.headers)


@router.get("/v1/appliance", dependencies=[HostOnly])
async def show_appliance(context: ContextDep) -> Appliance:
    """Network, wallet and where else to look."""
    return Appliance(
        network=context.presenter.network,
        wallet=context.presenter.wallet,
        now=context.books.clock.now().timestamp(),
        grafana_port=context.settings.linked_grafana_port,
        prometheus_port=context.settings.prometheus_port,
    )


@router.get("/v1/wallet", dependencies=[HostOnly])
async def show_wallet(context: ContextDep) -> Wallet:
    """What the wallet holds, as yagna said within the last two minutes."""
    funds = context.funds()
    return Wallet(
        address=context.presenter.wallet,
        amount=glm_text(funds.glm),
        gas=glm_text(funds.gas),
        gas_coin=funds.coin,
        at=funds.at.timestamp(),
    )
