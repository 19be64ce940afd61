"""What the market has for a cluster: the funnel of each node type, and the best price known."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from golem_bridge.api.context import ClusterDep, ContextDep
from golem_bridge.market.funnel import FunnelView
from golem_bridge.market.offer import Offer
from golem_bridge.money.price import glm_text

router = APIRouter(prefix="/v1")


class StepView(BaseModel):
    """How many came as far as this."""

    name: str
    count: int


class ReasonView(BaseModel):
    """Why that many got no further; ``nearest`` (GLM) is the lowest price among those a limit kept out."""

    reason: str
    count: int
    nearest: str | None = None


class PriceView(BaseModel):
    """GLM; ``per_hour`` and ``first_hour`` (with the start) are for all offered threads busy."""

    provider_id: str
    provider_name: str
    threads: int
    start: str
    per_hour: str
    first_hour: str


class NodeTypeMarket(BaseModel):
    """``summary`` says the same as the numbers. ``cheapest`` may be a provider that is in use."""

    summary: str
    steps: list[StepView]
    refused: list[ReasonView]
    failed_negotiations: list[ReasonView]
    in_use: int
    left_alone: int
    cheapest: PriceView | None


class MarketView(BaseModel):
    """By node type; none for a closed cluster, which demands nothing."""

    name: str
    node_types: dict[str, NodeTypeMarket]


@router.get("/clusters/{name}/market")
async def show_market(cluster: ClusterDep, context: ContextDep) -> MarketView:
    """From offers seen to agreements, with reasons, as of now."""
    funnels = context.service.market(cluster.name)
    return MarketView(
        name=cluster.name, node_types={node_type: _market(funnel) for node_type, funnel in funnels.items()}
    )


def _market(funnel: FunnelView) -> NodeTypeMarket:
    return NodeTypeMarket(
        summary=funnel.sentence,
        steps=[StepView(name=step.name, count=step.count) for step in funnel.steps],
        refused=[
            ReasonView(
                reason=reason.text,
                count=reason.count,
                nearest=None if reason.nearest is None else glm_text(reason.nearest),
            )
            for reason in funnel.refused
        ],
        failed_negotiations=[ReasonView(reason=reason.text, count=reason.count) for reason in funnel.failed],
        in_use=funnel.in_use,
        left_alone=funnel.benched,
        cheapest=_price(funnel.cheapest) if funnel.cheapest else None,
    )


def _price(offer: Offer) -> PriceView:
    return PriceView(
        provider_id=offer.provider_id,
        provider_name=offer.provider_name,
        threads=offer.threads,
        start=glm_text(offer.price.start),
        per_hour=glm_text(offer.per_hour),
        first_hour=glm_text(offer.first_hour),
    )
