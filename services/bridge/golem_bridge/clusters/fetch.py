"""One HTTP GET over a stream to a node. The node is a stranger's machine: its answer is bounded in size and time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import h11

from golem_bridge.errors import NodeUnreachableError
from golem_bridge.relay import Stream

MAX_BODY = 8 << 20
"""Bytes; a busy head's metrics are a few hundred thousand."""

MAX_HEAD = 16 * 1024
CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Fetched:
    """A 200's body, as encoded by the node."""

    body: bytes
    content_type: str
    content_encoding: str | None


async def fetch(stream: Stream, path: str, *, accept: str, gzip: bool, timeout: float) -> Fetched:
    """Raises NodeUnreachableError for anything but a complete 200 within ``timeout`` seconds."""
    try:
        async with asyncio.timeout(timeout):
            return await _fetch(stream, path, accept=accept, gzip=gzip)
    except TimeoutError as error:
        raise NodeUnreachableError(
            f"Cannot read {path} — no whole answer in {timeout:g} s — see: ray status"
        ) from error
    except (h11.ProtocolError, ConnectionError) as error:
        raise NodeUnreachableError(f"Cannot read {path} — {error} — see: ray status") from error


async def _fetch(stream: Stream, path: str, *, accept: str, gzip: bool) -> Fetched:
    connection = h11.Connection(our_role=h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
    headers = [("Host", "127.0.0.1"), ("Connection", "close"), ("Accept", accept)]
    if gzip:
        headers.append(("Accept-Encoding", "gzip"))
    request = connection.send(h11.Request(method="GET", target=path, headers=headers))
    await stream.write((request or b"") + (connection.send(h11.EndOfMessage()) or b""))
    response = await _next(connection, stream)
    if not isinstance(response, h11.Response) or response.status_code != 200:
        status = getattr(response, "status_code", "none")
        raise NodeUnreachableError(f"Cannot read {path} — the node answers {status}, not 200 — see: ray status")
    body = bytearray()
    while isinstance(event := await _next(connection, stream), h11.Data):
        body += event.data
        if len(body) > MAX_BODY:
            raise NodeUnreachableError(f"Cannot read {path} — more than {MAX_BODY} bytes — see: ray status")
    if not isinstance(event, h11.EndOfMessage):
        raise NodeUnreachableError(f"Cannot read {path} — the answer is cut off — see: ray status")
    found = {name.decode("latin-1"): value.decode("latin-1") for name, value in response.headers}
    return Fetched(
        body=bytes(body),
        content_type=found.get("content-type", "text/plain"),
        content_encoding=found.get("content-encoding"),
    )


async def _next(connection: h11.Connection, stream: Stream) -> object:
    """The next event that is not merely informational."""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await stream.read(CHUNK))
        elif not isinstance(event, h11.InformationalResponse):
            return event
