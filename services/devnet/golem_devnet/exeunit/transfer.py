"""``transfer``: files into a node, out of it and within it. ``http(s):`` is the world, ``container:`` the node.

The provider moves the bytes, as ya exe-unit does, so a node needs no network of its own for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import aiohttp

CHUNK = 256 * 1024
TIMEOUT = aiohttp.ClientTimeout(total=3600, sock_connect=10, sock_read=60)
WRITE = 'mkdir -p -- "$(dirname -- "$1")" && cat > "$1"'


class TransferError(Exception):
    """The file was not moved; the message says which and why."""


class Node(Protocol):
    """A running node's programs."""

    async def popen(
        self, program: str, *arguments: str, reads: bool = False, writes: bool = False
    ) -> asyncio.subprocess.Process:
        """Start a program in the node whose input is ours to write, whose output is ours to read."""


@dataclass(frozen=True)
class Place:
    """One end of a transfer."""

    scheme: str
    path: str
    url: str

    @property
    def is_node(self) -> bool:
        return self.scheme == "container"

    @classmethod
    def parse(cls, arguments: Mapping[str, Any], key: str) -> Place:
        """``arguments[key]``. Raises TransferError."""
        url = arguments.get(key)
        if not isinstance(url, str):
            raise TransferError(f"transfer names no {key!r}")
        parts = urlsplit(url)
        if parts.scheme not in {"container", "http", "https"}:
            raise TransferError(f"{url!r} cannot be used — this devnet moves http:, https: and container: only")
        path = unquote(parts.path)
        if parts.scheme == "container" and (not path.startswith("/") or path.endswith("/")):
            raise TransferError(f"{url!r} is no absolute path of a file — write container:/folder/file")
        return cls(parts.scheme, path, url)


async def transfer(node: Node, arguments: Mapping[str, Any]) -> None:
    """Carry out a ``transfer`` command's arguments. Raises TransferError."""
    for key in ("format", "fileset"):
        if arguments.get(key):
            raise TransferError(f"transfer of folders is not offered by this devnet (asked: {key})")
    source, target = Place.parse(arguments, "from"), Place.parse(arguments, "to")
    try:
        async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
            reading = _read_node(node, source) if source.is_node else _get(session, source)
            async with aclosing(reading) as content:
                if target.is_node:
                    await _write_node(node, target, content)
                else:
                    await _put(session, target, content)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise TransferError(f"{source.url} to {target.url}: {error or 'no answer'}") from error


async def _get(session: aiohttp.ClientSession, place: Place) -> AsyncGenerator[bytes, None]:
    async with session.get(place.url) as answer:
        if answer.status != 200:
            raise TransferError(f"{place.url} answers {answer.status} {answer.reason}")
        async for chunk in answer.content.iter_chunked(CHUNK):
            yield chunk


async def _put(session: aiohttp.ClientSession, place: Place, content: AsyncIterator[bytes]) -> None:
    async with session.put(place.url, data=content) as answer:
        if answer.status >= 300:
            raise TransferError(f"{place.url} answers {answer.status} {answer.reason}")


async def _read_node(node: Node, place: Place) -> AsyncGenerator[bytes, None]:
    process = await node.popen("cat", "--", place.path, writes=True)
    assert process.stdout is not None
    try:
        while chunk := await process.stdout.read(CHUNK):
            yield chunk
        await _ended_well(process, place)
    finally:
        await _end(process)


async def _write_node(node: Node, place: Place, content: AsyncIterator[bytes]) -> None:
    """The first chunk comes before the file is touched: a source that fails leaves no file."""
    first = await anext(content, b"")
    process = await node.popen("sh", "-c", WRITE, "sh", place.path, reads=True)
    assert process.stdin is not None
    try:
        process.stdin.write(first)
        async for chunk in content:
            process.stdin.write(chunk)
            try:
                await process.stdin.drain()
            except ConnectionError:  # it has ended; below it says why
                break
        process.stdin.close()
        await _ended_well(process, place)
    finally:
        await _end(process)


async def _ended_well(process: asyncio.subprocess.Process, place: Place) -> None:
    assert process.stderr is not None
    said = (await process.stderr.read(CHUNK)).decode(errors="replace").strip()
    if await process.wait() != 0:
        raise TransferError(f"{place.url}: {said[-300:]}")


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.communicate()
