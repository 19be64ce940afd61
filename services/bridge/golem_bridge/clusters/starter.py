"""Starts one node: provider, agreement, activity, image, bootstrap, ssh. Tries other providers when one fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal

import structlog

from golem_bridge.clusters.addresses import REQUESTOR_IP, VPN_ADDRESS, VPN_MASK
from golem_bridge.clusters.books import Books
from golem_bridge.clusters.bootstrap import (
    Bootstrap,
    bootstrap_script,
    deploy_script,
    read_introduction,
    start_script,
)
from golem_bridge.clusters.model import Cluster, Node
from golem_bridge.clusters.runtime import Doors, Runtimes
from golem_bridge.clusters.ssh import HeadTunnel, SshGate
from golem_bridge.clusters.states import EndReason, NodeKind, NodeState
from golem_bridge.errors import BridgeError, BudgetError, GolemError, MarketError, NotFoundError
from golem_bridge.golem.port import GolemPort
from golem_bridge.market.feed import Draft
from golem_bridge.market.offer import Offer
from golem_bridge.market.reputation import failure_of
from golem_bridge.market.subscription import Subscription, SubscriptionEndedError
from golem_bridge.money.budget import total_reserved
from golem_bridge.money.contracts import Contract
from golem_bridge.money.price import glm_text
from golem_bridge.settings import Settings

PROVIDERS_TRIED = 5
"""A node's start fails after that many providers failed."""

AGREEMENT_VALID = 60.0
"""Seconds a provider has to approve."""

STEP_TIMEOUT = 60.0
"""Seconds for creating an activity and for the bootstrap script."""

log = structlog.get_logger(__name__)


class NodeGoneError(Exception):
    """The node was ended while it was starting."""


class Starter:
    """Brings nodes from requested to running; one task per node."""

    def __init__(
        self,
        *,
        golem: GolemPort,
        books: Books,
        runtimes: Runtimes,
        gate: SshGate,
        doors: Doors,
        settings: Settings,
        app_session_id: str,
        bridge_public_key: str,
        on_end: Callable[[str, EndReason, str], None],
        close: Callable[[Contract], Awaitable[None]],
        drop_link: Callable[[str], Awaitable[None]],
    ) -> None:
        self._golem = golem
        self._clusters = books.clusters
        self._nodes = books.nodes
        self._contracts = books.contracts
        self._ledger = books.ledger
        self._changes = books.changes
        self._clock = books.clock
        self._runtimes = runtimes
        self._gate = gate
        self._doors = doors
        self._settings = settings
        self._app_session_id = app_session_id
        self._bridge_public_key = bridge_public_key
        self._on_end = on_end
        self._close = close
        self._drop_link = drop_link

    async def run(self, node_id: str) -> None:
        """Start a node; whatever happens, it ends up running or on its way out."""
        try:
            await self._run(node_id)
        except NodeGoneError:
            log.info("start given up, the node was ended", node=node_id)
        except BudgetError as error:
            self._on_end(node_id, EndReason.BUDGET, error.message)
        except BridgeError as error:
            self._on_end(node_id, EndReason.START_FAILED, error.message)
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("start crashed", node=node_id)
            self._on_end(
                node_id, EndReason.START_FAILED, "The start failed unexpectedly — see: docker compose logs bridge"
            )

    async def _run(self, node_id: str) -> None:
        failed: dict[str, str] = {}
        for _ in range(PROVIDERS_TRIED):
            draft = await self._find_provider(node_id, failed)
            try:
                contract = await self._agree(node_id, draft)
                await self._bring_up(node_id, contract)
                self._runtimes.reputation.served(contract.provider_id)
                return
            except GolemError as error:
                failed[draft.offer.provider_id] = error.finding
                self._remember(draft.offer.provider_id, error)
                await self._give_up(node_id)
                log.warning("provider failed", node=node_id, provider=draft.offer.provider_id, reason=error.message)
        last = next(reversed(failed.values()))
        raise MarketError(f"{len(failed)} providers failed to start the node — the last: {last} — try again later")

    async def _give_up(self, node_id: str) -> None:
        """Leave the provider; its contract is closed at once, so that its reservation does not stop the next one."""
        agreement_id = self._nodes.get(node_id).agreement_id
        self._alter(node_id, lambda node: replace(node, agreement_id=None))
        contract = self._contracts.get(agreement_id) if agreement_id else None
        if contract is None:
            return
        try:
            await self._close(contract)
        except GolemError as error:
            log.info("contract not closed yet", agreement=agreement_id, reason=error.message)
        await self._drop_link(node_id)  # the next machine has the same id: the link leads to the old one

    def _remember(self, provider_id: str, error: GolemError) -> None:
        failure = failure_of(error)
        if failure is not None:
            self._runtimes.reputation.failed(provider_id, failure, at=self._clock.monotonic())

    async def _find_provider(self, node_id: str, failed: dict[str, str]) -> Draft:
        node = self._step(node_id, NodeState.NEGOTIATING, "Looking for a provider")
        while True:
            try:
                return await self._subscription(node).draft(
                    claims=self._runtimes.of(node.cluster_id).claims,
                    avoid=failed,
                    budget_left=lambda: self._budget_left(node.cluster_id),
                    patience=self._settings.market_patience,
                    progress=lambda message: self._note(node_id, message),
                )
            except SubscriptionEndedError:
                log.info("the cluster file changed, looking again", node=node_id)

    def _subscription(self, node: Node) -> Subscription:
        subscription = self._runtimes.of(node.cluster_id).subscriptions.get(node.node_type)
        if subscription is None:
            raise MarketError(f"Nothing is asked of the market for nodes of type {node.node_type!r} — run ray up again")
        return subscription

    async def _agree(self, node_id: str, draft: Draft) -> Contract:
        """Sign. The contract is in the books, and its cost reserved, before the provider hears of it."""
        node, offer = self._nodes.get(node_id), draft.offer
        with self._runtimes.of(node.cluster_id).claims.held(offer.provider_id):
            subscription = self._subscription(node)
            self._check_budget(self._clusters.get(node.cluster_id), offer)
            agreement_id = await self._golem.create_agreement(draft.proposal_id, valid_for=AGREEMENT_VALID)
            # others may have signed meanwhile; nothing comes between this and the books
            self._check_budget(self._clusters.get(node.cluster_id), offer)
        contract = Contract(
            agreement_id=agreement_id,
            cluster_id=node.cluster_id,
            node_id=node_id,
            provider_id=offer.provider_id,
            provider_name=offer.provider_name,
            price=offer.price,
            usage_vector=offer.usage_vector,
            threads=offer.threads,
            created_at=self._clock.now(),
        )
        self._contracts.add(contract)
        self._alter(node_id, lambda node: replace(node, agreement_id=agreement_id))
        with self._runtimes.talks.with_(offer.provider_id):
            await self._golem.confirm_agreement(
                agreement_id, app_session_id=self._app_session_id, timeout=AGREEMENT_VALID
            )
        subscription.funnel.agreed()
        self._step(node_id, NodeState.AGREED, f"Agreement with {offer.provider_name} ({_price_text(offer)})")
        return contract

    def _check_budget(self, cluster: Cluster, offer: Offer) -> None:
        """Raises BudgetError unless the start and one hour at these prices fit what is left."""
        left = self._budget_left(cluster.cluster_id)
        if offer.first_hour > left:
            raise BudgetError(
                f"The budget cannot carry another node — {offer.provider_name}, the cheapest free provider, costs "
                f"{glm_text(offer.first_hour)} GLM for the start and one hour, {glm_text(left)} GLM of "
                f"{glm_text(cluster.budget)} GLM is left — raise total_budget in the cluster file and run ray up"
            )

    def _budget_left(self, cluster_id: str) -> Decimal:
        """GLM that is neither spent nor set aside."""
        standing = self._contracts.standing(cluster_id)
        return self._clusters.get(cluster_id).budget - total_reserved(standing, self._ledger, self._clock.now())

    async def _bring_up(self, node_id: str, contract: Contract) -> None:
        name = contract.provider_name
        self._contracts.activity_begins(contract.agreement_id, self._clock.now())
        activity_id = await self._golem.create_activity(contract.agreement_id, timeout=STEP_TIMEOUT)
        self._contracts.activity_is(contract.agreement_id, activity_id)
        await self._deploy(node_id, contract, activity_id)
        self._step(node_id, NodeState.STARTING, f"Starting on {name}")
        await self._golem.execute(activity_id, start_script(), timeout=self._settings.deploy_timeout)
        await self._bootstrap(node_id, activity_id, name)
        await self._make_reachable(node_id)
        self._step(node_id, NodeState.RUNNING, f"Running on {name}")
        self._alter(node_id, lambda node: replace(node, running_at=self._clock.now()))

    async def _deploy(self, node_id: str, contract: Contract, activity_id: str) -> None:
        node = self._step(node_id, NodeState.DEPLOYING, f"Deploying the image on {contract.provider_name}")
        network_id = self._clusters.get(node.cluster_id).network_id
        if network_id is None:
            raise MarketError(f"Cluster of node {node_id} has no VPN any more — start it again: ray up")
        try:
            await self._golem.add_node(network_id, provider_id=contract.provider_id, ip=node.ip)
        except NotFoundError:  # the other nodes are still in it, and yagna itself is not needed between them
            log.warning("yagna has lost the cluster's VPN: the node joins without it", node=node_id)
        script = deploy_script(
            network_id=network_id,
            mask=VPN_MASK,
            address=VPN_ADDRESS,
            ip=node.ip,
            nodes=await self._vpn_nodes(node.cluster_id),
        )
        await self._golem.execute(activity_id, script, timeout=self._settings.deploy_timeout)

    async def _vpn_nodes(self, cluster_id: str) -> dict[str, str]:
        """Address to node id of everybody in the cluster's VPN."""
        members = {REQUESTOR_IP: await self._golem.identity()}
        for node in self._nodes.unfinished_of(cluster_id):
            contract = self._contracts.get(node.agreement_id) if node.agreement_id and node.state.is_live else None
            if contract is not None:
                members[node.ip] = contract.provider_id
        return members

    async def _bootstrap(self, node_id: str, activity_id: str, provider_name: str) -> None:
        self._step(node_id, NodeState.BOOTSTRAPPING, f"Preparing ssh on {provider_name}")
        node = self._nodes.get(node_id)
        spec = self._clusters.get(node.cluster_id).spec
        plan = Bootstrap(
            ip=node.ip,
            authorized_keys=(spec.ssh_public_key, self._bridge_public_key),
            others=[ip for ip in await self._vpn_nodes(node.cluster_id) if ip not in {node.ip, REQUESTOR_IP}],
        )
        results = await self._golem.execute(activity_id, bootstrap_script(plan), timeout=STEP_TIMEOUT)
        node_says = read_introduction("".join(result.stdout for result in results))
        self._alter(
            node_id,
            lambda node: replace(node, host_public_key=node_says.host_public_key, relay_token=node_says.relay_token),
        )

    async def _make_reachable(self, node_id: str) -> None:
        """ssh answers; a head also reaches its own door."""
        node = self._nodes.get(node_id)
        connection = await self._gate.wait_ready(node)
        if node.kind is not NodeKind.HEAD:
            connection.close()
            return
        runtime = self._runtimes.of(node.cluster_id)
        await runtime.stop_tunnel()
        runtime.door = await self._doors.open(node.cluster_id)
        ports = self._clusters.get(node.cluster_id).spec.head_ports
        runtime.tunnel = HeadTunnel(gate=self._gate, clock=self._clock, door=runtime.door, ports=ports)
        await runtime.tunnel.start(node, connection)

    def _step(self, node_id: str, state: NodeState, message: str) -> Node:
        return self._alter(node_id, lambda node: node.step(state, message))

    def _note(self, node_id: str, message: str) -> None:
        if self._nodes.get(node_id).message != message:
            self._alter(node_id, lambda node: replace(node, message=message))

    def _alter(self, node_id: str, alter: Callable[[Node], Node]) -> Node:
        """Change the node, unless it was ended meanwhile (NodeGoneError)."""
        if not self._nodes.get(node_id).state.is_live:
            raise NodeGoneError(node_id)
        node = self._nodes.change(node_id, alter)
        self._changes.tell(node.cluster_id)
        return node


def _price_text(offer: Offer) -> str:
    return f"start {glm_text(offer.price.start)} GLM, {glm_text(offer.per_hour)} GLM/h"
