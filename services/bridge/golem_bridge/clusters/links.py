"""One relay link per node, opened through yagna's VPN when first needed and after it broke."""

from __future__ import annotations

from golem_bridge.clock import Clock
from golem_bridge.clusters.bootstrap import RELAY_PORT
from golem_bridge.clusters.model import Node
from golem_bridge.clusters.repository import Clusters
from golem_bridge.errors import NodeUnreachableError
from golem_bridge.golem.port import MessageChannel, NetworkPort
from golem_bridge.relay import LinkPool, Stream

CONNECT_TIMEOUT = 10.0
"""Seconds."""


class NodeLinks:
    """Streams to TCP ports on nodes' loopback."""

    def __init__(self, *, golem: NetworkPort, clusters: Clusters, clock: Clock) -> None:
        self._golem = golem
        self._clusters = clusters
        self._pool = LinkPool(clock=clock)

    async def connect(self, node: Node, port: int) -> Stream:
        """Raises NodeUnreachableError."""

        async def open_channel() -> MessageChannel:
            network_id = self._clusters.get(node.cluster_id).network_id
            if network_id is None:
                raise NodeUnreachableError(f"Node {node.node_id} is in no VPN — its cluster is being opened or closed")
            return await self._golem.open_channel(network_id, ip=node.ip, port=RELAY_PORT, timeout=CONNECT_TIMEOUT)

        return await self._pool.connect(node.node_id, port, token=node.relay_token, open_channel=open_channel)

    async def drop(self, node_id: str) -> None:
        """The node is ending: close its link and all streams over it."""
        await self._pool.drop(node_id)

    async def close(self) -> None:
        """Close all links."""
        await self._pool.close()
