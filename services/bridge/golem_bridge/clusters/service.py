"""What the API can ask: open and close clusters, create and end nodes. Quick; the work happens behind it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import structlog

from golem_bridge.clusters.addresses import CAPACITY, REQUESTOR_IP, VPN_ADDRESS, VPN_MASK, node_ip
from golem_bridge.clusters.books import Books
from golem_bridge.clusters.bounds import check_node_types, check_tags
from golem_bridge.clusters.funding import Funding
from golem_bridge.clusters.model import Cluster, Node
from golem_bridge.clusters.runtime import Runtimes
from golem_bridge.clusters.spec import ClusterSpec
from golem_bridge.clusters.states import ClusterState, EndReason, NodeKind
from golem_bridge.clusters.widening import widened
from golem_bridge.errors import (
    BridgeError,
    BudgetError,
    InputError,
    LimitError,
    UnknownClusterError,
    UnknownNodeError,
)
from golem_bridge.golem.port import GolemPort
from golem_bridge.market.demand import PaymentTerms, build_demands
from golem_bridge.market.funnel import FunnelView
from golem_bridge.market.images import ImageRegistry
from golem_bridge.market.requirements import NodeConfig
from golem_bridge.market.subscription import Subscription
from golem_bridge.money.budget import total_reserved
from golem_bridge.money.price import glm_text
from golem_bridge.settings import Settings

log = structlog.get_logger(__name__)


class ClusterService:
    """The verbs. ``requested`` and ``ended`` hand work to the room's background workers."""

    def __init__(
        self,
        *,
        golem: GolemPort,
        books: Books,
        runtimes: Runtimes,
        images: ImageRegistry,
        settings: Settings,
    ) -> None:
        self._golem = golem
        self._books = books
        self._runtimes = runtimes
        self._images = images
        self._settings = settings
        self._funding = Funding(golem=golem, books=books, platform=settings.golem_network.payment_platform)
        self._opening: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.requested: asyncio.Queue[str] = asyncio.Queue()
        """Ids of nodes to start."""
        self.ended = asyncio.Event()
        """Set when something is to be taken down."""

    async def open(self, name: str, spec: ClusterSpec) -> Cluster:
        """Open a cluster, or bring a live one to new limits.

        Raises InputError (unknown image, bad name), BudgetError (the wallet cannot carry the budget).
        """
        check_node_types(spec.node_types)
        async with self._opening[name]:
            live = self._live(name)
            return await (self._amend(live, spec) if live else self._open_new(name, spec))

    async def widen(self, cluster_id: str, node_type: str, config: NodeConfig) -> None:
        """Record a node type that a cluster's head is the first to name; never opens, never changes limits.

        Raises UnknownClusterError unless that very incarnation is open, LimitError, InputError (unknown image).
        """
        check_node_types([node_type])
        name = self._books.clusters.get(cluster_id).name
        async with self._opening[name]:
            # only now: while the turn was awaited the user may have closed the cluster or given it other limits
            cluster = self._active(name, incarnation=cluster_id)
            spec = widened(cluster.spec, node_type, config)
            if spec != cluster.spec:
                await self._amend(cluster, spec)

    def is_opening(self, name: str) -> bool:
        """Whether an :meth:`open` is under way: what it acquires may not be in the books yet."""
        return self._opening[name].locked()

    def is_opening_any(self) -> bool:
        """Whether an :meth:`open` of any cluster is under way."""
        return any(turn.locked() for turn in self._opening.values())

    def get(self, name: str) -> Cluster:
        """The newest incarnation. Raises UnknownClusterError."""
        cluster = self._books.clusters.latest(name)
        if cluster is None:
            raise UnknownClusterError(f"No cluster {name!r} — known: {self._known()} — see: ray-on-golem status --all")
        return cluster

    def node(self, name: str, key: str) -> Node:
        """A node by id, or a live one by its VPN address. Raises UnknownClusterError, UnknownNodeError."""
        cluster = self.get(name)
        node = self._books.nodes.find(cluster.cluster_id, key)
        if node is None:
            raise UnknownNodeError(f"No node {key!r} in cluster {name!r} — see: ray-on-golem status")
        return node

    def market(self, name: str) -> Mapping[str, FunnelView]:
        """What the market has for each node type of a cluster; empty once it is closed."""
        runtime = self._runtimes.by_cluster.get(self.get(name).cluster_id)
        if runtime is None:
            return {}
        return {
            node_type: subscription.view(runtime.claims) for node_type, subscription in runtime.subscriptions.items()
        }

    def request_nodes(
        self, name: str, node_type: str, count: int, tags: Mapping[str, str], *, incarnation: str | None = None
    ) -> Sequence[Node]:
        """Ask for nodes; they start in the background. ``incarnation`` is the cluster id they are meant for, if known.

        Raises UnknownClusterError (not open, or another incarnation is), InputError, LimitError, BudgetError.
        """
        check_tags(tags)
        cluster = self._active(name, incarnation=incarnation)
        if node_type not in cluster.spec.node_types:
            known = ", ".join(sorted(cluster.spec.node_types))
            raise InputError(f"Unknown node type {node_type[:64]!r} — known: {known} — run ray up with the new file")
        kind = NodeKind.HEAD if node_type == cluster.spec.head_node_type else NodeKind.WORKER
        self._check_limits(cluster, kind, count)
        self._check_budget(cluster, node_type, count)
        created = [self._new_node(cluster, kind, node_type, tags) for _ in range(count)]
        for node in created:
            self.requested.put_nowait(node.node_id)
        self._books.changes.tell(cluster.cluster_id)
        return created

    def tag(self, name: str, node_id: str, tags: Mapping[str, str]) -> Node:
        """Merge tags. Raises InputError if they would be too many."""
        node = self.node(name, node_id)
        merged = {**(node.tags or {}), **tags}
        check_tags(merged)
        changed = self._books.nodes.change(node.node_id, lambda node: replace(node, tags=merged))
        self._books.changes.tell(node.cluster_id)
        return changed

    def terminate(self, name: str, node_ids: Collection[str]) -> Sequence[Node]:
        """End nodes: at once for the caller, behind its back for Golem. Unknown ids are ignored."""
        cluster = self.get(name)
        nodes = self._books.nodes.chosen(cluster.cluster_id, node_ids)
        for node in nodes:
            self.end_node(node.node_id, EndReason.REQUESTED, "Ended on request")
        return self._books.nodes.chosen(cluster.cluster_id, [node.node_id for node in nodes])

    def close(self, name: str) -> Cluster:
        """End everything of a cluster; its allocation goes once all is paid."""
        cluster = self.get(name)
        if cluster.state is not ClusterState.ACTIVE:
            return cluster
        self.begin_closing(cluster.cluster_id, EndReason.REQUESTED, "Ended with its cluster")
        return self._books.clusters.get(cluster.cluster_id)

    def begin_closing(self, cluster_id: str, reason: EndReason, message: str) -> None:
        """Active to closing; all nodes are ended. Beginning again what was begun already is harmless."""
        now = self._books.clock.now()
        self._books.clusters.change(
            cluster_id,
            lambda cluster: replace(cluster, state=ClusterState.CLOSING, closing_at=cluster.closing_at or now),
        )
        for node in self._books.nodes.unfinished_of(cluster_id):
            self.end_node(node.node_id, reason, message)
        self._books.changes.tell(cluster_id)
        self.ended.set()

    def end_node(self, node_id: str, reason: EndReason, message: str) -> None:
        """Put a live node on its way out; one that is ending already is left alone.

        A cluster without its head is of no use: when the head ends, everything ends.
        """
        before = self._books.nodes.get(node_id)
        if not before.state.is_live:
            return
        node = self._books.nodes.change(node_id, lambda node: node.ending(reason, message))
        log.info("node ends", node=node_id, reason=reason.value, message=message)
        self._books.changes.tell(node.cluster_id)
        self.ended.set()
        cluster = self._books.clusters.get(node.cluster_id)
        if node.kind is NodeKind.HEAD and cluster.state is ClusterState.ACTIVE:
            self.begin_closing(cluster.cluster_id, reason, f"Ended with its head: {message}")

    async def subscribe(self, cluster: Cluster) -> None:
        """Put the demands of a cluster's node types on the market; those that are there and did not change stay.

        Starts that wait for a provider go on with the new demands. Raises InputError for an unknown image.
        """
        if cluster.allocation_id is None or not self._is_open(cluster):
            return
        runtime = self._runtimes.of(cluster.cluster_id)
        terms = PaymentTerms(
            platform=self._settings.golem_network.payment_platform,
            debit_note_interval=self._settings.agreed_debit_note_interval,
            payment_timeout=self._settings.payment_timeout,
            decoration=await self._golem.demand_decoration(cluster.allocation_id),
        )
        before = dict(runtime.subscriptions)
        for node_type, config in cluster.spec.node_types.items():
            if node_type in before and before[node_type].config == config:
                del before[node_type]
                continue
            image = await self._images.resolve(config.demand)
            if not self._is_open(cluster):
                return  # closed meanwhile: nothing stops what would be started now
            demands = build_demands(
                config,
                image,
                terms,
                subnet=self._settings.golem_network.default_subnet,
                now=self._books.clock.now(),
            )
            subscription = Subscription(
                golem=self._golem,
                demands=demands,
                config=config,
                reputation=self._runtimes.reputation,
                clock=self._books.clock,
            )
            runtime.subscriptions[node_type] = subscription
            subscription.start()
        for node_type, subscription in before.items():
            if runtime.subscriptions.get(node_type) is subscription:
                del runtime.subscriptions[node_type]
            await subscription.stop()

    async def keep_subscribed(self) -> None:
        """Put on the market what should be there and is not: after a start at which an image was not to be had."""
        for cluster in self._books.clusters.unfinished():
            if not self._is_open(cluster) or self.is_opening(cluster.name):
                continue
            if cluster.spec.node_types.keys() <= self._runtimes.of(cluster.cluster_id).subscriptions.keys():
                continue
            async with self._opening[cluster.name]:
                try:
                    await self.subscribe(self._books.clusters.get(cluster.cluster_id))
                except BridgeError as error:
                    log.warning("cluster has no demands for now", cluster=cluster.name, reason=error.message)

    async def _open_new(self, name: str, spec: ClusterSpec) -> Cluster:
        for config in spec.node_types.values():
            await self._images.resolve(config.demand)
        previous = self._books.clusters.latest(name)
        incarnation = previous.incarnation + 1 if previous else 1
        cluster = Cluster(
            cluster_id=f"{name}-{incarnation}",
            name=name,
            incarnation=incarnation,
            spec=spec,
            created_at=self._books.clock.now(),
            golem_network=self._settings.golem_network,
        )
        self._books.clusters.add(cluster)
        if previous:
            self._books.changes.tell(previous.cluster_id)  # who waits for its news gets the new incarnation
        try:
            return await self._equip(cluster)
        except BaseException:
            self.begin_closing(cluster.cluster_id, EndReason.START_FAILED, "The cluster could not be opened")
            raise

    async def _equip(self, cluster: Cluster) -> Cluster:
        """Allocation, VPN and demands."""
        cluster = await self._funding.set_aside(cluster, cluster.budget)
        network_id = await self._golem.create_network(address=VPN_ADDRESS, mask=VPN_MASK, requestor_ip=REQUESTOR_IP)
        cluster = self._books.clusters.change(cluster.cluster_id, lambda row: replace(row, network_id=network_id))
        await self.subscribe(cluster)
        return cluster

    async def _amend(self, cluster: Cluster, spec: ClusterSpec) -> Cluster:
        self._check_network(cluster)
        for config in spec.node_types.values():
            await self._images.resolve(config.demand)
        if cluster.allocation_id is not None:
            cluster = await self._funding.amend(cluster, cluster.allocation_id, spec.total_budget)
        self._active(cluster.name, incarnation=cluster.cluster_id)  # closing waits for nobody's turn
        cluster = self._books.clusters.change(cluster.cluster_id, lambda row: replace(row, spec=spec))
        await self.subscribe(cluster)
        return cluster

    def _new_node(self, cluster: Cluster, kind: NodeKind, node_type: str, tags: Mapping[str, str]) -> Node:
        number = self._books.nodes.number_of(cluster.cluster_id)
        node = Node(
            node_id=f"{cluster.cluster_id}-{kind}-{number + 1:04d}",
            cluster_id=cluster.cluster_id,
            kind=kind,
            node_type=node_type,
            ip=node_ip(number),
            created_at=self._books.clock.now(),
            tags=dict(tags),
        )
        self._books.nodes.add(node)
        return node

    def _check_network(self, cluster: Cluster) -> None:
        """Its budget would be set aside anew, of other money than it was opened with."""
        network = self._settings.golem_network
        if cluster.golem_network is not network:
            raise InputError(
                f"Cluster {cluster.name!r} was opened on {cluster.golem_network}, the appliance runs on {network} — "
                f"end it and start it anew: ray down, then ray up; or go back: GOLEM_NETWORK={cluster.golem_network} "
                "in .env and make up"
            )

    def _check_limits(self, cluster: Cluster, kind: NodeKind, count: int) -> None:
        unfinished = self._books.nodes.unfinished_of(cluster.cluster_id)
        live = [node for node in unfinished if node.kind is kind and node.state.is_live]
        limit = 1 if kind is NodeKind.HEAD else cluster.spec.max_workers
        if len(live) + count > limit:
            raise LimitError(
                f"Not starting {count} {kind}(s) of cluster {cluster.name!r} — {len(live)} live, at most {limit} — "
                "raise max_workers in the cluster file and run ray up"
            )
        had = self._books.nodes.number_of(cluster.cluster_id)
        if had + count > CAPACITY:
            raise LimitError(
                f"Not starting {count} {kind}(s) of cluster {cluster.name!r} — {had} of its {CAPACITY} "
                "addresses are used up, and none is given twice — run ray down and ray up: each start has its own"
            )

    def _check_budget(self, cluster: Cluster, node_type: str, count: int) -> None:
        """Refuse at once what the cheapest offer to be had now makes impossible: a try costs a negotiation."""
        runtime = self._runtimes.of(cluster.cluster_id)
        subscription = runtime.subscriptions.get(node_type)
        cheapest = subscription.cheapest_known(runtime.claims) if subscription else None
        if cheapest is None:
            return
        standing = self._books.contracts.standing(cluster.cluster_id)
        left = cluster.budget - total_reserved(standing, self._books.ledger, self._books.clock.now())
        needed = cheapest.first_hour * count
        if needed > left:
            raise BudgetError(
                f"Not starting {count} node(s) of type {node_type!r} — the start and one hour cost at least "
                f"{glm_text(needed)} GLM, {glm_text(left)} GLM of the budget of {glm_text(cluster.budget)} GLM is "
                "left — raise total_budget in the cluster file and run ray up"
            )

    def _live(self, name: str) -> Cluster | None:
        cluster = self._books.clusters.latest(name)
        return cluster if cluster is not None and cluster.state is ClusterState.ACTIVE else None

    def _active(self, name: str, *, incarnation: str | None = None) -> Cluster:
        cluster = self.get(name) if incarnation is None else self._books.clusters.get(incarnation)
        if cluster.state is not ClusterState.ACTIVE:
            raise UnknownClusterError(f"Cluster {name!r} is {cluster.state} — start it again: ray up")
        return cluster

    def _is_open(self, cluster: Cluster) -> bool:
        return self._books.clusters.get(cluster.cluster_id).state is ClusterState.ACTIVE

    def _known(self) -> str:
        return ", ".join(cluster.name for cluster in self._books.clusters.all_latest()) or "none"
