"""The hub and its clients over real sockets: who gets a call, who may have a name, and that nothing changes places."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from golem_devnet.net.bus import BusClient, BusError
from golem_devnet.net.hub import Hub
from golem_devnet.net.wire import Message, encode, pack, unpack
from tests.unit.devnet.waiting import until


class Client(BusClient):
    """Remembers what kinds of messages it got."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds: list[int] = []

    def _handle(self, kind: int, body: bytes) -> None:
        self.kinds.append(kind)
        super()._handle(kind, body)


Connect = Callable[[str], Awaitable[Client]]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Clients of one hub."""
    server = await Hub().serve("127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    clients: list[Client] = []

    async def make(name: str) -> Client:
        client = await Client.connect(f"tcp://127.0.0.1:{port}", name)
        clients.append(client)
        return client

    yield make
    for client in clients:
        await client.close()
    server.close()


def says(word: str) -> Callable[[str, str, bytes], Awaitable[bytes]]:
    async def answer(caller: str, address: str, body: bytes) -> bytes:
        return pack({"Ok": [word, caller, address, unpack(body)]})

    return answer


async def never(_caller: str, _address: str, _body: bytes) -> bytes:
    raise AssertionError("nobody should call here")


async def test_the_longest_prefix_wins(connect: Connect) -> None:
    daemon, agent, caller = await connect("daemon"), await connect("agent"), await connect("caller")
    await daemon.bind("/net/0xa", says("daemon"))
    await agent.bind("/net/0xa/vpn/1", says("agent"))
    assert await caller.call("/net/0xa/exeunit/1/Exec", {"a": 1}, caller="0xb") == [
        *("daemon", "0xb", "/net/0xa/exeunit/1/Exec", {"a": 1})
    ]
    assert (await caller.call("/net/0xa/vpn/1/VpnControl", None))[0] == "agent"
    assert (await caller.call("/net/0xa/vpn/12/VpnControl", None))[0] == "daemon", "prefixes end at a slash"
    await agent.unbind("/net/0xa/vpn/1")
    assert (await caller.call("/net/0xa/vpn/1/VpnControl", None))[0] == "daemon"


async def test_an_unknown_address_is_refused_at_once(connect: Connect) -> None:
    with pytest.raises(BusError, match="endpoint address not found"):
        await (await connect("caller")).call("/net/0xnobody/exeunit/1/Exec", {})


async def test_a_name_has_one_owner_until_it_leaves(connect: Connect) -> None:
    first, second = await connect("first"), await connect("second")
    await first.bind("/net/0xa", says("first"))
    with pytest.raises(BusError, match="409"):
        await second.bind("/net/0xa", says("second"))
    assert (await second.call("/net/0xa/x", None))[0] == "first"
    await first.close()
    async with asyncio.timeout(10):
        while True:
            try:
                await second.bind("/net/0xa", says("second"))
                break
            except BusError:  # the hub has not seen the end yet
                await asyncio.sleep(0.01)
    assert (await second.call("/net/0xa/x", None))[0] == "second"


async def test_waiting_calls_fail_when_the_connection_ends(connect: Connect) -> None:
    silent, caller = await connect("silent"), await connect("caller")

    async def hang(_caller: str, _address: str, _body: bytes) -> bytes:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    await silent.bind("/net/0xa", hang)
    call = asyncio.create_task(caller.call("/net/0xa/x", None))
    await asyncio.sleep(0.05)
    answered: list[bool] = []
    caller.send_raw("/net/0xa/vpn/1/raw", b"frame", caller="0xb", answered=lambda: answered.append(True))
    await caller.close()
    with pytest.raises(BusError, match="closed"):
        await call
    with pytest.raises(BusError, match="closed"):
        await caller.call("/net/0xa/x", None)
    assert answered == [True], "a window must not stay shut"


async def test_garbage_ends_the_connection_and_nothing_else(connect: Connect) -> None:
    good, bad = await connect("good"), await connect("bad")
    await good.bind("/net/0xa", says("good"))
    bad._link.send_frame(b"\xff\xff\xff\xff garbage")
    async with asyncio.timeout(10):
        await bad.closed.wait()
    assert (await good.call("/net/0xa/x", None))[0] == "good"


async def test_broadcasts_reach_subscribers(connect: Connect) -> None:
    """Daemons speak this part; agents do not."""
    one, other = await connect("one"), await connect("other")
    one._link.send_frame(encode(Message.SUBSCRIBE, f1="offers"))
    await until(lambda: Message.SUBSCRIBED in one.kinds)
    other._link.send_frame(encode(Message.BROADCAST, f1="0xb", f2=b"an offer", f3="offers"))
    await until(lambda: Message.BROADCAST in one.kinds and Message.BROADCASTED in other.kinds)
    assert Message.BROADCAST not in other.kinds


async def test_frames_keep_their_order_and_content_both_ways(connect: Connect) -> None:
    """Many at once in both directions, beside typed calls: what arrives is what was sent."""
    dice = random.Random(7)
    ends = {"0xa": await connect("0xa"), "0xb": await connect("0xb")}
    sent = {
        name: [n.to_bytes(4, "big") + dice.randbytes(dice.randrange(60, 1400)) for n in range(4000)] for name in ends
    }
    arrived: dict[str, list[bytes]] = {name: [] for name in ends}
    callers: set[str] = set()

    def take(name: str) -> Callable[[str, bytes], None]:
        def on_raw(caller: str, frame: bytes) -> None:
            callers.add(caller)
            arrived[name].append(frame)

        return on_raw

    for name, client in ends.items():
        await client.bind(f"/net/{name}/vpn/1", never, raw=take(name))
        await client.bind(f"/net/{name}/public", says(name))

    async def send(name: str, other: str) -> None:
        window = asyncio.Semaphore(100)
        for frame in sent[name]:
            await window.acquire()
            ends[name].send_raw(f"/net/{other}/vpn/1/raw", frame, caller=name, answered=window.release)

    async def chat() -> None:
        for _ in range(50):
            assert (await ends["0xa"].call("/net/0xb/public/x", None))[0] == "0xb"

    async with asyncio.timeout(60):
        await asyncio.gather(send("0xa", "0xb"), send("0xb", "0xa"), chat())
    await until(lambda: min(map(len, arrived.values())) >= 4000)
    assert arrived["0xb"] == sent["0xa"]
    assert arrived["0xa"] == sent["0xb"]
    assert callers == set(ends)
