"""The relay's end inside a node. Sent to the node by the bridge: standard library only, Python 3.9 or newer.

Listens on the node's VPN address; whoever shows the token may open connections to allowed ports of the node's
own loopback. Several links may exist at a time (a restarted bridge opens a new one; the old one dies by itself).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hmac
import socket
import sys
from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import Any

from golem_bridge.relay.detach import detach
from golem_bridge.relay.frames import LinkError
from golem_bridge.relay.mux import Mux
from golem_bridge.relay.stream import READ_SIZE, TO_BRIDGE, TO_NODE, Stream

HELLO_TIMEOUT = 10.0
"""Seconds a new link has to show the token."""

LINK_READ_SIZE = 256 * 1024
CONNECT_TIMEOUT = 5.0
RECEIPT_AFTER = 0.002
"""Seconds; each frame of its own delays the one behind it."""

SEND_WHAT_IS_DUE = 2
"""An even value of TCP_QUICKACK: acknowledge now what is due, and go on waiting for answers to carry it (Linux'
net/ipv4/tcp.c, tcp_sock_set_quickack)."""

DISCARD = 9
"""The port whose service throws away what it gets."""


class Receipt:
    """TCP's own acknowledgement of what arrived, if no answer has carried it within RECEIPT_AFTER.

    yagna's TCP holds a small segment back until the one before is acknowledged, and Linux waits 40 ms with that.
    """

    def __init__(self, link: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
        self._link = link
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None

    def soon(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(RECEIPT_AFTER, self._send)

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _send(self) -> None:
        self._timer = None
        with contextlib.suppress(OSError):  # the link has just ended
            self._link.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, SEND_WHAT_IS_DUE)


class NodeEnd:
    """Accepts links and connects their streams."""

    def __init__(self, token: bytes, ports: frozenset[int]) -> None:
        self._token = token
        self._ports = ports
        self._tasks: set[asyncio.Future[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One link, from connect to end."""
        known = asyncio.Event()
        loop = asyncio.get_running_loop()

        async def send(message: bytes) -> None:
            writer.write(message)
            await writer.drain()

        def on_hello(token: bytes) -> None:
            if not hmac.compare_digest(token, self._token):
                raise LinkError("wrong token")
            known.set()
            mux.hello(b"")

        def accept(stream: Stream, port: int) -> None:
            if not known.is_set():
                raise LinkError("no token was shown")
            self._spawn(self._connect(mux, stream, port))

        mux = Mux(
            send,
            outgoing=TO_BRIDGE,
            incoming=TO_NODE,
            now=loop.time,
            sleep=asyncio.sleep,
            accept=accept,
            on_hello=on_hello,
        )
        work = [
            asyncio.ensure_future(self._receive(mux, reader, writer.get_extra_info("socket"))),
            asyncio.ensure_future(mux.run()),
            asyncio.ensure_future(self._expect(known)),
        ]
        reason = "the link ended"
        try:
            await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in work:
                task.cancel()
            for result in await asyncio.gather(*work, return_exceptions=True):
                if isinstance(result, (LinkError, OSError)):
                    reason = str(result)
            mux.fail(reason)
            writer.close()

    async def _receive(self, mux: Mux, reader: asyncio.StreamReader, link: socket.socket) -> None:
        receipt = Receipt(link, asyncio.get_running_loop())
        try:
            while True:
                data = await reader.read(LINK_READ_SIZE)
                if not data:
                    return
                receipt.soon()
                mux.feed(data)
        finally:
            receipt.cancel()

    async def _expect(self, known: asyncio.Event) -> None:
        await asyncio.wait_for(known.wait(), HELLO_TIMEOUT)
        await asyncio.get_running_loop().create_future()

    async def _connect(self, mux: Mux, stream: Stream, port: int) -> None:
        if port not in self._ports:
            mux.answer(stream, f"port {port} is not allowed")
            return
        try:
            reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), CONNECT_TIMEOUT)
        except (OSError, asyncio.TimeoutError) as error:
            mux.answer(stream, "port {}: {}".format(port, error or "no answer"))
            return
        mux.answer(stream)
        try:
            await asyncio.gather(_to_stream(reader, stream), _from_stream(stream, writer))
        except OSError:
            await stream.close()
        finally:
            writer.close()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _to_stream(reader: asyncio.StreamReader, stream: Stream) -> None:
    while True:
        data = await reader.read(READ_SIZE)
        if not data:
            await stream.write_eof()
            return
        await stream.write(data)


async def _from_stream(stream: Stream, writer: asyncio.StreamWriter) -> None:
    while True:
        data = await stream.read()
        if not data:
            if writer.can_write_eof():
                writer.write_eof()
            return
        writer.write(data)
        await writer.drain()


def greet(addresses: Iterable[str]) -> None:
    """One datagram to each: from it an exe-unit learns of a node that nobody has told it of."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        for address in addresses:
            with contextlib.suppress(OSError):  # it may have left
                out.sendto(b"", (address, DISCARD))


async def listen(address: str, node_end: NodeEnd) -> None:
    """Serve for ever on ``ip:port``."""
    host, _, port = address.rpartition(":")
    server = await asyncio.start_server(node_end.serve, host, int(port))
    async with server:
        await server.serve_forever()


def main() -> None:
    """Command line of the script."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen", required=True, help="ip:port")
    parser.add_argument("--token-file", required=True)
    parser.add_argument("--allow", type=int, action="append", help="port on 127.0.0.1; default 22")
    parser.add_argument("--greet", action="append", default=[], help="address of another node")
    parser.add_argument("--daemon", action="store_true")
    options = parser.parse_args()
    token = Path(options.token_file).read_bytes().strip()
    if not token:
        sys.exit("the token file is empty")
    greet(options.greet)
    if options.daemon:
        detach()
    asyncio.run(listen(options.listen, NodeEnd(token, frozenset(options.allow or [22]))))


if __name__ == "__main__":
    main()
