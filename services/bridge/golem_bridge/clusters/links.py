"""One relay link per node, opened through yagna's VPN when first needed and after it broke."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from golem_bridge.clusters.books import Books
from golem_bridge.clusters.bootstrap import RELAY_PORT, SSH_PORT, STATE_DIR, run_script
from golem_bridge.clusters.detour import Detour
from golem_bridge.clusters.model import Node
from golem_bridge.clusters.states import NodeState
from golem_bridge.errors import NodeUnreachableError, NotFoundError
from golem_bridge.golem.port import ActivityPort, MessageChannel, NetworkPort
from golem_bridge.relay import LinkPool, Stream

CONNECT_TIMEOUT = 10.0
"""Seconds."""

COMMAND_TIMEOUT = 30.0
"""Seconds one command of a detour may take."""

log = structlog.get_logger(__name__)


class Roads(NetworkPort, ActivityPort, Protocol):
    """What of yagna leads to a node."""


class NodeLinks:
    """Streams to TCP ports on nodes' loopback."""

    def __init__(self, *, golem: Roads, books: Books) -> None:
        self._golem = golem
        self._books = books
        self._clock = books.clock
        self._pool = LinkPool(clock=books.clock)
        self._since = books.clock.now()
        self._detoured: set[str] = set()

    async def connect(self, node: Node, port: int) -> Stream:
        """Raises NodeUnreachableError. A detour is for ssh alone: Ray's metrics would fill it."""
        if node.node_id in self._detoured and port != SSH_PORT:
            raise NodeUnreachableError(
                f"Port {port} of {node.node_id} is not fetched — yagna lost the VPN, only ssh is led around it — "
                "see: ray-on-golem status"
            )

        async def open_channel() -> MessageChannel:
            network_id = self._books.clusters.get(node.cluster_id).network_id
            if network_id is None:
                raise NodeUnreachableError(f"Node {node.node_id} is in no VPN — its cluster is being opened or closed")
            try:
                return await self._golem.open_channel(network_id, ip=node.ip, port=RELAY_PORT, timeout=CONNECT_TIMEOUT)
            except NotFoundError:
                return await self._detour(node)

        return await self._pool.connect(node.node_id, port, token=node.relay_token, open_channel=open_channel)

    def last_heard(self, node_id: str) -> datetime | None:
        """When the relay of a node that runs Ray was heard of last; without a link since the bridge started: when that
        was. None if it is reached by a detour.

        When a link breaks, the head's tunnel or Prometheus' next look at Ray opens it anew; where a detour leads only
        the tunnel does, so a worker's silence says nothing.
        """
        if node_id in self._detoured:
            return None
        heard = self._pool.heard_at(node_id)
        if heard is None:
            return self._since
        return self._clock.now() - timedelta(seconds=self._clock.monotonic() - heard)

    async def drop(self, node_id: str) -> None:
        """The node is ending: close its link and all streams over it."""
        self._detoured.discard(node_id)
        await self._pool.drop(node_id)

    async def close(self) -> None:
        """Close all links."""
        await self._pool.close()

    async def _detour(self, node: Node) -> Detour:
        """A channel without the VPN. Raises NodeUnreachableError, and what the exe-unit answers."""
        contract = self._books.contracts.get(node.agreement_id) if node.agreement_id else None
        if contract is None or contract.activity_id is None:
            raise NodeUnreachableError(f"Node {node.node_id} has no activity — it has ended or is about to")
        activity_id = contract.activity_id

        async def run(shell: str) -> str:
            results = await self._golem.execute(activity_id, run_script(shell), timeout=COMMAND_TIMEOUT)
            if len(results) != 1:
                raise NodeUnreachableError(
                    f"The exe-unit of {node.node_id} answers one command with {len(results)} results"
                )
            return results[0].stdout

        detour = await Detour.open(run, relay=f"{node.ip}:{RELAY_PORT}", folder=STATE_DIR, clock=self._clock)
        log.warning("yagna has lost the VPN: the node is reached through its exe-unit", node=node.node_id)
        self._detoured.add(node.node_id)
        self._tell(node, contract.provider_name)
        return detour

    def _tell(self, node: Node, provider_name: str) -> None:
        message = (
            f"Running on {provider_name}, reached slowly: yagna lost the VPN when it was restarted — "
            "for full speed: ray down, ray up"
        )
        if self._books.nodes.get(node.node_id).state is NodeState.RUNNING:
            self._books.nodes.change(node.node_id, lambda node: replace(node, message=message))
            self._books.changes.tell(node.cluster_id)
