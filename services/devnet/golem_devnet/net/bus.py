"""Client of the service bus: binds addresses, serves calls, makes calls."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, Self

from golem_devnet.net.link import BusLink
from golem_devnet.net.wire import Message, blob, decode, number, pack, text, unpack

CALL_TIMEOUT = 30.0
"""Seconds a call may take."""

PARTIAL = 1

Handler = Callable[[str, str, bytes], Awaitable[bytes] | AsyncIterator[bytes]]
"""(caller, address, body) to the reply's body, or to a stream of bodies."""

RawHandler = Callable[[str, bytes], None]
"""(caller, frame): served at once, in order."""

log = logging.getLogger(__name__)


class BusError(Exception):
    """A call or a registration failed."""


class BusClient:
    """One connection, to a daemon's bus or to the hub. When it breaks, :attr:`closed` is set."""

    def __init__(self) -> None:
        self._link = BusLink(self._on_messages, self._on_lost)
        self._handlers: dict[str, Handler] = {}
        self._raw: dict[str, RawHandler] = {}
        self._registrations: deque[asyncio.Future[tuple[int, str]]] = deque()
        self._calls: dict[bytes, asyncio.Future[bytes]] = {}
        self._answered: dict[bytes, Callable[[], None]] = {}
        self._ids = itertools.count(int.from_bytes(os.urandom(4), "big"))
        self._serving: set[asyncio.Task[None]] = set()
        self.closed = asyncio.Event()

    @classmethod
    async def connect(cls, url: str, name: str) -> Self:
        """``unix:/path`` or ``tcp://host:port``. Raises OSError."""
        client, loop = cls(), asyncio.get_running_loop()
        client._link.send(Message.HELLO, f1=name, f2="0.7.3", f3=os.urandom(16))
        if url.startswith("tcp://"):
            host, _, port = url.removeprefix("tcp://").rpartition(":")
            await loop.create_connection(lambda: client._link, host, int(port))
        else:
            await loop.create_unix_connection(lambda: client._link, url.removeprefix("unix:"))
        return client

    async def bind(self, address: str, handler: Handler, *, raw: RawHandler | None = None) -> None:
        """Serve an address and all below it; ``raw`` serves ``address/raw``. Raises BusError if it is taken."""
        self._handlers[address] = handler  # before the answer: calls may come along with it
        if raw is not None:
            self._raw[f"{address}/raw"] = raw
        code, message = await self._register(Message.REGISTER, address)
        if code:
            self._forget(address)
            raise BusError(f"cannot bind {address}: code {code} {message}")

    async def unbind(self, address: str) -> None:
        """Serve it no more. Raises BusError."""
        self._forget(address)
        await self._register(Message.UNREGISTER, address)

    async def call(self, address: str, message: object, *, caller: str = "local") -> Any:  # noqa: ANN401
        """A typed call; ``address`` ends in the message's name. Raises BusError, also for an ``Err`` answer."""
        if self.closed.is_set():
            raise BusError(f"{address}: the service bus is closed")
        request = self._next_id()
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._calls[request] = future
        self._link.send(Message.CALL, f1=caller, f2=address, f3=request, f4=pack(message))
        try:
            async with asyncio.timeout(CALL_TIMEOUT):
                answer = unpack(await future)
        except TimeoutError as error:
            raise BusError(f"{address}: no answer in {CALL_TIMEOUT:.0f} s") from error
        finally:
            self._calls.pop(request, None)
        if not isinstance(answer, dict) or "Ok" not in answer:
            raise BusError(f"{address}: {answer}")
        return answer["Ok"]

    def send_raw(self, address: str, body: bytes, *, caller: str, answered: Callable[[], None]) -> None:
        """A call with plain bytes; ``answered`` runs when the other end has it, or never will."""
        if self.closed.is_set():
            asyncio.get_running_loop().call_soon(answered)
            return
        request = self._next_id()
        self._answered[request] = answered
        self._link.send(Message.CALL, f1=caller, f2=address, f3=request, f4=body)

    async def close(self) -> None:
        """End the connection; waiting calls fail."""
        self._link.close()
        await self.closed.wait()

    def _forget(self, address: str) -> None:
        self._handlers.pop(address, None)
        self._raw.pop(f"{address}/raw", None)

    def _next_id(self) -> bytes:
        return str(next(self._ids)).encode()

    async def _register(self, kind: Message, address: str) -> tuple[int, str]:
        """Replies to registrations carry no id: they come in order."""
        if self.closed.is_set():
            raise BusError(f"{address}: the service bus is closed")
        future: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
        self._registrations.append(future)
        self._link.send(kind, f1=address)
        try:
            async with asyncio.timeout(CALL_TIMEOUT):
                return await future
        except TimeoutError as error:
            raise BusError(f"{address}: no answer in {CALL_TIMEOUT:.0f} s") from error

    def _on_messages(self, messages: list[tuple[int, bytes]]) -> None:
        for kind, body in messages:
            self._handle(kind, body)

    def _on_lost(self, reason: str) -> None:
        log.info("service bus lost: %s", reason)
        self.closed.set()
        for task in self._serving:
            task.cancel()
        self._fail(self._calls.values())
        self._fail(self._registrations)
        answered, self._answered = self._answered, {}
        for tell in answered.values():
            tell()

    @staticmethod
    def _fail(waiting: Iterable[asyncio.Future[Any]]) -> None:
        for future in waiting:
            if not future.done():
                future.set_exception(BusError("the service bus is closed"))

    def _handle(self, kind: int, body: bytes) -> None:
        match kind:
            case Message.CALL:
                self._serve(body)
            case Message.REPLY:
                self._take_reply(body)
            case Message.REGISTERED | Message.UNREGISTERED:
                fields, future = decode(body), self._registrations.popleft()
                if not future.done():  # who asked may have given up
                    future.set_result((number(fields, 1), text(fields, 2)))
            case Message.PING:
                self._link.send(Message.PONG)

    def _take_reply(self, body: bytes) -> None:
        fields = decode(body)
        request, code = blob(fields, 1), number(fields, 2)
        answered = self._answered.pop(request, None)
        if answered is not None:
            answered()
            return
        future = self._calls.get(request)
        if future is None or future.done():
            return
        if code:
            future.set_exception(BusError(f"code {code}: {text(fields, 4)}"))
        else:
            future.set_result(blob(fields, 4))

    def _serve(self, body: bytes) -> None:
        fields = decode(body)
        caller, address, request = text(fields, 1), text(fields, 2), blob(fields, 3)
        wants_reply = not number(fields, 5)
        raw = self._raw.get(address)
        if raw is not None:
            if wants_reply:
                self._link.send(Message.REPLY, f1=request)
            raw(caller, blob(fields, 4))
            return
        handler = self._handler(address)
        if handler is None:
            self._link.send(Message.REPLY, f1=request, f2=400, f4="no such endpoint")
            return
        task = asyncio.create_task(self._answer(handler, caller, address, request, blob(fields, 4)))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _answer(self, handler: Handler, caller: str, address: str, request: bytes, body: bytes) -> None:
        try:
            answer = handler(caller, address, body)
            if isinstance(answer, AsyncIterator):
                async for item in answer:
                    self._link.send(Message.REPLY, f1=request, f3=PARTIAL, f4=item)
                self._link.send(Message.REPLY, f1=request)
            else:
                self._link.send(Message.REPLY, f1=request, f4=await answer)
        except Exception:
            log.exception("call of %s failed", address)
            self._link.send(Message.REPLY, f1=request, f2=500, f4="internal error")

    def _handler(self, address: str) -> Handler | None:
        while address:
            if address in self._handlers:
                return self._handlers[address]
            address = address.rpartition("/")[0]
        return None
