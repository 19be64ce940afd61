"""The bridge's end: one link per node, kept for as long as it lives, opened anew when it broke."""

from __future__ import annotations

import asyncio
import socket
from collections import defaultdict
from collections.abc import Awaitable, Callable

import structlog

from golem_bridge.clock import Clock
from golem_bridge.errors import NodeUnreachableError
from golem_bridge.golem.port import MessageChannel
from golem_bridge.relay.frames import LinkError
from golem_bridge.relay.mux import Mux
from golem_bridge.relay.stream import READ_SIZE, TO_BRIDGE, TO_NODE, Stream

ANSWER_TIMEOUT = 10.0
"""Seconds the node's end may take to greet or to connect a stream."""

OpenChannel = Callable[[], Awaitable[MessageChannel]]

log = structlog.get_logger(__name__)


class Link:
    """A greeted link to one node's end."""

    def __init__(self, channel: MessageChannel, clock: Clock) -> None:
        self._channel = channel
        self._greeted = asyncio.Event()
        self._mux = Mux(
            channel.send,
            outgoing=TO_NODE,
            incoming=TO_BRIDGE,
            now=clock.monotonic,
            sleep=clock.sleep,
            on_hello=lambda _: self._greeted.set(),
        )
        self._task = asyncio.create_task(self._live(), name="relay link")

    @classmethod
    async def open(cls, channel: MessageChannel, *, token: str, clock: Clock) -> Link:
        """Greet the node's end. Raises NodeUnreachableError if it does not accept the token."""
        link = cls(channel, clock)
        link._mux.hello(token.encode())
        greeted = asyncio.create_task(link._greeted.wait())
        await asyncio.wait([greeted, link._task], timeout=ANSWER_TIMEOUT, return_when=asyncio.FIRST_COMPLETED)
        if not greeted.done():
            greeted.cancel()
            await link.close()
            raise NodeUnreachableError(f"the node's relay did not greet — {link._mux.failure or 'no answer'}")
        return link

    @property
    def is_alive(self) -> bool:
        return not self._task.done()

    @property
    def heard_at(self) -> float:
        """When something of the node came last, by the clock's monotonic time; while the link lives, every 5 s."""
        return self._mux.heard_at

    async def connect(self, port: int) -> Stream:
        """A stream to ``127.0.0.1:port`` inside the node. Raises NodeUnreachableError."""
        try:
            stream = self._mux.open_stream(port)
            async with asyncio.timeout(ANSWER_TIMEOUT):
                await asyncio.shield(stream.opened)
        except TimeoutError as error:
            await stream.close()
            raise NodeUnreachableError(
                f"the node's relay did not connect port {port} in {ANSWER_TIMEOUT:.0f} s"
            ) from error
        except ConnectionError as error:
            raise NodeUnreachableError(f"the node refuses port {port} — {error}") from error
        return stream

    async def close(self) -> None:
        """End the link and its streams; never raises."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _live(self) -> None:
        work = [asyncio.create_task(self._mux.run()), asyncio.create_task(self._receive())]
        reason = "the link was closed"
        try:
            await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in work:
                task.cancel()
            for result in await asyncio.gather(*work, return_exceptions=True):
                if isinstance(result, LinkError | OSError):
                    reason = str(result)
            self._mux.fail(reason)
            await self._channel.close()

    async def _receive(self) -> None:
        """Always read at once: a channel that is not read stops all others of its VPN."""
        while True:
            self._mux.feed(await self._channel.receive())


class LinkPool:
    """The links by node, opened when first needed."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._links: dict[str, Link] = {}
        self._opening: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def connect(self, key: str, port: int, *, token: str, open_channel: OpenChannel) -> Stream:
        """A stream to a port of the node ``key``. Raises NodeUnreachableError."""
        async with self._opening[key]:
            link = self._links.get(key)
            if link is None or not link.is_alive:
                link = await Link.open(await open_channel(), token=token, clock=self._clock)
                self._links[key] = link
                log.info("relay link is up", node=key)
        return await link.connect(port)

    def heard_at(self, key: str) -> float | None:
        """When something of the node ``key`` came last, by the clock's monotonic time; None if there was no link."""
        link = self._links.get(key)
        return None if link is None else link.heard_at

    async def drop(self, key: str) -> None:
        """Close a node's link; an unknown one is no error."""
        self._opening.pop(key, None)
        link = self._links.pop(key, None)
        if link is not None:
            await link.close()

    async def close(self) -> None:
        """Close all links."""
        for key in list(self._links):
            await self.drop(key)


async def socket_for(stream: Stream) -> socket.socket:
    """A connected socket that carries the stream, for libraries that want one. Ends with either side."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    reader, writer = await asyncio.open_connection(sock=ours)
    task = asyncio.create_task(_carry(stream, reader, writer), name="stream socket")
    _carrying.add(task)
    task.add_done_callback(_carrying.discard)
    return theirs


_carrying: set[asyncio.Task[None]] = set()
"""Keeps the tasks alive: the event loop itself only holds weak references."""


async def _carry(stream: Stream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    async def up() -> None:
        while data := await reader.read(READ_SIZE):
            await stream.write(data)
        await stream.write_eof()

    async def down() -> None:
        while data := await stream.read():
            writer.write(data)
            await writer.drain()
        writer.write_eof()

    try:
        await asyncio.gather(up(), down())
    except OSError as error:
        log.debug("stream socket ended", reason=str(error))
    finally:
        await stream.close()
        writer.close()
