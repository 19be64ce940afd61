"""One activity without a daemon and without a node."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from typing import Any, cast

from golem_devnet.exeunit.activity import Activity
from golem_devnet.exeunit.batch import Outcome
from golem_devnet.exeunit.commands import NodeCommands
from golem_devnet.net.bus import BusClient, Handler
from golem_devnet.net.wire import pack, unpack


class FakeBus:
    """A daemon's bus: who is bound at it, and which states it was told."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()
        self.bound: dict[str, Handler] = {}
        self.states: list[str] = []

    async def bind(self, address: str, handler: Handler) -> None:
        self.bound[address] = handler

    async def unbind(self, address: str) -> None:
        await asyncio.sleep(0)
        del self.bound[address]

    async def call(self, address: str, message: Mapping[str, Any]) -> None:
        await asyncio.sleep(0)
        if address.endswith("SetActivityState"):
            self.states.append(message["state"]["state"][0])

    async def ask(self, address: str, message: Mapping[str, Any]) -> Any:  # noqa: ANN401 - unpacked message
        """What the requestor gets from whoever is bound there."""
        return unpack(await cast("Awaitable[bytes]", self._serve(address, message)))

    async def follow(self, address: str, batch_id: str, heard: list[dict[str, Any]]) -> None:
        """A script's events, until there will be no more."""
        async for event in cast("AsyncIterator[bytes]", self._serve(address, {"batch_id": batch_id})):
            heard.append(unpack(event)["Ok"])

    def _serve(self, address: str, message: Mapping[str, Any]) -> object:
        return self.bound[address.rpartition("/")[0]]("requestor", address, pack(message))


class FakeCommands:
    """Carries everything out at once, but ``run`` and ``transfer``, which take an hour; to go takes it a second.

    A transfer that is cancelled ends when its pipes into the node close, with the node.
    """

    pid = None

    def __init__(self) -> None:
        self.destroyed = 0
        self._gone = asyncio.Event()

    async def carry_out(self, name: str, arguments: Mapping[str, Any]) -> Outcome:
        try:
            if name in {"run", "transfer"}:
                await asyncio.sleep(3600)
        finally:
            if name == "transfer":
                await self._gone.wait()
        return Outcome(ok=True, stdout=f"{name} is done")

    async def destroy(self) -> None:
        await asyncio.sleep(1)
        self.destroyed += 1
        self._gone.set()


class Unit:
    """An activity that has started."""

    def __init__(
        self, activity_id: str = "a1", agreement_id: str = "agreement", *, commands: NodeCommands | None = None
    ) -> None:
        self.bus, self.commands = FakeBus(), FakeCommands()
        self.activity = Activity(
            activity_id,
            agreement_id,
            bus=cast(BusClient, self.bus),
            commands=commands or cast(NodeCommands, self.commands),
        )
        self.address = f"/public/exeunit/{activity_id}"

    async def execute(self, *names: str) -> str:
        """Begin a script of commands without arguments; its batch's id."""
        message = {"batchId": "-".join(names), "exeScript": [{name: {}} for name in names]}
        return str((await self.bus.ask(f"{self.address}/Exec", message))["Ok"])
