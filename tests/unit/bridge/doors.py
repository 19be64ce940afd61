"""The API of a :class:`Bench` behind its doors, for httpx."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal

import httpx
from prometheus_client import CollectorRegistry

from golem_bridge.api import v013
from golem_bridge.api.app import create_app
from golem_bridge.api.context import Context
from golem_bridge.api.doors import HeadDoor, HostDoor
from golem_bridge.api.views import Presenter
from golem_bridge.clusters.model import Node
from golem_bridge.errors import GolemError, NodeUnreachableError
from golem_bridge.money.funds import Funds
from golem_bridge.relay import Stream
from tests.unit.bridge.bench import Bench

WALLET = "0x" + "11" * 20
TOKEN = "t" * 40
METRICS_TOKEN = "m" * 40
ADDRESS = "http://127.0.0.1:4578"

Connect = Callable[[Node, int], Awaitable[Stream]]


async def unreachable(node: Node, port: int) -> Stream:
    raise NodeUnreachableError(f"Cannot connect to port {port} of {node.ip} — refused — the node is starting")


class Doors:
    """``host`` shows the user's token, ``stranger`` none, ``prometheus`` the metrics token; :meth:`head` needs none."""

    def __init__(self, bench: Bench, *, admits_upstream: bool = True, connect: Connect = unreachable) -> None:
        context = Context(
            service=bench.service,
            books=bench.books,
            caretaker=bench.caretaker,
            presenter=Presenter(bench.books, network="devnet", wallet=WALLET),
            connect=connect,
            check_ready=self._ready,
            funds=self._funds,
            registry=CollectorRegistry(),
            settings=bench.settings,
        )
        self._bench = bench
        self._app = create_app(context)
        door = HostDoor(
            self._app,
            token=TOKEN,
            metrics_token=METRICS_TOKEN,
            allowed_hosts=bench.settings.allowed_hosts,
            open_paths=v013.PATHS if admits_upstream else frozenset(),
        )
        self.stranger = self._client(door)
        self.host = self._client(door, TOKEN)
        self.prometheus = self._client(door, METRICS_TOKEN)

    def head(self, cluster_id: str) -> httpx.AsyncClient:
        return self._client(HeadDoor(self._app, cluster_id=cluster_id))

    @staticmethod
    def _client(door: HostDoor | HeadDoor, token: str | None = None) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.AsyncClient(transport=httpx.ASGITransport(door), base_url=ADDRESS, headers=headers)

    async def _ready(self) -> None:
        await self._bench.golem.identity()

    def _funds(self) -> Funds:
        if self._bench.golem.down:
            raise GolemError("The wallet's amount is unknown — yagna has not told")
        return Funds(glm=self._bench.golem.wallet, gas=Decimal(1), coin="tETH", at=self._bench.clock.now())
