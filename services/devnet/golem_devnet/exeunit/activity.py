"""One activity: what the requestor's daemon asks of it over the service bus, and what it reports."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from golem_devnet.exeunit.batch import Batch
from golem_devnet.exeunit.commands import NodeCommands
from golem_devnet.exeunit.usage import UsageMeter
from golem_devnet.net.bus import BusClient, BusError
from golem_devnet.net.wire import pack, unpack

REPORT_INTERVAL = 1.0
"""Seconds; a daemon destroys activities that are silent for 10 s (measured on yagna 0.17.6)."""

STATE_AFTER = {"deploy": "Deployed", "start": "Ready"}

log = logging.getLogger(__name__)


class Activity:
    """Bound at ``/public/exeunit/<id>`` of the provider's daemon from :meth:`start` to :meth:`stop`."""

    def __init__(self, activity_id: str, agreement_id: str, *, bus: BusClient, commands: NodeCommands) -> None:
        self.activity_id = activity_id
        self.agreement_id = agreement_id
        self.meter = UsageMeter()
        self.state = "New"
        self._bus = bus
        self._commands = commands
        self._address = f"/public/exeunit/{activity_id}"
        self._batches: dict[str, Batch] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._ending: asyncio.Task[None] | None = None
        self._reporting: asyncio.Task[None] | None = None
        self._stopping = asyncio.Lock()

    def usage(self) -> list[float]:
        """[duration, cpu] in seconds so far."""
        return self.meter.read(self._commands.pid)

    async def start(self) -> None:
        """Be there for the requestor. Raises BusError."""
        await self._bus.bind(self._address, self._serve)
        await self._set_state("Initialized")
        self._reporting = asyncio.create_task(self._report_usage(), name=f"usage {self.activity_id}")

    async def stop(self) -> None:
        """End the node and say so; a second call waits for the first."""
        async with self._stopping:
            if self.state == "Terminated":
                return
            self.meter.stop(self._commands.pid)
            if self._reporting is not None:
                self._reporting.cancel()
            for task in self._running:
                task.cancel()
            await self._commands.destroy()
            # what a script was making is its own to destroy; after the node: a transfer's pipes close with it
            await asyncio.gather(*self._running, return_exceptions=True)
            self.state = "Terminated"
            if self._bus.closed.is_set():
                return
            await self._set_state("Terminated")
            await self._bus.unbind(self._address)
            self._batches.clear()  # the deal keeps its activities for the bill; their output is nobody's any more

    async def set_vpn(self, up: bool) -> None:
        """Let frames of the node pass or not."""
        await self._commands.set_vpn(up)

    async def _set_state(self, state: str) -> None:
        self.state = state
        await tell_state(self._bus, self.activity_id, state)

    async def _report_usage(self) -> None:
        while True:
            usage = {"currentUsage": self.usage(), "timestamp": int(asyncio.get_running_loop().time())}
            message = {"activityId": self.activity_id, "timeout": None, "usage": usage}
            try:
                await self._bus.call("/local/activity/SetActivityUsage", message)
            except BusError as error:
                log.warning("usage not reported: %s", error)
            await asyncio.sleep(REPORT_INTERVAL)

    def _serve(self, _caller: str, address: str, body: bytes) -> Awaitable[bytes] | AsyncIterator[bytes]:
        name, message = address.rpartition("/")[2], unpack(body)
        if name == "StreamExecBatchResults":
            return self._stream(message)
        calls: dict[str, Callable[[Mapping[str, Any]], Awaitable[Any]]] = {
            "Exec": self._exec,
            "GetExecBatchResults": self._results,
            "GetActivityState": self._get_state,
            "GetActivityUsage": self._get_usage,
            "GetRunningCommand": self._get_running,
        }
        call = calls.get(name)
        if call is None:
            return _refuse(f"unsupported message {name!r}")
        return _answer(call(message))

    async def _exec(self, message: Mapping[str, Any]) -> object:
        if self._stopping.locked():  # nobody would destroy what it makes
            return {"Err": {"badRequest": "the activity is ending"}}
        batch = Batch(message["batchId"], message["exeScript"])
        if not batch.script:
            return {"Err": {"badRequest": "the script is empty"}}
        self._batches[batch.batch_id] = batch
        task = asyncio.create_task(self._carry_out(batch), name=f"batch {batch.batch_id}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return {"Ok": batch.batch_id}

    async def _carry_out(self, batch: Batch) -> None:
        try:
            for index, entry in enumerate(batch.script):
                if await self._carry_out_one(batch, index, entry):
                    return
        finally:
            await batch.close()

    async def _carry_out_one(self, batch: Batch, index: int, entry: Mapping[str, Any]) -> bool:
        """True if that was the last one."""
        ((name, arguments),) = entry.items()
        await batch.started(index)
        outcome = await self._commands.carry_out(name, arguments or {})
        log.info("%s: %s %s", self.activity_id[:8], name, "done" if outcome.ok else f"failed: {outcome.message}")
        if outcome.ok and name in STATE_AFTER:
            await self._set_state(STATE_AFTER[name])
        finished = await batch.ended(index, outcome)
        if outcome.ok and name == "terminate":
            asyncio.get_running_loop().call_later(0.2, self._stop_soon)
        return finished

    def _stop_soon(self) -> None:
        if self._ending is None:  # not one of the tasks that run: those are cancelled by it
            self._ending = asyncio.create_task(self._end_by_itself(), name=f"end of {self.activity_id}")

    async def _end_by_itself(self) -> None:
        try:
            await self.stop()
        except BusError as error:
            log.warning("activity %s ended, its daemon was not told: %s", self.activity_id[:8], error)

    async def _results(self, message: Mapping[str, Any]) -> object:
        batch = self._batches.get(message["batchId"])
        if batch is None:
            return {"Err": {"notFound": f"batch {message['batchId']}"}}
        results = await batch.results(timeout=message.get("timeout") or 0, index=message.get("commandIndex"))
        return {"Err": "timeout"} if results is None else {"Ok": results}

    async def _stream(self, message: Mapping[str, Any]) -> AsyncIterator[bytes]:
        batch = self._batches.get(message["batch_id"])
        if batch is None:
            yield pack({"Err": {"notFound": f"batch {message['batch_id']}"}})
            return
        async for event in batch.events():
            yield pack({"Ok": event})

    async def _get_state(self, _message: Mapping[str, Any]) -> object:
        return {"Ok": {"state": [self.state, None]}}

    async def _get_usage(self, _message: Mapping[str, Any]) -> object:
        return {"Ok": {"currentUsage": self.usage(), "timestamp": 0}}

    async def _get_running(self, _message: Mapping[str, Any]) -> object:
        return {"Err": {"notFound": "no running command"}}


async def tell_state(bus: BusClient, activity_id: str, state: str) -> None:
    """To the provider's daemon, which tells the requestor. Raises BusError."""
    message = {
        "activityId": activity_id,
        "state": {"state": [state, None]},
        "timeout": None,
        "credentials": None,
    }
    await bus.call("/local/activity/SetActivityState", message)


async def _answer(call: Awaitable[object]) -> bytes:
    return pack(await call)


async def _refuse(reason: str) -> bytes:
    return pack({"Err": {"badRequest": reason}})
