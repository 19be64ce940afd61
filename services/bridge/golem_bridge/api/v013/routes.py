"""The routes, in the order of upstream's own table. A head gets no keys, no wallet and no other cluster."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from golem_bridge import __version__
from golem_bridge.api.context import CallerDep, Context, ContextDep, HostOnly, seen_cluster
from golem_bridge.api.doors import Caller
from golem_bridge.api.v013 import asked, told, wire
from golem_bridge.api.v013.boundary import Route, answer, parsed
from golem_bridge.api.v013.wallet import wallet_status
from golem_bridge.clusters.keys import ClientKeys
from golem_bridge.clusters.model import Cluster, Node
from golem_bridge.clusters.states import ClusterState, NodeState
from golem_bridge.errors import InputError, UnknownClusterError

router = APIRouter(route_class=Route, include_in_schema=False)

OfWallet = Annotated[wire.OfWallet, Depends(parsed(wire.OfWallet))]
OfCluster = Annotated[wire.OfCluster, Depends(parsed(wire.OfCluster))]
OfNode = Annotated[wire.OfNode, Depends(parsed(wire.OfNode))]
NonTerminated = Annotated[wire.NonTerminated, Depends(parsed(wire.NonTerminated))]
RequestNodes = Annotated[wire.RequestNodes, Depends(parsed(wire.RequestNodes))]
SetTags = Annotated[wire.SetTags, Depends(parsed(wire.SetTags))]
Shutdown = Annotated[wire.Shutdown, Depends(parsed(wire.Shutdown))]


@router.get("/")
async def status(context: ContextDep, caller: CallerDep) -> Response:
    """Asks nobody, so that it answers at once even when yagna does not."""
    books = context.books
    clusters = [books.clusters.get(caller.cluster_id)] if caller.cluster_id else books.clusters.all_latest()
    return answer(
        {
            "version": __version__,
            "datadir": str(context.settings.bridge_data_dir),
            "shutting_down": False,
            "self_shutdown": False,
            "server_warnings": told.warnings(books, clusters),
        }
    )


@router.post("/get_wallet_status", dependencies=[HostOnly])
async def get_wallet_status(body: OfWallet, context: ContextDep) -> Response:
    """Whether there is money, on the network the cluster file means."""
    asked.check_network(body.payment_network, body.payment_driver, context.settings.golem_network)
    return answer(await wallet_status(context))


@router.post("/ger_or_create_default_ssh_key", dependencies=[HostOnly])
async def get_or_create_default_ssh_key(body: OfCluster, context: ContextDep) -> Response:
    """Raw text, despite the names; and "ger" is upstream's."""
    pair = await _keys(context).get_or_create(body.cluster_name)
    return answer({"ssh_private_key_base64": pair.private, "ssh_public_key_base64": pair.public})


@router.post("/non_terminated_nodes")
async def non_terminated_nodes(body: NonTerminated, context: ContextDep, caller: CallerDep) -> Response:
    """Pending ones included. An unknown cluster has none."""
    try:
        cluster = seen_cluster(body.cluster_name, context, caller)
    except UnknownClusterError:
        return answer({"nodes_ids": []})
    nodes = context.books.nodes.unfinished_of(cluster.cluster_id)
    fitting = [node.node_id for node in nodes if node.state.is_live and body.tags.items() <= (node.tags or {}).items()]
    return answer({"nodes_ids": fitting})


@router.post("/request_nodes")
async def request_nodes(body: RequestNodes, context: ContextDep, caller: CallerDep) -> Response:
    """The user's request also opens the cluster, or brings it to new limits; the head's cannot."""
    if caller.cluster_id is None:
        live = _live(context, body.cluster_name)
        settings = context.settings
        spec = asked.spec_from_host(
            body,
            live,
            network=settings.golem_network,
            keys=_keys(context),
            max_workers=settings.bridge_upstream_max_workers,
        )
        cluster = await context.service.open(body.cluster_name, spec)
    else:
        cluster = seen_cluster(body.cluster_name, context, caller)
        node_type, config = asked.node_type(body.tags), asked.node_config(body.node_config)
        await context.service.widen(cluster.cluster_id, node_type, config)
    nodes = context.service.request_nodes(
        cluster.name, asked.node_type(body.tags), body.count, body.tags, incarnation=cluster.cluster_id
    )
    return answer({"requested_nodes": [node.node_id for node in nodes]})


@router.post("/cluster_data")
async def cluster_data(body: OfCluster, context: ContextDep, caller: CallerDep) -> Response:
    """Terminated nodes, too, for a while: the client reads their absence as success."""
    cluster = seen_cluster(body.cluster_name, context, caller)
    nodes = context.books.nodes.current(cluster.cluster_id)
    said = context.books.events.messages_of_nodes([node.node_id for node in nodes])
    data = {
        node.node_id: told.node_data(
            node, said=said.get(node.node_id, ()), proxy_command=_proxy_command(context, caller, cluster, node)
        )
        for node in nodes
    }
    return answer({"cluster_data": data})


@router.post("/is_running")
async def is_running(body: OfNode, context: ContextDep, caller: CallerDep) -> Response:
    return answer({"is_running": _node(body, context, caller).state is NodeState.RUNNING})


@router.post("/is_terminated")
async def is_terminated(body: OfNode, context: ContextDep, caller: CallerDep) -> Response:
    """True from the moment its end began."""
    return answer({"is_terminated": not _node(body, context, caller).state.is_live})


@router.post("/tags")
async def tags(body: OfNode, context: ContextDep, caller: CallerDep) -> Response:
    return answer({"tags": dict(_node(body, context, caller).tags or {})})


@router.post("/internal_ip")
async def internal_ip(body: OfNode, context: ContextDep, caller: CallerDep) -> Response:
    return answer({"ip_address": told.internal_ip(_node(body, context, caller))})


@router.post("/set_tags")
async def set_tags(body: SetTags, context: ContextDep, caller: CallerDep) -> Response:
    """Merges."""
    context.service.tag(body.cluster_name, _node(body, context, caller).node_id, body.tags)
    return answer({})


@router.post("/terminate")
async def terminate(body: OfNode, context: ContextDep, caller: CallerDep) -> Response:
    """At once for the client, with the node's data as it was before; its bills are settled behind its back."""
    node = _node(body, context, caller)
    cluster = seen_cluster(body.cluster_name, context, caller)
    said = context.books.events.messages_of_nodes([node.node_id]).get(node.node_id, ())
    before = told.node_data(node, said=said, proxy_command=_proxy_command(context, caller, cluster, node))
    context.service.terminate(body.cluster_name, [node.node_id])
    return answer({"terminated_nodes": {node.node_id: before}})


@router.post("/ssh_proxy_command", dependencies=[HostOnly])
async def ssh_proxy_command(body: OfNode, context: ContextDep, caller: CallerDep) -> Response:
    node = _node(body, context, caller)
    cluster = seen_cluster(body.cluster_name, context, caller)
    return answer({"ssh_proxy_command": told.proxy_command(context.settings, cluster, node)})


@router.post("/shutdown", dependencies=[HostOnly])
async def shutdown(body: Shutdown) -> Response:
    """The appliance is nobody's to shut down but its owner's: the client says that it was started externally."""
    return answer({"shutdown_state": "not_enabled"})


def _node(body: wire.OfNode, context: Context, caller: Caller) -> Node:
    return context.service.node(seen_cluster(body.cluster_name, context, caller).name, body.node_id)


def _live(context: Context, name: str) -> Cluster | None:
    cluster = context.books.clusters.latest(name)
    return cluster if cluster is not None and cluster.state is ClusterState.ACTIVE else None


def _keys(context: Context) -> ClientKeys:
    return ClientKeys(context.settings.bridge_data_dir / "client-keys")


def _proxy_command(context: Context, caller: Caller, cluster: Cluster, node: Node) -> str | None:
    """For the host only; None, too, if it cannot be told."""
    if caller.cluster_id is not None:
        return None
    try:
        return told.proxy_command(context.settings, cluster, node)
    except InputError:
        return None  # /ssh_proxy_command says why
