"""The detour's end inside a node. Sent to the node by the bridge: standard library only, Python 3.9 or newer.

``start`` connects to the node's relay and leaves a process behind that keeps the connection. ``exchange`` hands it
bytes for the relay and prints what the relay has sent meanwhile, in base64.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import socket
import struct
import sys
from pathlib import Path

from golem_bridge.relay.detach import detach

ANSWER_LIMIT = 96 * 1024
"""Bytes of one answer."""

AHEAD = 4 * ANSWER_LIMIT
"""Bytes the relay may be ahead of the answers."""

LIFE = 60.0
"""Seconds without an exchange after which nobody needs the connection any more."""

CONNECT_TIMEOUT = 5.0
ENDED = "ended"
"""Printed instead of bytes once the relay has hung up and all it had sent was printed."""

REQUEST = struct.Struct(">dI")
"""Seconds to wait for bytes, length of the bytes that follow."""


class Keeper:
    """Holds the connection to the relay from one exchange to the next."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._incoming = bytearray()
        self._changed = asyncio.Event()
        self._has_ended = False
        self._served = 0

    async def run(self) -> None:
        """Read from the relay until nobody has asked for ``LIFE`` seconds."""
        reading = asyncio.ensure_future(self._read())
        try:
            served = -1
            while served != self._served:
                served = self._served
                await asyncio.sleep(LIFE)
        finally:
            reading.cancel()
            self._writer.close()

    async def exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request of :func:`ask`."""
        wait, length = REQUEST.unpack(await reader.readexactly(REQUEST.size))
        data = await reader.readexactly(length)
        self._served += 1
        with contextlib.suppress(OSError):  # the answer tells that the relay has hung up
            self._writer.write(data)
            await self._writer.drain()
        answer = await self._take(wait)
        writer.write(ENDED.encode() if answer is None else base64.b64encode(answer))
        writer.close()

    async def _take(self, wait: float) -> bytes | None:
        """What has come, or comes within ``wait`` seconds; None at the end."""
        if not self._incoming and not self._has_ended:
            self._changed.clear()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._changed.wait(), wait)
        if not self._incoming and self._has_ended:
            return None
        taken = bytes(self._incoming[:ANSWER_LIMIT])
        del self._incoming[:ANSWER_LIMIT]
        self._changed.set()
        return taken

    async def _read(self) -> None:
        with contextlib.suppress(OSError):  # broken or ended: for the bridge it is the same
            while True:
                while len(self._incoming) >= AHEAD:
                    self._changed.clear()
                    await self._changed.wait()
                data = await self._reader.read(ANSWER_LIMIT)
                if not data:
                    break
                self._incoming += data
                self._changed.set()
        self._has_ended = True
        self._changed.set()


async def keep(relay: socket.socket, door: socket.socket) -> None:
    """Serve exchanges at the door until they cease."""
    keeper = Keeper(*await asyncio.open_connection(sock=relay))
    server = await asyncio.start_unix_server(keeper.exchange, sock=door)
    async with server:
        await keeper.run()


def start(address: str, path: str) -> None:
    """Connect to the relay at ``ip:port`` and detach. Raises OSError."""
    host, _, port = address.rpartition(":")
    relay = socket.create_connection((host, int(port)), CONNECT_TIMEOUT)
    relay.setblocking(False)
    door = socket.socket(socket.AF_UNIX)
    Path(path).unlink(missing_ok=True)
    door.bind(path)
    detach()
    try:
        asyncio.run(keep(relay, door))
    finally:
        Path(path).unlink(missing_ok=True)


def ask(path: str, wait: float, data: bytes) -> str:
    """One exchange with the process left behind: base64, or ``ended``. Raises OSError if it is gone."""
    with socket.socket(socket.AF_UNIX) as door:
        door.settimeout(wait + CONNECT_TIMEOUT)
        door.connect(path)
        door.sendall(REQUEST.pack(wait, len(data)) + data)
        answer = b""
        while True:
            piece = door.recv(ANSWER_LIMIT)
            if not piece:
                return answer.decode()
            answer += piece


def main() -> None:
    """Command line of the script."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", required=True)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("start").add_argument("relay", help="ip:port")
    exchange = verbs.add_parser("exchange")
    exchange.add_argument("wait", type=float)
    exchange.add_argument("data")
    options = parser.parse_args()
    if options.verb == "start":
        start(options.relay, options.socket)
    else:
        sys.stdout.write(ask(options.socket, options.wait, base64.b64decode(options.data)))


if __name__ == "__main__":
    main()
