"""The room's background work: one task per starting node, and the loops."""

from __future__ import annotations

import asyncio

from golem_bridge.clock import Clock
from golem_bridge.clusters.caretaker import Caretaker
from golem_bridge.clusters.closer import Closer
from golem_bridge.clusters.leftovers import Leftovers
from golem_bridge.clusters.repository import Nodes
from golem_bridge.clusters.service import ClusterService
from golem_bridge.clusters.starter import Starter
from golem_bridge.clusters.sweeper import Sweeper
from golem_bridge.golem.types import DocumentKind
from golem_bridge.loops import Loop
from golem_bridge.money.bookkeeper import Bookkeeper


class Workers:
    """Starts everything that runs in the background, and stops it in reverse."""

    def __init__(
        self,
        *,
        service: ClusterService,
        starter: Starter,
        closer: Closer,
        caretaker: Caretaker,
        bookkeeper: Bookkeeper,
        sweeper: Sweeper,
        leftovers: Leftovers,
        nodes: Nodes,
        clock: Clock,
    ) -> None:
        self._service = service
        self._starter = starter
        self._closer = closer
        self._bookkeeper = bookkeeper
        self._nodes = nodes
        self._starts: dict[str, asyncio.Task[None]] = {}
        self.loops = [
            Loop("start nodes", self._start_requested, interval=0, clock=clock),
            Loop("end nodes", self._end_unwanted, interval=0, clock=clock),
            Loop("watch budgets", caretaker.watch_budgets, interval=2, clock=clock),
            Loop("watch providers", caretaker.watch_providers, interval=10, clock=clock),
            Loop("finish clusters", caretaker.finish_clusters, interval=1, clock=clock),
            Loop("demands", service.keep_subscribed, interval=15, clock=clock),
            Loop("end orphans", sweeper.step, interval=60, clock=clock),
            Loop("give back leftovers", leftovers.step, interval=60, clock=clock),
            Loop("debit notes", lambda: bookkeeper.read_documents(DocumentKind.DEBIT_NOTE), interval=0, clock=clock),
            Loop("invoices", lambda: bookkeeper.read_documents(DocumentKind.INVOICE), interval=0, clock=clock),
            Loop("documents not accepted yet", bookkeeper.retry_unaccepted, interval=30, clock=clock),
            Loop("payments", bookkeeper.read_payments, interval=0, clock=clock),
        ]

    def start(self) -> None:
        for loop in self.loops:
            loop.start()

    async def stop(self) -> None:
        for loop in reversed(self.loops):
            await loop.stop()
        for task in self._starts.values():
            task.cancel()
        if self._starts:
            await asyncio.wait(self._starts.values())
        await self._closer.stop()
        await self._bookkeeper.stop()

    async def _start_requested(self) -> None:
        node_id = await self._service.requested.get()
        task = asyncio.create_task(self._starter.run(node_id), name=f"start {node_id}")
        self._starts[node_id] = task
        task.add_done_callback(lambda _: self._starts.pop(node_id, None))

    async def _end_unwanted(self) -> None:
        """Starts of ended nodes are cancelled first, so that nothing is rented behind the closer's back."""
        try:
            async with asyncio.timeout(5):
                await self._service.ended.wait()
        except TimeoutError:
            pass  # look anyway: a contract may have failed to close before
        self._service.ended.clear()
        stopped = [task for node_id, task in list(self._starts.items()) if not self._nodes.get(node_id).state.is_live]
        for task in stopped:
            task.cancel()
        if stopped:
            await asyncio.wait(stopped, timeout=10)
        await self._closer.step()
