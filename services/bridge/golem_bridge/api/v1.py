"""The bridge's own API. Host and head doors serve the same routes; what a head may not do says HostOnly."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query

from golem_bridge.api.context import CallerDep, ClusterDep, ContextDep, HostOnly, seen_cluster
from golem_bridge.api.longpoll import wait_for_change, wait_for_news
from golem_bridge.api.views import (
    Bill,
    ClusterList,
    ClusterSnapshot,
    History,
    NodeList,
    NodeRequest,
    NodeView,
    TagsRequest,
    TerminateRequest,
)
from golem_bridge.clusters.spec import NAME_PATTERN, ClusterSpec
from golem_bridge.clusters.states import ClusterState

router = APIRouter(prefix="/v1")

NewName = Annotated[str, Path(pattern=NAME_PATTERN)]
MAX_WAIT = 60.0
"""Seconds a long poll may ask for."""


@router.get("/clusters", dependencies=[HostOnly])
async def list_clusters(context: ContextDep) -> ClusterList:
    """The newest incarnation of every cluster, and what is left of those before."""
    clusters = context.books.clusters
    latest = clusters.all_latest()
    return ClusterList(
        clusters=[context.presenter.snapshot(cluster) for cluster in latest],
        closing=sorted({cluster.name for cluster in clusters.unfinished() if cluster.state is ClusterState.CLOSING}),
        ending=context.presenter.ending(latest),
    )


@router.put("/clusters/{name}", dependencies=[HostOnly])
async def open_cluster(name: NewName, spec: ClusterSpec, context: ContextDep) -> ClusterSnapshot:
    """Open a cluster, or bring a live one to new limits."""
    return context.presenter.snapshot(await context.service.open(name, spec))


@router.get("/clusters/{name}")
async def show_cluster(
    cluster: ClusterDep,
    context: ContextDep,
    caller: CallerDep,
    wait: Annotated[float, Query(ge=0, le=MAX_WAIT)] = 0,
    version: str | None = None,
) -> ClusterSnapshot:
    """Everything about a cluster: the one call an autoscaler's tick needs.

    With ``wait`` and the ``version`` of an answer before, held back until something is different.
    """
    if wait and version is not None:
        cluster = await wait_for_change(
            context.books,
            lambda: seen_cluster(cluster.name, context, caller),
            seconds=wait,
            version_seen=version,
            version=context.presenter.version,
        )
    return context.presenter.snapshot(cluster)


@router.post("/clusters/{name}/nodes")
async def request_nodes(cluster: ClusterDep, body: NodeRequest, context: ContextDep, caller: CallerDep) -> NodeList:
    """Ask for nodes; they start in the background."""
    if caller.cluster_id is not None and body.node_config is not None:
        await context.service.widen(cluster.cluster_id, body.node_type, body.node_config)
    nodes = context.service.request_nodes(
        cluster.name, body.node_type, body.count, body.tags, incarnation=cluster.cluster_id
    )
    return NodeList(nodes=[context.presenter.node(node) for node in nodes])


@router.post("/clusters/{name}/nodes/terminate")
async def terminate_nodes(cluster: ClusterDep, body: TerminateRequest, context: ContextDep) -> NodeList:
    """End nodes; unknown ids are ignored."""
    nodes = context.service.terminate(cluster.name, body.node_ids)
    return NodeList(nodes=[context.presenter.node(node) for node in nodes])


@router.get("/clusters/{name}/nodes/{node_id}")
async def show_node(
    cluster: ClusterDep,
    node_id: str,
    context: ContextDep,
    wait: Annotated[float, Query(ge=0, le=MAX_WAIT)] = 0,
    until: Literal["running"] | None = None,
    message_after: str | None = None,
) -> NodeView:
    """One node; with ``wait``, held back until it runs, ends or says something new."""
    node = context.service.node(cluster.name, node_id)
    if wait and until:
        node = await wait_for_news(context.books, node, seconds=wait, message_seen=message_after)
    return context.presenter.node(node)


@router.patch("/clusters/{name}/nodes/{node_id}/tags")
async def tag_node(cluster: ClusterDep, node_id: str, body: TagsRequest, context: ContextDep) -> NodeView:
    """Merge tags."""
    return context.presenter.node(context.service.tag(cluster.name, node_id, body.tags))


@router.post("/clusters/{name}/close", dependencies=[HostOnly])
async def close_cluster(cluster: ClusterDep, context: ContextDep) -> ClusterSnapshot:
    """End everything of a cluster."""
    return context.presenter.snapshot(context.service.close(cluster.name))


@router.get("/clusters/{name}/bill", dependencies=[HostOnly])
async def show_bill(cluster: ClusterDep, context: ContextDep) -> Bill:
    """What the cluster cost, per provider."""
    return context.presenter.bill(cluster, settled=context.caretaker.is_settled(cluster))


@router.get("/clusters/{name}/history", dependencies=[HostOnly])
async def show_history(cluster: ClusterDep, context: ContextDep) -> History:
    """Node counts and spend over time."""
    return context.presenter.history(cluster)
