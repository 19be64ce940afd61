"""What happened lately, for dashboards and for ``ray-on-golem``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from golem_bridge.api.context import ContextDep, HostOnly
from golem_bridge.store.events import Event

router = APIRouter(prefix="/v1", dependencies=[HostOnly])


class EventView(BaseModel):
    """``at`` is unix seconds; ``kind`` the state that was reached, or ``progress``."""

    event_id: int
    at: float
    cluster: str
    incarnation: int
    node_id: str | None
    kind: str
    message: str


class EventList(BaseModel):
    events: list[EventView]


@router.get("/events")
async def list_events(
    context: ContextDep,
    after: Annotated[int, Query(ge=0, lt=1 << 63)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cluster: str | None = None,
) -> EventList:
    """The newest ``limit`` events with ids above ``after``, oldest first."""
    events = context.books.events.recent(limit=limit, after=after, cluster=cluster)
    return EventList(events=[_view(event) for event in events])


def _view(event: Event) -> EventView:
    return EventView(
        event_id=event.event_id,
        at=event.at.timestamp(),
        cluster=event.cluster,
        incarnation=event.incarnation,
        node_id=event.node_id,
        kind=event.kind,
        message=event.message,
    )
