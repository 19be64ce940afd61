"""Bodies are read at the doors: whole, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, MutableMapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem_bridge.api.bodies import HEAD_BODY, HOST_BODY, read_body
from golem_bridge.errors import TooLargeError
from tests.unit.bridge.bench import Bench
from tests.unit.bridge.clusters.test_close import up
from tests.unit.bridge.doors import Doors

TAGS = "/v1/clusters/demo/nodes/demo-1-head-0001/tags"
LEFT: MutableMapping[str, Any] = {"type": "http.disconnect"}


async def parts(*chunks: bytes) -> AsyncIterator[bytes]:
    """Sent without a length."""
    for chunk in chunks:
        yield chunk


@pytest.mark.parametrize(("door", "most"), [("host", HOST_BODY), ("head", HEAD_BODY)])
@pytest.mark.parametrize("path", [TAGS, "/set_tags", "/v1/clusters", "/nowhere"])
@pytest.mark.parametrize("chunked", [False, True])
async def test_no_door_takes_a_long_body(
    bench: Bench, doors: Doors, door: str, most: int, path: str, chunked: bool
) -> None:
    bench.join("one")
    await bench.start()
    await up(bench)
    body = b"x" * (most + 1)
    content = parts(body[: most // 2], body[most // 2 :]) if chunked else body
    client = doors.host if door == "host" else doors.head("demo-1")
    answer = await client.patch(path, content=content)
    assert answer.status_code == 413
    said = answer.json()["error"]
    assert (said["code"], said["message"].count(" — ")) == ("too_large", 2)
    assert (await client.patch(path, content=body[1:])).status_code != 413


async def test_a_long_body_is_no_business_of_strangers(doors: Doors) -> None:
    assert (await doors.stranger.patch(TAGS, content=b"x" * (HOST_BODY + 1))).status_code == 401


async def test_a_body_in_parts_is_a_body(bench: Bench, doors: Doors) -> None:
    bench.join("one")
    await bench.start()
    await up(bench)
    body = b'{"tags": {"a": "b"}}'
    headers = {"Content-Type": "application/json"}
    answer = await doors.host.patch(TAGS, content=parts(*(bytes([byte]) for byte in body)), headers=headers)
    assert answer.json()["tags"] == {"a": "b"}


class Client:
    """Sends chunks, the last one as the last, and leaves."""

    def __init__(self, chunks: Iterable[bytes], *, stays: bool = True) -> None:
        self._left = list(chunks)
        self._stays = stays

    async def receive(self) -> MutableMapping[str, Any]:
        if not self._left:
            return LEFT
        body = self._left.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(self._left) or not self._stays}


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=20))
def test_routes_get_all_of_it_at_once_and_then_what_follows(chunks: list[bytes]) -> None:
    async def read() -> None:
        receive = await read_body(Client(chunks).receive, most=1000)
        assert await receive() == {"type": "http.request", "body": b"".join(chunks), "more_body": False}
        assert [await receive(), await receive()] == [LEFT, LEFT]

    asyncio.run(read())


async def test_who_leaves_meanwhile_has_left() -> None:
    receive = await read_body(Client([b"a", b"b"], stays=False).receive, most=2)
    assert await receive() == LEFT


async def test_no_more_is_read_than_is_taken() -> None:
    chunk, asked = b"x" * 60_000, 0

    async def endless() -> MutableMapping[str, Any]:
        nonlocal asked
        asked += 1
        return {"type": "http.request", "body": chunk, "more_body": True}

    with pytest.raises(TooLargeError, match="1048576 bytes"):
        await read_body(endless, most=HOST_BODY)
    assert asked == HOST_BODY // len(chunk) + 1
