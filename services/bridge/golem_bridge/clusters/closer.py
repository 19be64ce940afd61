"""Ends what is not wanted: level-triggered, so a lost hint or a crash only delays it.

An open contract is wanted while a live node runs under it. Everything else is taken down: activity, agreement,
VPN membership. A node that is terminating becomes terminated once nothing of it is open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog

from golem_bridge.clusters.books import Books
from golem_bridge.clusters.model import Node
from golem_bridge.clusters.runtime import Runtimes
from golem_bridge.clusters.states import NodeKind, NodeState
from golem_bridge.errors import NotFoundError
from golem_bridge.golem.port import GolemPort
from golem_bridge.golem.types import AgreementState
from golem_bridge.money.contracts import Contract

DESTROY_TIMEOUT = 15.0
"""Seconds a provider may take to end an activity."""

log = structlog.get_logger(__name__)


class Closer:
    """One :meth:`step` takes down all that is unwanted now."""

    def __init__(
        self,
        *,
        golem: GolemPort,
        books: Books,
        runtimes: Runtimes,
        drop_link: Callable[[str], Awaitable[None]],
    ) -> None:
        self._golem = golem
        self._clusters = books.clusters
        self._nodes = books.nodes
        self._contracts = books.contracts
        self._changes = books.changes
        self._clock = books.clock
        self._runtimes = runtimes
        self._drop_link = drop_link

    async def step(self) -> None:
        """Close unwanted contracts, then mark nodes that have nothing open as terminated."""
        unwanted = [contract for contract in self._contracts.open() if not self._is_wanted(contract)]
        results = await asyncio.gather(*(self.close(contract) for contract in unwanted), return_exceptions=True)
        await self._finish_nodes()
        failures = [result for result in results if isinstance(result, BaseException)]
        if failures:
            raise failures[0]

    def _is_wanted(self, contract: Contract) -> bool:
        node = self._nodes.get(contract.node_id)
        return node.state.is_live and node.agreement_id == contract.agreement_id

    async def close(self, contract: Contract) -> None:
        """Take one contract down. Raises GolemError; repeating it is harmless."""
        if contract.activity_id is not None:
            await self._golem.destroy_activity(contract.activity_id, timeout=DESTROY_TIMEOUT)
        await self._terminate_agreement(contract)
        cluster = self._clusters.get(contract.cluster_id)
        if cluster.network_id is not None:
            await self._leave_vpn(cluster.network_id, contract)
        self._contracts.ended(contract.agreement_id, self._clock.now())
        self._runtimes.of(contract.cluster_id).claims.release(contract.provider_id)
        self._changes.tell(contract.cluster_id)
        log.info("contract closed", agreement=contract.agreement_id, node=contract.node_id)

    async def _terminate_agreement(self, contract: Contract) -> None:
        try:
            agreement = await self._golem.agreement(contract.agreement_id)
        except NotFoundError:
            return
        if agreement.state in {AgreementState.APPROVED, AgreementState.PENDING}:
            await self._golem.terminate_agreement(contract.agreement_id, "The node is not needed any more")

    async def _leave_vpn(self, network_id: str, contract: Contract) -> None:
        """yagna removes by provider; a newer contract with the same provider must keep its membership."""
        again = any(
            other.provider_id == contract.provider_id and other.agreement_id != contract.agreement_id
            for other in self._contracts.open()
            if other.cluster_id == contract.cluster_id
        )
        if not again:
            await self._golem.remove_node(network_id, provider_id=contract.provider_id)

    async def _finish_nodes(self) -> None:
        busy = {contract.node_id for contract in self._contracts.open()}
        for node in self._nodes.unfinished():
            if node.state is NodeState.TERMINATING:
                await self._let_go(node)
                if node.node_id not in busy:
                    self._finish(node.node_id)

    async def _let_go(self, node: Node) -> None:
        """Close what connects us to the node."""
        await self._drop_link(node.node_id)
        if node.kind is NodeKind.HEAD:
            await self._runtimes.of(node.cluster_id).stop_tunnel()

    def _finish(self, node_id: str) -> None:
        now = self._clock.now()
        node = self._nodes.change(
            node_id, lambda node: replace(node.step(NodeState.TERMINATED, node.message), ended_at=now)
        )
        self._changes.tell(node.cluster_id)
