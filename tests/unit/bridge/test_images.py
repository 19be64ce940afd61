"""Looking images up. A registry on a real socket, as the wire is the subject."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from golem_bridge.errors import InputError, MarketError
from golem_bridge.market import images
from golem_bridge.market.images import Image, ImageRegistry
from golem_bridge.market.requirements import DemandSpec

TAG = DemandSpec(image_tag="golem/ray:1")
HASH = DemandSpec(image_hash="abc")
INFO = {"http": "http://registry/image", "sha3": "0" * 56}


class Registry:
    """Answers what a test told it to, and remembers the questions."""

    def __init__(self) -> None:
        self.answer = web.json_response(INFO)
        self.asked: list[dict[str, str]] = []

    async def info(self, request: web.Request) -> web.Response:
        self.asked.append(dict(request.query))
        return self.answer


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
async def client(registry: Registry) -> AsyncIterator[ImageRegistry]:
    app = web.Application()
    app.router.add_get("/v1/image/info", registry.info)
    async with TestServer(app) as server:
        yield ImageRegistry(f"{server.make_url('/')}")


async def test_a_tag_is_asked_for_once(registry: Registry, client: ImageRegistry) -> None:
    expected = Image(url="http://registry/image", sha3="0" * 56)
    assert [await client.resolve(TAG), await client.resolve(TAG)] == [expected, expected]
    assert registry.asked == [{"tag": "golem/ray:1", "count": "false"}]


async def test_a_hash_is_asked_for_as_one(registry: Registry, client: ImageRegistry) -> None:
    await client.resolve(HASH)
    assert registry.asked == [{"hash": "abc", "count": "false"}]


async def test_an_unknown_image_is_the_users_mistake_and_is_asked_for_again(
    registry: Registry, client: ImageRegistry
) -> None:
    registry.answer = web.Response(status=404)
    with pytest.raises(InputError, match=r"Unknown image: tag 'golem/ray:1'.* answers 404"):
        await client.resolve(TAG)
    registry.answer = web.json_response(INFO)
    assert (await client.resolve(TAG)).sha3 == "0" * 56


@pytest.mark.parametrize("status", [302, 500, 503])
async def test_a_registry_in_trouble_is_not_the_users_mistake(
    registry: Registry, client: ImageRegistry, status: int
) -> None:
    registry.answer = web.Response(status=status)
    with pytest.raises(MarketError, match=f"answers {status}"):
        await client.resolve(TAG)


@pytest.mark.parametrize("body", ["", "<html>", "[]", "null", '{"http": "x"}'])
async def test_a_registry_that_talks_nonsense_is_named(registry: Registry, client: ImageRegistry, body: str) -> None:
    registry.answer = web.Response(text=body)
    with pytest.raises(MarketError, match=r"The registry http://127\.0\.0\.1"):
        await client.resolve(TAG)


async def test_a_registry_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "TRIES", 1)
    with pytest.raises(MarketError, match=r"Cannot look up image tag 'golem/ray:1' — http://127\.0\.0\.1:1"):
        await ImageRegistry("http://127.0.0.1:1/").resolve(TAG)
