"""Ray's own metrics for Prometheus: where they are, and each scrape passed on to its node."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Path, Request, Response
from pydantic import BaseModel

from golem_bridge.api.context import ClusterDep, ContextDep, HostOnly
from golem_bridge.clusters.bootstrap import RAY_METRICS
from golem_bridge.clusters.fetch import fetch
from golem_bridge.clusters.model import Cluster, Node
from golem_bridge.clusters.states import NodeState
from golem_bridge.errors import ForbiddenError, InputError, NodeUnreachableError

router = APIRouter(dependencies=[HostOnly])

SD_PATH = "/v1/prometheus/sd"
METRICS = "/metrics"

TIMEOUT = 3.5
"""Seconds a node may take; Prometheus waits for 4."""

TEXT_FORMATS = ("text/plain", "application/openmetrics-text")


class Target(BaseModel):
    """One entry of Prometheus' http_sd."""

    targets: list[str]
    labels: dict[str, str]


@router.get(SD_PATH)
async def discover(request: Request, context: ContextDep) -> list[Target]:
    """Every metrics port of nodes on which Ray runs; all are reached here."""
    here = request.headers["host"]
    return [
        _target(here, cluster, node, port)
        for cluster in context.books.clusters.all_latest()
        for node in context.books.nodes.unfinished_of(cluster.cluster_id)
        if node.runs_ray
        for port in RAY_METRICS[node.kind]
    ]


@router.get("/v1/clusters/{name}/nodes/{node_id}/scrape/{port}/metrics")
async def scrape(
    cluster: ClusterDep,
    node_id: str,
    port: Annotated[int, Path(ge=1, le=65535)],
    context: ContextDep,
    accept: Annotated[str, Header()] = "text/plain",
    accept_encoding: Annotated[str, Header()] = "",
) -> Response:
    """What the node says, if it is metrics."""
    node = context.service.node(cluster.name, node_id)
    if port not in RAY_METRICS[node.kind]:
        known = ", ".join(map(str, RAY_METRICS[node.kind]))
        raise ForbiddenError(f"Port {port} of a {node.kind} is not served — known: {known} — see: {SD_PATH}")
    if not accept.isascii() or not accept.isprintable():
        raise InputError("The Accept header is not printable — send Prometheus' own")
    if node.state is not NodeState.RUNNING:
        raise NodeUnreachableError(f"Node {node.node_id} is {node.state} — {node.message} — see: ray-on-golem status")
    stream = await context.connect(node, port)
    try:
        found = await fetch(stream, METRICS, accept=accept[:1000], gzip="gzip" in accept_encoding, timeout=TIMEOUT)
    finally:
        await stream.close()
    if not found.content_type.startswith(TEXT_FORMATS):
        raise NodeUnreachableError(f"Node {node.node_id} serves no metrics on port {port} — see: ray status")
    headers = {"Content-Type": found.content_type}
    if found.content_encoding == "gzip":
        headers["Content-Encoding"] = "gzip"
    return Response(found.body, headers=headers)


def _target(here: str, cluster: Cluster, node: Node, port: int) -> Target:
    return Target(
        targets=[here],
        labels={
            "__metrics_path__": f"/v1/clusters/{cluster.name}/nodes/{node.node_id}/scrape/{port}{METRICS}",
            "instance": f"{node.ip}:{port}",
            "cluster": cluster.name,
            "ray_io_cluster": cluster.name,
            "node": node.node_id,
            "kind": node.kind.value,
            "component": RAY_METRICS[node.kind][port],
        },
    )
