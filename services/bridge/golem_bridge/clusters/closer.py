"""Ends what is not wanted: level-triggered, so a lost hint or a crash only delays it.

An open contract is wanted while a live node runs under it. Everything else is taken down: activity, agreement,
VPN membership. A node that is terminating becomes terminated once nothing of it is open. Each contract is closed on
its own, so that a provider out of reach holds nobody else up; one that stays out of reach, or refuses, is given up.
Where the agreement was over before this run of the bridge ended it, by the provider as a rule, the provider's word on
the activity is not waited for: it may know nothing of it.
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
from golem_bridge.errors import GolemError, NotFoundError, YagnaUnavailableError
from golem_bridge.golem.port import GolemPort
from golem_bridge.golem.types import AgreementState
from golem_bridge.money.contracts import Contract

DESTROY_TIMEOUT = 15.0
"""Seconds a provider may take to end an activity."""

STEP = 2.0
"""Seconds a step waits for what it closes; the rest goes on in the background."""

PATIENCE = 120.0
"""Seconds to try with a provider: afterwards its contract is over, and it is owed for no time after that."""

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
        self._closing: dict[str, asyncio.Task[None]] = {}
        self._tried_since: dict[str, float] = {}
        self._ended_by_us: set[str] = set()

    async def step(self) -> None:
        """Close unwanted contracts, then mark nodes that have nothing open as terminated."""
        for contract in self._contracts.open():
            if not self._is_wanted(contract) and contract.agreement_id not in self._closing:
                self._begin(contract)
        if self._closing:
            await asyncio.wait(self._closing.values(), timeout=STEP)
        await self._finish_nodes()

    async def stop(self) -> None:
        """Cancel what is being closed; the next start goes on with it."""
        for task in self._closing.values():
            task.cancel()
        if self._closing:
            await asyncio.wait(self._closing.values())

    def _begin(self, contract: Contract) -> None:
        agreement_id = contract.agreement_id
        task = asyncio.create_task(self._try_to_close(contract), name=f"close {agreement_id}")
        self._closing[agreement_id] = task
        task.add_done_callback(lambda _: self._closing.pop(agreement_id, None))

    async def _try_to_close(self, contract: Contract) -> None:
        tried_since = self._tried_since.setdefault(contract.agreement_id, self._clock.monotonic())
        try:
            await self.close(contract)
        except YagnaUnavailableError as error:
            self._tried_since.pop(contract.agreement_id, None)  # the provider was not asked
            log.warning("contract not closed yet", agreement=contract.agreement_id, reason=error.message)
        except GolemError as error:
            if self._clock.monotonic() - tried_since < PATIENCE:
                log.info("provider does not end its contract", agreement=contract.agreement_id, reason=error.message)
                return
            log.warning("provider given up", agreement=contract.agreement_id, reason=error.message)
            self._over(contract)
        except Exception:
            log.exception("closing crashed", agreement=contract.agreement_id)

    def _is_wanted(self, contract: Contract) -> bool:
        node = self._nodes.get(contract.node_id)
        return node.state.is_live and node.agreement_id == contract.agreement_id

    async def close(self, contract: Contract) -> None:
        """Take one contract down. Raises GolemError; repeating it is harmless."""
        refusal = await self._destroy_activity(contract)
        # whatever the provider says of its activity, the agreement by which it may bill us ends
        await self._terminate_agreement(contract)
        if refusal is not None and contract.agreement_id in self._ended_by_us:
            raise refusal
        cluster = self._clusters.get(contract.cluster_id)
        if cluster.network_id is not None:
            await self._leave_vpn(cluster.network_id, contract)
        self._over(contract)

    async def _destroy_activity(self, contract: Contract) -> GolemError | None:
        """What kept the activity from being ended, if anything. Raises YagnaUnavailableError."""
        if contract.activity_id is None:
            return None
        try:
            await self._golem.destroy_activity(contract.activity_id, timeout=DESTROY_TIMEOUT)
        except YagnaUnavailableError:
            raise
        except GolemError as error:
            return error
        return None

    def _over(self, contract: Contract) -> None:
        self._tried_since.pop(contract.agreement_id, None)
        self._ended_by_us.discard(contract.agreement_id)
        if not self._contracts.ended(contract.agreement_id, self._clock.now()):
            return  # closed twice at a time: the provider may be claimed anew by now
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
            self._ended_by_us.add(contract.agreement_id)

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
