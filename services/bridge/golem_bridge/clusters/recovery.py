"""What happens when the bridge starts: the books are compared with yagna, and life goes on."""

from __future__ import annotations

import structlog

from golem_bridge.clusters.books import Books
from golem_bridge.clusters.leftovers import Leftovers
from golem_bridge.clusters.model import Cluster, Node
from golem_bridge.clusters.runtime import Doors, Runtimes
from golem_bridge.clusters.service import ClusterService
from golem_bridge.clusters.ssh import HeadTunnel, SshGate
from golem_bridge.clusters.states import ClusterState, EndReason, NodeKind, NodeState
from golem_bridge.clusters.sweeper import Sweeper
from golem_bridge.errors import BridgeError

log = structlog.get_logger(__name__)


class Recovery:
    """Runs once, before requests are served."""

    def __init__(
        self,
        *,
        books: Books,
        runtimes: Runtimes,
        service: ClusterService,
        gate: SshGate,
        doors: Doors,
        sweeper: Sweeper,
        leftovers: Leftovers,
    ) -> None:
        self._books = books
        self._runtimes = runtimes
        self._service = service
        self._gate = gate
        self._doors = doors
        self._sweeper = sweeper
        self._leftovers = leftovers

    async def run(self) -> None:
        """Adopt what goes on, end what was half started, give back what nobody remembers."""
        await self._sweeper.step()
        await self._leftovers.step(grace=0)
        for contract in self._books.contracts.open():
            self._runtimes.of(contract.cluster_id).claims.take(contract.provider_id)
        for cluster in self._books.clusters.unfinished():
            if cluster.state is ClusterState.ACTIVE and not self._has_lost_its_head(cluster):
                await self._adopt(cluster)
            else:  # the end may have been half told when the bridge died
                self._service.begin_closing(cluster.cluster_id, EndReason.SHUTDOWN, "Ended with its cluster")

    def _has_lost_its_head(self, cluster: Cluster) -> bool:
        nodes = self._books.nodes.of_cluster(cluster.cluster_id)
        heads = [node for node in nodes if node.kind is NodeKind.HEAD]
        return bool(heads) and not any(node.state.is_live for node in heads)

    async def _adopt(self, cluster: Cluster) -> None:
        if cluster.allocation_id is None or cluster.network_id is None:
            message = "The bridge died while it opened the cluster — start the cluster again: ray up"
            self._service.begin_closing(cluster.cluster_id, EndReason.ORPHAN, message)
            return
        try:
            await self._service.subscribe(cluster)
        except BridgeError as error:
            log.warning("cluster has no demands for now", cluster=cluster.name, reason=error.message)
        for node in self._books.nodes.of_cluster(cluster.cluster_id):
            await self._adopt_node(cluster, node)

    async def _adopt_node(self, cluster: Cluster, node: Node) -> None:
        if node.state.is_pending:
            self._service.end_node(
                node.node_id, EndReason.START_FAILED, "The bridge was restarted while the node was starting"
            )
        elif node.state is NodeState.RUNNING and node.kind is NodeKind.HEAD:
            runtime = self._runtimes.of(node.cluster_id)
            runtime.door = await self._doors.open(node.cluster_id)
            runtime.tunnel = HeadTunnel(
                gate=self._gate, clock=self._books.clock, door=runtime.door, ports=cluster.spec.head_ports
            )
            runtime.tunnel.resume(node)
            log.info("head adopted", node=node.node_id)
