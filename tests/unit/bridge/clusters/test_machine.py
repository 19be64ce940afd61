"""Whatever is asked, and whatever fails, in whatever order: the promises about money and ids hold."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from golem_bridge.clusters.states import ClusterState
from golem_bridge.errors import InputError
from golem_bridge.golem.types import AgreementState
from golem_bridge.money.budget import reserved, total_reserved
from tests.fakes.golem import FakeProvider
from tests.fakes.loop import VirtualLoop
from tests.unit.bridge.bench import Bench
from tests.unit.bridge.samples import spec

NAMES = st.sampled_from(["demo", "other"])
BUDGETS = {"demo": Decimal("0.7"), "other": Decimal("0.4")}
"""GLM; start and first hour of a node cost 0.19, so these carry three nodes and two."""

MAX_WORKERS = 2
HABITS: list[dict[str, object]] = [
    {},
    {"delay": 1.0, "command_seconds": 2.0},
    {"rejects_proposals": True},
    {"refuses_agreements": True},
    {"silent_on_agreements": True},
    {"fails_activities": True},
    {"failing_command": "run"},
    {"hanging_command": "start"},
    {"debit_note_interval": 5.0, "cpu_load": Decimal(50)},
    {"debit_note_interval": 5.0},
]


class Bridge(RuleBasedStateMachine):
    """Random lives of two clusters on a market of good and bad providers."""

    @initialize()
    def begin(self) -> None:
        self.loop = VirtualLoop()
        self.bench = self.run_in_loop(self._bench())
        self.ids: dict[str, str] = {}
        self.joined = 0

    async def _bench(self) -> Bench:
        bench = Bench()
        bench.join("first", "second", debit_note_interval=10.0)
        await bench.start()
        return bench

    def run_in_loop(self, work: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401
        return self.loop.run_until_complete(work)

    @rule(habit=st.sampled_from(HABITS))
    def a_provider_joins(self, habit: dict[str, object]) -> None:
        async def join() -> None:
            self.joined += 1
            self.bench.join(f"joined {self.joined}", **habit)

        self.run_in_loop(join())

    @rule(name=NAMES)
    def ray_up(self, name: str) -> None:
        async def up() -> None:
            try:
                await self.bench.service.open(name, spec(budget=str(BUDGETS[name]), max_workers=MAX_WORKERS))
                self.bench.service.request_nodes(name, "head", 1, {})
            except InputError:
                return

        if not self.bench.golem.down:
            self.run_in_loop(up())

    @rule(name=NAMES, count=st.integers(1, 3))
    def workers_are_requested(self, name: str, count: int) -> None:
        async def request() -> None:
            try:
                self.bench.service.request_nodes(name, "worker", count, {})
            except InputError:
                return

        self.run_in_loop(request())

    @rule(data=st.data(), name=NAMES)
    def a_node_is_terminated(self, data: st.DataObject, name: str) -> None:
        cluster = self.bench.books.clusters.latest(name)
        nodes = self.bench.books.nodes.of_cluster(cluster.cluster_id) if cluster else []
        if nodes:
            node = data.draw(st.sampled_from(sorted(node.node_id for node in nodes)))
            self.run_in_loop(self._call(lambda: self.bench.service.terminate(name, [node])))

    @rule(name=NAMES)
    def ray_down(self, name: str) -> None:
        if self.bench.books.clusters.latest(name) is not None:
            self.run_in_loop(self._call(lambda: self.bench.service.close(name)))

    @rule(seconds=st.sampled_from([0.2, 1.0, 3.0, 20.0, 90.0]))
    def time_passes(self, seconds: float) -> None:
        self.run_in_loop(asyncio.sleep(seconds))

    @rule(data=st.data(), back=st.booleans())
    def a_provider_vanishes_or_comes_back(self, data: st.DataObject, back: bool) -> None:
        provider: FakeProvider = data.draw(st.sampled_from(list(self.bench.golem.world.providers.values())))
        provider.vanished = not back

    @rule(data=st.data())
    def a_provider_ends_an_activity(self, data: st.DataObject) -> None:
        running = [row for row in self.bench.golem.world.activities.values() if row.ended_at is None]
        if running:
            activity = data.draw(st.sampled_from(sorted(row.activity_id for row in running)))
            self.run_in_loop(self._call(lambda: self.bench.golem.end_activity(activity)))

    @rule(data=st.data(), total=st.sampled_from(["0.001", "0.0101", "5", "1000000"]), invoice=st.booleans())
    def a_provider_sends_a_document(self, data: st.DataObject, total: str, invoice: bool) -> None:
        world = self.bench.golem.world
        if not world.activities:
            return
        activity = world.activity(data.draw(st.sampled_from(sorted(world.activities))))
        if invoice:
            agreement_id = activity.agreement.agreement_id
            self.run_in_loop(self._call(lambda: self.bench.golem.send_invoice(agreement_id, Decimal(total))))
        else:
            self.run_in_loop(self._call(lambda: self.bench.golem.send_debit_note(activity.activity_id, Decimal(total))))

    @rule(seconds=st.sampled_from([1.0, 30.0]))
    def yagna_is_down_for_a_while(self, seconds: float) -> None:
        self.bench.golem.down = True
        self.run_in_loop(asyncio.sleep(seconds))
        self.bench.golem.down = False

    @rule(gently=st.booleans())
    def the_bridge_is_restarted(self, gently: bool) -> None:
        self.run_in_loop(self.bench.restart() if gently else self.bench.crash())

    @precondition(lambda self: hasattr(self, "bench"))
    @invariant()
    def promises_hold(self) -> None:
        self.run_in_loop(self._check())

    async def _check(self) -> None:
        books = self.bench.books
        in_force = {
            row.agreement_id
            for row in self.bench.golem.world.agreements.values()
            if row.state is AgreementState.APPROVED
        }
        assert in_force <= {contract.agreement_id for contract in books.contracts.all()}, "an unknown agreement"
        for cluster in books.clusters.unfinished():
            contracts = books.contracts.of_cluster(cluster.cluster_id)
            nodes = books.nodes.of_cluster(cluster.cluster_id)
            now = self.bench.clock.now()
            committed = total_reserved(books.contracts.standing(cluster.cluster_id), books.ledger, now)
            assert committed == sum(reserved(contract, books.ledger, now) for contract in contracts)
            assert committed <= cluster.budget
            live = [node for node in nodes if node.state.is_live]
            assert sum(node.kind.value == "worker" for node in live) <= MAX_WORKERS
            assert sum(node.kind.value == "head" for node in live) <= 1
            assert len({node.ip for node in nodes}) == len(nodes)
            providers = [contract.provider_id for contract in contracts if contract.ended_at is None]
            assert len(set(providers)) == len(providers), "two nodes of a cluster on one provider"
            for node in nodes:
                assert self.ids.setdefault(node.node_id, node.ip) == node.ip
        self._check_money()

    def _check_money(self) -> None:
        """Nobody gets more than the agreed prices make of our own clock."""
        for contract in self.bench.books.contracts.all():
            seconds = contract.activity_seconds(self.bench.clock.now()) + 5
            most = contract.price.cost(env_seconds=seconds, cpu_seconds=seconds * contract.threads)
            accepted = Decimal(self.bench.books.ledger.accepted(contract.agreement_id)).scaleb(-18)
            paid = Decimal(self.bench.books.ledger.paid(contract.agreement_id)).scaleb(-18)
            assert paid <= accepted <= most + Decimal("1e-12")

    def teardown(self) -> None:
        if hasattr(self, "bench"):
            try:
                self.run_in_loop(self._end())
                assert not self.loop.crashes, self.loop.crashes
            finally:
                self.loop.close()

    async def _end(self) -> None:
        """Close everything while all providers answer: nothing stays."""
        bench = self.bench
        for provider in bench.golem.world.providers.values():
            provider.vanished = False
        for cluster in bench.books.clusters.all_latest():
            bench.service.close(cluster.name)
        await bench.until(lambda: not bench.books.clusters.unfinished())
        await bench.until(lambda: not bench.rented(), seconds=300)
        assert all(cluster.state is ClusterState.CLOSED for cluster in bench.books.clusters.all_latest())
        assert not bench.books.nodes.unfinished()
        assert not await bench.golem.allocations()
        assert not await bench.golem.networks()
        assert not bench.doors.are_open
        assert not bench.runtimes.by_cluster
        self._check_money()
        await bench.end()

    @staticmethod
    async def _call(act: Any) -> None:  # noqa: ANN401
        act()


TestBridge = Bridge.TestCase
TestBridge.settings = settings(
    derandomize=True,
    max_examples=15,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)
