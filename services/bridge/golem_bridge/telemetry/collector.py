"""Metrics computed from store and ledger at each scrape: they survive restarts and never run backwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from golem_bridge import __version__
from golem_bridge.clusters.books import Books
from golem_bridge.clusters.model import Cluster
from golem_bridge.clusters.runtime import Runtimes
from golem_bridge.clusters.states import ClusterState
from golem_bridge.errors import GolemError
from golem_bridge.golem.types import DocumentKind, PaymentProblem
from golem_bridge.loops import Loop
from golem_bridge.money.filing import ACCEPTED
from golem_bridge.money.funds import Funds
from golem_bridge.money.validation import Refusal
from golem_bridge.settings import GolemNetwork
from golem_bridge.telemetry import catalogue
from golem_bridge.telemetry.catalogue import CATALOGUE
from golem_bridge.telemetry.families import Families
from golem_bridge.telemetry.history import History
from golem_bridge.telemetry.live import LIVE
from golem_bridge.telemetry.logs import LogCounts
from golem_bridge.telemetry.money import MoneyMetrics
from golem_bridge.telemetry.nodes import HeadAskedAt, LastHeard, Market, NodeMetrics
from golem_bridge.telemetry.watch import YagnaWatch

LINGER = timedelta(seconds=15)
"""Three scrapes."""

REFUSALS = (
    *(refusal.value for refusal in Refusal),
    "unknown_agreement",
    "malformed_document",
    "not_found",
    "no_allocation",
    "insufficient_funds",
    "node_unreachable",
    "timeout",
    "golem",
)
"""Verdicts on a document, without the good one; those of errors are the errors' codes."""

OTHER = "other"


@dataclass(frozen=True)
class Sources:
    """What there is to know besides the books' present state. ``funds`` raises GolemError while they are unknown."""

    history: History
    market: Market
    last_heard: LastHeard
    head_asked_at: HeadAskedAt
    runtimes: Runtimes
    watch: YagnaWatch
    loops: Sequence[Loop]
    logs: LogCounts
    funds: Callable[[], Funds]


class BridgeCollector(Collector):
    """All of the catalogue but what is counted while it happens.

    Series of a cluster end when it is closed, except those that count money; series of a node end with it. The books
    are those of all networks: told is what belongs to the one the bridge runs on, and what is counted for longer than a
    cluster lives is named after it, so that a change of network is no jump of a counter.
    """

    def __init__(self, books: Books, network: GolemNetwork, sources: Sources) -> None:
        self._books = books
        self._network = network
        self._history = sources.history
        self._watch = sources.watch
        self._loops = sources.loops
        self._logs = sources.logs
        self._funds = sources.funds
        self._nodes = NodeMetrics(
            books, sources.history, sources.market, sources.runtimes, sources.last_heard, sources.head_asked_at
        )
        self._money = MoneyMetrics(books, network)
        self._seen_open: dict[str, datetime] = {}

    def collect(self) -> Iterable[Metric]:
        families = Families(entry for entry in CATALOGUE if entry not in LIVE)
        families.add(catalogue.BUILD, 1, __version__, self._network.value)
        latest = [row for row in self._books.clusters.all_latest() if row.golem_network is self._network]
        shown = self._shown(latest)
        self._of_clusters(families, latest, shown)
        self._of_documents(families)
        self._of_wallet(families)
        self._of_yagna(families, shown)
        self._of_loops(families)
        for level, count in self._logs.by_level.items():
            families.add(catalogue.LOGGED, count, level)
        return families.collected()

    def _shown(self, latest: Sequence[Cluster]) -> list[Cluster]:
        """Those not closed, or not for long: Prometheus must have the chance to see their last state."""
        now = self._books.clock.now()
        for cluster in latest:
            if cluster.state is not ClusterState.CLOSED:
                self._seen_open[cluster.cluster_id] = now
        self._seen_open = {key: at for key, at in self._seen_open.items() if now - at <= LINGER}
        return [cluster for cluster in latest if cluster.cluster_id in self._seen_open]

    def _of_clusters(self, families: Families, latest: Sequence[Cluster], shown: Sequence[Cluster]) -> None:
        """Earlier incarnations' nodes that are not ended yet cost, so they count beside those of the newest one."""
        open_ = self._books.clusters.unfinished()
        names = {row.cluster_id: row.name for row in open_ if row.golem_network is self._network}
        self._money.add_counters(families, latest)
        self._nodes.add_counters(families, shown)
        unfinished = self._books.nodes.unfinished()
        for cluster in shown:
            nodes = [node for node in unfinished if names.get(node.cluster_id) == cluster.name]
            self._nodes.add(families, cluster, nodes)
            self._money.add(families, cluster, nodes)

    def _of_documents(self, families: Families) -> None:
        received = self._history.documents()
        judged: Counter[tuple[str, str]] = Counter()
        for (document, verdict), count in self._history.verdicts().items():
            judged[document, verdict if verdict in {ACCEPTED, *REFUSALS} else OTHER] += count
        for kind in DocumentKind:
            labels = (self._network.value, kind.value)
            families.add(catalogue.DOCUMENTS_RECEIVED, received.get(kind.value, 0), *labels)
            families.add(catalogue.DOCUMENTS_ACCEPTED, judged[kind.value, ACCEPTED], *labels)
            for reason in (*REFUSALS, OTHER):
                families.add(catalogue.DOCUMENTS_REFUSED, judged[kind.value, reason], *labels, reason)

    def _of_wallet(self, families: Families) -> None:
        """Nothing while nothing is known: no number is better than an old one."""
        try:
            funds = self._funds()
        except GolemError:
            return
        families.add(catalogue.WALLET, float(funds.glm))
        families.add(catalogue.WALLET_GAS, float(funds.gas))

    def _of_yagna(self, families: Families, shown: Sequence[Cluster]) -> None:
        view = self._watch.view
        families.add(catalogue.YAGNA_UP, view.up)
        if not view.up:
            return
        families.add(catalogue.ALLOCATED, float(view.allocated))
        families.add(catalogue.ALLOCATED_LEFT, float(view.allocated_left))
        for cluster in shown:
            expiry = view.expiries.get(cluster.allocation_id or "")
            if expiry is not None:
                families.add(catalogue.ALLOCATION_EXPIRY, expiry.timestamp(), cluster.name)
        for problem in PaymentProblem:
            families.add(catalogue.PAYMENT_PROBLEMS, view.problems.get(problem, 0), problem.value)
        for resource, count in view.orphans.items():
            families.add(catalogue.ORPHANS, count, resource)

    def _of_loops(self, families: Families) -> None:
        for loop in self._loops:
            families.add(catalogue.LOOP_STEPS, loop.steps, loop.name)
            families.add(catalogue.LOOP_FAILURES, loop.failed_steps, loop.name)
            families.add(catalogue.LOOP_SUCCESS, loop.last_success.timestamp(), loop.name)
