"""Shows that yagna reorders uploads through its Net API (docs/yagna-reordering.md); needs ``make devnet``.

``python -m tests.bench.reordering [--gated] [--uploads N] [--message BYTES]``; exit code 1 if an upload was reordered.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from typing import Any

import aiohttp

from tests.integration.requestor import START, Requestor, shell

SIZE = 8_000_000
PORT = 7000
IP = "192.168.7.2"
PAUSE = 0.003
"""Seconds between messages of a gated upload, after the pong."""

RECEIVER = f"""
import socket, struct
server = socket.create_server(("", {PORT}))
while True:
    peer, _ = server.accept()
    data, jumps, last = b"", [], -8
    total = 0
    while total < {SIZE}:
        chunk = peer.recv(65536)
        if not chunk: break
        data += chunk; total += len(chunk)
        whole = len(data) // 8 * 8
        for (value,) in struct.iter_unpack(">Q", data[:whole]):
            if value != last + 8: jumps.append((last + 8, value))
            last = value
        data = data[whole:]
    peer.sendall(repr(jumps).encode() + b"\\n")
    peer.close()
"""


async def upload(requestor: Requestor, network_id: str, *, message: int, gated: bool) -> str:
    """Send counters, each of which is its own offset; what the receiver says of jumps."""
    content = b"".join(offset.to_bytes(8, "big") for offset in range(0, SIZE, 8))
    async with requestor.channel(network_id, IP, PORT, autoping=False) as ws:
        pongs: asyncio.Queue[None] = asyncio.Queue()
        said = asyncio.create_task(_answer(ws, pongs))
        for place in range(0, SIZE, message):
            await ws.send_bytes(content[place : place + message])
            if gated:
                await ws.ping()
                await asyncio.wait_for(pongs.get(), 30)
                await asyncio.sleep(PAUSE)
        async with asyncio.timeout(60):
            return await said


async def _answer(ws: aiohttp.ClientWebSocketResponse[Any], pongs: asyncio.Queue[None]) -> str:
    text = b""
    while not text.endswith(b"\n"):
        received = await ws.receive()
        if received.type is aiohttp.WSMsgType.PONG:
            pongs.put_nowait(None)
            continue
        if received.type is aiohttp.WSMsgType.PING:
            await ws.pong(received.data)
            continue
        if received.type is not aiohttp.WSMsgType.BINARY:
            return f"connection lost: {received.type.name}"
        text += received.data
    return text.decode().strip()


async def run(options: argparse.Namespace) -> int:
    """Number of reordered uploads."""
    headers = {"Authorization": f"Bearer {os.environ['YAGNA_APPKEY']}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        requestor = Requestor(session, os.environ["YAGNA_API_URL"])
        async with requestor.network() as network_id, requestor.rented(options.provider) as rental:
            join = await requestor.join(network_id, [(IP, rental)], rental)
            serve = f"nohup python3 -c '{RECEIVER}' >/tmp/receiver.log 2>&1 & sleep 2"
            results = await requestor.execute(rental, join, START, shell(serve))
            assert results[-1]["result"] == "Ok", results
            wrong = 0
            for number in range(options.uploads):
                said = await upload(requestor, network_id, message=options.message, gated=options.gated)
                wrong += said != "[]"
                print(f"upload {number + 1}: {'in order' if said == '[]' else f'REORDERED {said[:200]}'}", flush=True)
            return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gated", action="store_true", help="one message at a time")
    parser.add_argument("--uploads", type=int, default=5)
    parser.add_argument("--message", type=int, default=16384, help="bytes")
    parser.add_argument("--provider", default="alder")
    return 1 if asyncio.run(run(parser.parse_args())) else 0


if __name__ == "__main__":
    sys.exit(main())
