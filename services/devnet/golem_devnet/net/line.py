"""An agent's line to the hub, which outlives the hub's restarts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from golem_devnet.net.bus import CALL_TIMEOUT, BusClient, BusError, Handler, RawHandler

RETRY = 0.2
"""Seconds between attempts to reach a hub that is away."""

log = logging.getLogger(__name__)


class HubLine:
    """Connects again whenever the connection breaks, and binds anew what was bound: nodes go on meanwhile.

    Frames sent while the hub is away are lost, as on any net; TCP above them sends them again.
    """

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._name = name
        self._bound: dict[str, tuple[Handler, RawHandler | None]] = {}
        self._client: BusClient | None = None
        self._connected = asyncio.Event()
        self._returned = asyncio.Event()
        self._task = asyncio.create_task(self._keep(), name="hub line")

    async def ready(self, patience: float) -> None:
        """Until the hub is reached. Raises TimeoutError after ``patience`` seconds."""
        try:
            async with asyncio.timeout(patience):
                await self._connected.wait()
        except TimeoutError as error:
            raise TimeoutError(f"the hub at {self._url} was not reached in {patience:.0f} s") from error

    async def returns(self) -> None:
        """Until the hub has been away and is back."""
        await self._returned.wait()
        self._returned.clear()

    async def bind(self, address: str, handler: Handler, *, raw: RawHandler | None = None) -> None:
        """As :meth:`BusClient.bind`, for as long as the line is kept. Raises BusError."""
        try:
            await self.ready(CALL_TIMEOUT)
            self._bound[address] = handler, raw
            assert self._client is not None
            await self._client.bind(address, handler, raw=raw)
        except (BusError, TimeoutError) as error:
            self._bound.pop(address, None)
            raise BusError(f"cannot bind {address} at the hub: {error}") from error

    async def unbind(self, address: str) -> None:
        """Serve it no more; never raises for a hub that is away, which knows of nothing."""
        self._bound.pop(address, None)
        if self._client is not None:
            try:
                await self._client.unbind(address)
            except BusError as error:
                log.info("not unbound, the hub is away: %s", error)

    def send_raw(self, address: str, body: bytes, *, caller: str, answered: Callable[[], None]) -> None:
        """A call with plain bytes; ``answered`` runs later, also if it is lost."""
        if self._client is None:
            asyncio.get_running_loop().call_soon(answered)
        else:
            self._client.send_raw(address, body, caller=caller, answered=answered)

    async def close(self) -> None:
        """Hang up."""
        self._task.cancel()
        await asyncio.wait([self._task])
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _keep(self) -> None:
        was_away = False
        while True:
            try:
                client = await BusClient.connect(self._url, self._name)
            except OSError:
                await asyncio.sleep(RETRY)
                continue
            if not await self._bind_all(client):
                await client.close()
                await asyncio.sleep(RETRY)
                continue
            self._client = client
            self._connected.set()
            if was_away:
                self._returned.set()
            await client.closed.wait()
            log.warning("the hub is away; nodes go on, their frames are lost until it is back")
            self._client = None
            self._connected.clear()
            was_away = True

    async def _bind_all(self, client: BusClient) -> bool:
        """A hub that has not yet noticed the end of our last connection holds the addresses for it."""
        for address, (handler, raw) in list(self._bound.items()):
            try:
                await client.bind(address, handler, raw=raw)
            except BusError as error:
                log.info("%s", error)
                return False
        return True
