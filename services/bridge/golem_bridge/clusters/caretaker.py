"""Looks after live clusters: budgets that run out, providers that vanish, clusters that are done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from golem_bridge.clusters.books import Books
from golem_bridge.clusters.model import Cluster, Node
from golem_bridge.clusters.runtime import Runtimes
from golem_bridge.clusters.service import ClusterService
from golem_bridge.clusters.states import ClusterState, EndReason, NodeKind, NodeState
from golem_bridge.errors import GolemError, GolemTimeoutError, NodeUnreachableError, NotFoundError
from golem_bridge.golem.port import GolemPort
from golem_bridge.golem.types import AgreementState
from golem_bridge.market.reputation import Failure
from golem_bridge.money.budget import total_exposure
from golem_bridge.money.contracts import Contract
from golem_bridge.money.price import glm_text
from golem_bridge.settings import Settings

BILL_PATIENCE = timedelta(seconds=30)
"""For an invoice of a worker that was ended for the budget, before the head is ended too."""

PAY_EVERY = timedelta(seconds=60)
"""Between two times that yagna is asked to pay; each costs gas."""

GONE = frozenset({"Terminated", "Unresponsive"})
"""Activity states from which nothing comes back."""

LOST_AFTER = 300.0
"""Seconds after which a node is given up when neither its provider answers nor its relay is heard of: a provider breaks
an agreement when it hears of no acceptance for 240 s."""

LastHeard = Callable[[str], datetime | None]
"""When a node's relay was heard of last; None while that cannot be known."""

log = structlog.get_logger(__name__)


class Caretaker:
    """Three independent checks; each is the step of a loop."""

    def __init__(
        self,
        *,
        golem: GolemPort,
        books: Books,
        runtimes: Runtimes,
        service: ClusterService,
        settings: Settings,
        close_door: Callable[[str], Awaitable[None]],
        last_heard: LastHeard,
        reading_since: Callable[[], datetime],
    ) -> None:
        """``reading_since`` tells since when invoices have been read without a break."""
        self._golem = golem
        self._books = books
        self._runtimes = runtimes
        self._service = service
        self._settings = settings
        self._close_door = close_door
        self._last_heard = last_heard
        self._reading_since = reading_since
        self._pay_again_at = 0.0
        self._silent_since: dict[str, float] = {}
        """Monotonic seconds, by node: when its provider could not be reached for the first time in a row."""

    async def watch_budgets(self) -> None:
        """End workers, then the head, of clusters whose budget is used up."""
        for cluster in self._books.clusters.unfinished():
            if cluster.state is ClusterState.ACTIVE:
                self._watch_budget(cluster)

    async def watch_providers(self) -> None:
        """End nodes whose activity or agreement is gone."""
        running = [node for node in self._books.nodes.unfinished() if node.state is NodeState.RUNNING]
        here = {node.node_id for node in running}
        self._silent_since = {node_id: since for node_id, since in self._silent_since.items() if node_id in here}
        await asyncio.gather(*(self._watch_node(node) for node in running))

    async def finish_clusters(self) -> None:
        """Close clusters whose nodes are gone and whose bills are paid, or were not sent in time."""
        for cluster in self._books.clusters.unfinished():
            if cluster.state is not ClusterState.CLOSING or self._service.is_opening(cluster.name):
                continue
            try:
                await self._runtimes.of(cluster.cluster_id).stop_market()
                if self._is_done(cluster):
                    await self._finish(cluster)
                elif self._has_bills_to_pay(cluster):
                    await self._have_them_paid()
            except GolemError as error:
                log.warning("cluster not closed yet", cluster=cluster.name, reason=error.message)

    def is_settled(self, cluster: Cluster) -> bool:
        """Every contract is over, invoiced and paid in full."""
        return not self._books.contracts.standing(cluster.cluster_id).unfinished and not self._owes(cluster)

    def _watch_budget(self, cluster: Cluster) -> None:
        standing = self._books.contracts.standing(cluster.cluster_id)
        exposed = total_exposure(standing, self._books.ledger, self._books.clock.now())
        if exposed < cluster.budget:
            return
        live = [node for node in self._books.nodes.unfinished_of(cluster.cluster_id) if node.state.is_live]
        workers = [node for node in live if node.kind is NodeKind.WORKER]
        if not workers and self._awaits_bills(standing.unfinished):
            return  # what is left for the head is known when the workers' bills are
        message = (
            f"The budget of {glm_text(cluster.budget)} GLM is used up — {glm_text(exposed)} GLM spent or owed — "
            "raise total_budget in the cluster file and run ray up"
        )
        for node in workers or live:
            self._service.end_node(node.node_id, EndReason.BUDGET, message)

    def _awaits_bills(self, unfinished: Sequence[Contract]) -> bool:
        """A worker is being ended, or was just now: until its invoice comes it counts with the most it may cost."""
        lately = self._books.clock.now() - BILL_PATIENCE
        expected = [row for row in unfinished if row.ended_at is None or row.ended_at > lately]
        return any(self._books.nodes.get(row.node_id).kind is NodeKind.WORKER for row in expected)

    async def _watch_node(self, node: Node) -> None:
        contract = self._books.contracts.get(node.agreement_id) if node.agreement_id else None
        if contract is None or contract.activity_id is None:
            return
        lost = await self._why_lost(node, contract)
        if lost is not None:
            now = self._books.clock.monotonic()
            self._runtimes.reputation.failed(contract.provider_id, Failure.VANISHED, at=now)
            message = f"{contract.provider_name} is gone: {lost}"
            self._service.end_node(node.node_id, EndReason.PROVIDER_LOST, message)

    async def _why_lost(self, node: Node, contract: Contract) -> str | None:
        assert contract.activity_id is not None
        try:
            state = await self._golem.activity_state(contract.activity_id)
            if state in GONE:
                return f"its activity is {state.lower()}"
            agreement = await self._golem.agreement(contract.agreement_id)
        except NotFoundError:
            return "its activity is unknown to yagna"
        except (NodeUnreachableError, GolemTimeoutError) as error:
            log.info("provider out of reach", provider=contract.provider_id, reason=error.message)
            return self._silent_for_long(node)
        except GolemError as error:
            log.info("provider not checked", provider=contract.provider_id, reason=error.message)
            self._silent_since.clear()  # yagna itself is in trouble: nobody's silence means anything
            return None
        self._silent_since.pop(node.node_id, None)
        if agreement.state is not AgreementState.APPROVED:
            return f"its agreement is {agreement.state.lower()}"
        return None

    def _silent_for_long(self, node: Node) -> str | None:
        now = self._books.clock.monotonic()
        silent = now - self._silent_since.setdefault(node.node_id, now)
        heard = self._last_heard(node.node_id)
        if heard is not None:
            silent = min(silent, (self._books.clock.now() - heard).total_seconds())
        return f"nothing was heard of it for {silent:.0f} s" if silent >= LOST_AFTER else None

    def _owes(self, cluster: Cluster) -> bool:
        """An invoice is not paid in full."""
        paid = self._books.ledger.paid
        return any(paid(agreement_id) < wei for agreement_id, wei in self._books.contracts.invoices(cluster.cluster_id))

    def _has_bills_to_pay(self, cluster: Cluster) -> bool:
        """All invoices are there, or those that are have waited for the others long enough; some are not paid."""
        all_there = not self._books.contracts.standing(cluster.cluster_id).unfinished
        return self._owes(cluster) and (all_there or self._closing_since(cluster) >= PAY_EVERY)

    async def _have_them_paid(self) -> None:
        """yagna's own cycle is of a day on polygon: nobody wants to wait for that."""
        now = self._books.clock.monotonic()
        if now >= self._pay_again_at:
            self._pay_again_at = now + PAY_EVERY.total_seconds()
            await self._golem.pay_now(self._settings.golem_network.payment_platform)

    def _closing_since(self, cluster: Cluster) -> timedelta:
        return self._books.clock.now() - (cluster.closing_at or cluster.created_at)

    def _waited_for_invoices(self, cluster: Cluster) -> timedelta:
        """For how long they could have come: since its last node's end, and while anybody read them."""
        ends = [row.ended_at for row in self._books.contracts.standing(cluster.cluster_id).unfinished if row.ended_at]
        return min(self._closing_since(cluster), self._books.clock.now() - max((self._reading_since(), *ends)))

    def _is_done(self, cluster: Cluster) -> bool:
        if self._books.nodes.unfinished_of(cluster.cluster_id):
            return False
        if self.is_settled(cluster):
            return True
        waited = self._waited_for_invoices(cluster).total_seconds()
        if waited < self._settings.settlement_patience:
            return False
        log.warning("cluster closed with unpaid or missing invoices", cluster=cluster.name, waited_seconds=waited)
        return True

    async def _finish(self, cluster: Cluster) -> None:
        await self._runtimes.drop(cluster.cluster_id, self._close_door)
        if cluster.network_id is not None:
            await self._golem.remove_network(cluster.network_id)
        if cluster.allocation_id is not None:
            await self._golem.release_allocation(cluster.allocation_id)
        self._books.clusters.change(cluster.cluster_id, lambda cluster: replace(cluster, state=ClusterState.CLOSED))
        self._books.changes.tell(cluster.cluster_id)
        log.info("cluster closed", cluster=cluster.name, incarnation=cluster.incarnation)
