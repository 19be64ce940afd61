"""What routers need, and who may ask what.

Dependencies are coroutines although they wait for nothing: plain functions would run in threads of their own, beside
the event loop that all else relies on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request, WebSocket
from prometheus_client import CollectorRegistry

from golem_bridge.api.doors import Caller
from golem_bridge.api.views import Presenter
from golem_bridge.clusters.books import Books
from golem_bridge.clusters.caretaker import Caretaker
from golem_bridge.clusters.model import Cluster, Node
from golem_bridge.clusters.service import ClusterService
from golem_bridge.errors import ForbiddenError
from golem_bridge.money.funds import Funds
from golem_bridge.relay import Stream
from golem_bridge.settings import Settings


@dataclass(frozen=True)
class Context:
    """Built once, at start."""

    service: ClusterService
    books: Books
    caretaker: Caretaker
    presenter: Presenter
    connect: Callable[[Node, int], Awaitable[Stream]]
    check_ready: Callable[[], Awaitable[None]]
    funds: Callable[[], Funds]
    registry: CollectorRegistry
    settings: Settings


async def get_context(request: Request) -> Context:
    return cast(Context, request.app.state.context)


def websocket_context(websocket: WebSocket) -> Context:
    return cast(Context, websocket.app.state.context)


async def get_caller(request: Request) -> Caller:
    return cast(Caller, request.state.caller)


ContextDep = Annotated[Context, Depends(get_context)]
CallerDep = Annotated[Caller, Depends(get_caller)]


async def only_host(caller: CallerDep) -> None:
    """For routes that a rented machine must never reach."""
    if caller.cluster_id is not None:
        raise ForbiddenError("This cannot be asked from a cluster's head — ask from the appliance's host")


def seen_cluster(name: str, context: Context, caller: Caller) -> Cluster:
    """The newest incarnation of ``name``; a head sees its own cluster only, and only while it is the newest."""
    if caller.cluster_id is None:
        return context.service.get(name)
    own = context.books.clusters.get(caller.cluster_id)
    newest = context.books.clusters.latest(own.name)
    if name != own.name or newest is None or newest.cluster_id != own.cluster_id:
        raise ForbiddenError(f"This head belongs to cluster {own.name!r} — it cannot ask for {name[:64]!r}")
    return own


async def cluster_of_path(name: str, context: ContextDep, caller: CallerDep) -> Cluster:
    """The cluster a path names, as :func:`seen_cluster`."""
    return seen_cluster(name, context, caller)


ClusterDep = Annotated[Cluster, Depends(cluster_of_path)]
HostOnly = Depends(only_host)
