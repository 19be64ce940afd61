"""A whole bridge on the memory Golem, without ssh, sockets or the registry, for tests on a :class:`VirtualLoop`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import cast

import asyncssh
from sqlalchemy import Connection

from golem_bridge.clusters.books import Books
from golem_bridge.clusters.caretaker import Caretaker
from golem_bridge.clusters.closer import Closer
from golem_bridge.clusters.forward import Forward
from golem_bridge.clusters.leftovers import Leftovers
from golem_bridge.clusters.model import Node
from golem_bridge.clusters.recovery import Recovery
from golem_bridge.clusters.runtime import Runtimes
from golem_bridge.clusters.service import ClusterService
from golem_bridge.clusters.ssh import SshGate
from golem_bridge.clusters.starter import Starter
from golem_bridge.clusters.states import ClusterState, NodeState
from golem_bridge.clusters.sweeper import Sweeper
from golem_bridge.clusters.workers import Workers
from golem_bridge.errors import InputError, NodeUnreachableError
from golem_bridge.golem.types import AgreementState
from golem_bridge.market.images import Image, ImageRegistry
from golem_bridge.market.requirements import DemandSpec
from golem_bridge.money.bookkeeper import Bookkeeper
from golem_bridge.money.contracts import Contract
from golem_bridge.settings import GolemNetwork, Settings
from golem_bridge.store.database import Database
from tests.fakes.golem import FakeProvider, MemoryGolem
from tests.fakes.loop import LoopClock
from tests.unit.bridge.samples import PUBLIC_KEY

SESSION = "ray-on-golem-test"


class PowerCutError(BaseException):
    """Nothing reaches the disk any more."""


class Disk(Database):
    """A database whose power a test can cut after so many more writes."""

    writes = 0
    last_write: int | None = None
    is_cut = False

    @contextmanager
    def write(self) -> Iterator[Connection]:
        if self.last_write is not None and self.writes >= self.last_write:
            self.is_cut = True
            raise PowerCutError
        self.writes += 1
        with super().write() as connection:
            yield connection


class FakeConnection:
    """An ssh connection of which only its life matters."""

    def __init__(self, gate: FakeGate) -> None:
        self._gate = gate
        self._closed = asyncio.Event()

    async def create_server(self, forward: Forward, _host: str, port: int) -> None:
        if self._gate.refuses_forward:
            raise OSError("administratively prohibited")
        self._gate.forwarded.append(str(forward.door))
        self._gate.ports.add(port)

    async def wait_closed(self) -> None:
        await self._closed.wait()

    def close(self) -> None:
        self._closed.set()

    abort = close


class FakeGate(SshGate):
    """Every node that runs lets us in, unless a test says otherwise."""

    def __init__(self) -> None:
        self.unreachable: Callable[[Node], bool] = lambda _: False
        self.refuses_forward = False
        self.forwarded: list[str] = []
        self.ports: set[int] = set()
        """On heads' loopbacks, forwarded to somewhere."""
        self.opened: list[tuple[str, FakeConnection]] = []

    async def open(self, node: Node) -> asyncssh.SSHClientConnection:
        await asyncio.sleep(0.1)
        if self.unreachable(node):
            raise NodeUnreachableError(f"ssh to {node.node_id} failed — refused — see its log")
        connection = FakeConnection(self)
        self.opened.append((node.node_id, connection))
        return cast(asyncssh.SSHClientConnection, connection)

    async def wait_ready(self, node: Node) -> asyncssh.SSHClientConnection:
        return await self.open(node)


class FakeDoors:
    def __init__(self) -> None:
        self.are_open: set[str] = set()

    async def open(self, cluster_id: str) -> Path:
        self.are_open.add(cluster_id)
        return Path(f"/doors/{cluster_id}.sock")

    async def close(self, cluster_id: str) -> None:
        self.are_open.discard(cluster_id)


class FakeImages(ImageRegistry):
    """Knows every tag but ``unknown``; hashes are those of nothing."""

    def __init__(self) -> None:
        super().__init__("http://registry")
        self.asked: list[str] = []

    async def resolve(self, wanted: DemandSpec) -> Image:
        name = wanted.image_tag or wanted.image_hash or ""
        self.asked.append(name)
        if name == "unknown":
            raise InputError("Unknown image: tag 'unknown' — the registry answers 404 — correct image_tag")
        return Image(url=f"http://registry/{name}", sha3="0" * 56)


class Bench:
    """The bridge's rooms as app.py builds them; :meth:`restart` builds them anew over the same books."""

    def __init__(self, *, wallet: Decimal = Decimal(1000), settings: Settings | None = None) -> None:
        self.clock = LoopClock()
        self.golem = MemoryGolem(clock=self.clock, wallet=wallet)
        self.settings = settings or Settings(golem_network=GolemNetwork.DEVNET, settlement_patience=60)
        self.database = cast(Disk, Disk.open(None))
        self.images = FakeImages()
        self.dropped_links: list[str] = []
        self.heard: dict[str, datetime] = {}
        """When a node's relay was heard of last, as a test says."""
        self.works = False
        self.build()

    def build(self) -> None:
        """New objects, as after a start of the process."""
        golem, settings = self.golem, self.settings
        self.books = books = Books.on(self.database, self.clock)
        self.runtimes = runtimes = Runtimes()
        self.gate, self.doors = FakeGate(), FakeDoors()
        self.service = service = ClusterService(
            golem=golem, books=books, runtimes=runtimes, images=self.images, settings=settings
        )
        self.closer = Closer(golem=golem, books=books, runtimes=runtimes, drop_link=self._drop_link)
        self.starter = Starter(
            golem=golem,
            books=books,
            runtimes=runtimes,
            gate=self.gate,
            doors=self.doors,
            settings=settings,
            app_session_id=SESSION,
            bridge_public_key=PUBLIC_KEY,
            on_end=service.end_node,
            close=self.closer.close,
            drop_link=self._drop_link,
        )
        self.caretaker = Caretaker(
            golem=golem,
            books=books,
            runtimes=runtimes,
            service=service,
            settings=settings,
            close_door=self.doors.close,
            last_heard=self.heard.get,
            reading_since=lambda: self.bookkeeper.reading_since,
        )
        self.bookkeeper = Bookkeeper(
            golem=golem,
            database=self.database,
            contracts=books.contracts,
            ledger=books.ledger,
            clock=self.clock,
            allocation_of=books.clusters.allocation_of,
            notify=books.changes.tell,
        )
        self.sweeper = Sweeper(golem=golem, books=books, app_session_id=SESSION)
        self.leftovers = Leftovers(golem=golem, books=books, is_opening=service.is_opening_any)
        self.recovery = Recovery(
            books=books,
            runtimes=runtimes,
            service=service,
            gate=self.gate,
            doors=self.doors,
            sweeper=self.sweeper,
            leftovers=self.leftovers,
        )
        self.workers = Workers(
            service=service,
            starter=self.starter,
            closer=self.closer,
            caretaker=self.caretaker,
            bookkeeper=self.bookkeeper,
            sweeper=self.sweeper,
            leftovers=self.leftovers,
            nodes=books.nodes,
            clock=self.clock,
        )

    async def start(self) -> None:
        await self.recovery.run()
        self.workers.start()
        self.works = True

    async def stop(self) -> None:
        """As app.py does."""
        if self.works:
            self.works = False
            await self.workers.stop()
        await self.runtimes.stop_all()

    async def restart(self) -> None:
        await self.stop()
        self.build()
        await self.start()

    async def crash(self) -> None:
        """The process dies where it stands, and is started again; providers and yagna live on."""
        outside = {asyncio.current_task(), *self.golem.world.tasks}
        inside = asyncio.all_tasks() - outside
        self.database.last_write = 0
        for task in inside:
            task.cancel()
        await asyncio.gather(*inside, return_exceptions=True)
        self.database.last_write = None
        self.build()
        await self.start()

    async def end(self) -> None:
        await self.stop()
        await self.golem.close()
        self.database.close()

    def join(self, *names: str, **habits: object) -> list[FakeProvider]:
        """Providers with the same habits come to the market."""
        return [self.golem.join(FakeProvider(name, **habits)) for name in names]  # type: ignore[arg-type]

    async def until(self, so: Callable[[], bool], *, seconds: float = 3600) -> None:
        """Let time pass until something is so."""
        end = self.clock.monotonic() + seconds
        while not so():
            assert self.clock.monotonic() < end, f"not so after {seconds} s"
            await asyncio.sleep(0.5)

    async def until_running(self, *node_ids: str) -> None:
        def all_run() -> bool:
            nodes = [self.books.nodes.get(node_id) for node_id in node_ids]
            ended = [node.message for node in nodes if not node.state.is_live]
            assert not ended, ended
            return all(node.state is NodeState.RUNNING for node in nodes)

        await self.until(all_run)

    async def until_closed(self, name: str = "demo") -> None:
        await self.until(lambda: self.service.get(name).state is ClusterState.CLOSED)

    def state(self, node_id: str) -> str:
        return self.books.nodes.get(node_id).state.value

    def contract(self, node_id: str) -> Contract:
        """The one a node runs under."""
        contract = self.books.contracts.get(self.books.nodes.get(node_id).agreement_id or "")
        assert contract is not None
        return contract

    def rented(self) -> list[str]:
        """What costs money at Golem now: agreements in force and activities that are not over."""
        world = self.golem.world
        agreements = [row.agreement_id for row in world.agreements.values() if row.state is AgreementState.APPROVED]
        return agreements + [row.activity_id for row in world.activities.values() if row.ended_at is None]

    async def _drop_link(self, node_id: str) -> None:
        self.dropped_links.append(node_id)
