"""Which way leads to a node."""

from __future__ import annotations

import asyncio

import pytest

from golem_bridge.clusters.links import NodeLinks
from golem_bridge.errors import GolemError, NodeUnreachableError
from golem_bridge.relay import LinkPool
from tests.unit.bridge.bench import Bench
from tests.unit.bridge.clusters.test_close import up


async def test_without_the_vpn_the_node_is_asked_through_its_exe_unit(bench: Bench) -> None:
    """The memory Golem's exe-unit prints nothing, so no relay greets: that it was asked is what counts here."""
    bench.join("one")
    await bench.start()
    (head,) = await up(bench)
    scripts = bench.golem.world.activity(bench.contract(head).activity_id or "").scripts
    before = len(scripts)
    bench.golem.restart()
    links = NodeLinks(golem=bench.golem, books=bench.books)
    with pytest.raises(NodeUnreachableError, match="did not greet"):
        await links.connect(bench.books.nodes.get(head), 22)
    with pytest.raises(NodeUnreachableError, match="only ssh is led around it"):
        await links.connect(bench.books.nodes.get(head), 8090)
    assert links.last_heard(head) is None, "nobody asks a detoured worker, so silence says nothing"
    await links.close()
    assert len(scripts) > before
    assert "detour.py" in str(scripts[before])
    assert "yagna lost the VPN" in bench.books.nodes.get(head).message


async def test_with_the_vpn_the_exe_unit_is_left_alone(bench: Bench) -> None:
    bench.join("one", ports={4579})
    await bench.start()
    (head,) = await up(bench)
    scripts = bench.golem.world.activity(bench.contract(head).activity_id or "").scripts
    before = len(scripts)
    links = NodeLinks(golem=bench.golem, books=bench.books)
    with pytest.raises(NodeUnreachableError):  # the memory Golem echoes, which is no greeting
        async with asyncio.timeout(60):
            await links.connect(bench.books.nodes.get(head), 22)
    await links.close()
    assert len(scripts) == before


async def test_a_node_without_a_link_was_heard_of_last_when_the_bridge_started(bench: Bench) -> None:
    links = NodeLinks(golem=bench.golem, books=bench.books)
    began = bench.books.clock.now()
    await asyncio.sleep(300)
    assert links.last_heard("demo-1-head-0001") == began


async def test_a_node_with_a_link_was_heard_of_when_its_relay_last_said_something(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    links, clock = NodeLinks(golem=bench.golem, books=bench.books), bench.books.clock
    said, then = clock.monotonic(), clock.now()
    monkeypatch.setattr(LinkPool, "heard_at", lambda _pool, _key: said)
    await asyncio.sleep(7)
    assert links.last_heard("demo-1-head-0001") == then


async def test_without_the_vpn_a_node_that_is_gone_is_not_reached(bench: Bench) -> None:
    bench.join("one")
    await bench.start()
    (head,) = await up(bench)
    bench.golem.restart()
    bench.golem.world.end_activity(bench.golem.world.activity(bench.contract(head).activity_id or ""))
    links = NodeLinks(golem=bench.golem, books=bench.books)
    with pytest.raises(GolemError, match="Terminated"):
        await links.connect(bench.books.nodes.get(head), 22)
