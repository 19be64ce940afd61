"""Telemetry of one bridge: the registry behind /metrics, and the loops that keep it true."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

from golem_bridge.clusters.books import Books
from golem_bridge.clusters.runtime import Runtimes
from golem_bridge.golem.port import GolemPort
from golem_bridge.loops import Loop
from golem_bridge.money.funds import Funds
from golem_bridge.settings import GolemNetwork
from golem_bridge.store.database import Database
from golem_bridge.telemetry.collector import BridgeCollector, Sources
from golem_bridge.telemetry.history import History
from golem_bridge.telemetry.live import LagMeter, Traffic, YagnaCalls
from golem_bridge.telemetry.logs import LogCounts
from golem_bridge.telemetry.nodes import HeadAskedAt, LastHeard, Market
from golem_bridge.telemetry.watch import INTERVAL, YagnaWatch


class Telemetry:
    """Built once; :meth:`start` when there are loops to report on."""

    def __init__(
        self,
        *,
        golem: GolemPort,
        books: Books,
        database: Database,
        network: GolemNetwork,
        app_session_id: str,
        market: Market,
        last_heard: LastHeard,
        head_asked_at: HeadAskedAt,
        runtimes: Runtimes,
        logs: LogCounts,
        funds: Callable[[], Funds],
    ) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # they double the series and nobody asks for them
        self.registry = CollectorRegistry()
        self.traffic = Traffic(self.registry)
        self.yagna_calls = YagnaCalls(self.registry)
        self.watch = YagnaWatch(golem=golem, books=books, app_session_id=app_session_id)
        lag = LagMeter(self.registry, books.clock)
        self._own = [
            Loop("watch yagna", self.watch.look, interval=INTERVAL, clock=books.clock),
            Loop("measure lag", lag.measure, interval=0, clock=books.clock),
        ]
        self._loops = list(self._own)
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        sources = Sources(
            history=History(database, network),
            market=market,
            last_heard=last_heard,
            head_asked_at=head_asked_at,
            runtimes=runtimes,
            watch=self.watch,
            loops=self._loops,
            logs=logs,
            funds=funds,
        )
        self.registry.register(BridgeCollector(books, network, sources))

    def start(self, others: Iterable[Loop]) -> None:
        """Start the loops of this room, and report on ``others`` too."""
        self._loops += others
        for loop in self._own:
            loop.start()

    async def stop(self) -> None:
        for loop in reversed(self._own):
            await loop.stop()
