"""VPNs and channels to ports of nodes, also of such as do not answer."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import WSMsgType, web

from golem_bridge.errors import GolemError, NodeUnreachableError, NotFoundError
from tests.unit.golem.conftest import Bench
from tests.unit.golem.fake_yagna import refusal

pytestmark = pytest.mark.filterwarnings("ignore:path is deprecated:DeprecationWarning")

CHANNEL = "GET /net-api/v2/vpn/net/n/tcp/192.168.0.3/22"


@pytest.mark.parametrize(
    ("status", "kind"), [(400, NodeUnreachableError), (504, NodeUnreachableError), (403, NotFoundError)]
)
async def test_ports_that_do_not_answer(bench: Bench, status: int, kind: type[GolemError]) -> None:
    bench.yagna.on(CHANNEL, web.Response(status=status))
    with pytest.raises(kind):
        await bench.golem.open_channel("n", ip="192.168.0.3", port=22, timeout=5)


async def test_a_handshake_that_hangs(bench: Bench) -> None:
    async def hang(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(1)
        return web.Response()

    bench.yagna.on(CHANNEL, hang)
    with pytest.raises(NodeUnreachableError, match="no answer"):
        await bench.golem.open_channel("n", ip="192.168.0.3", port=22, timeout=0.05)


async def test_a_channel_carries_messages_of_any_size_until_it_ends(bench: Bench) -> None:
    async def echo(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        await socket.ping(b"are you there")
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                await socket.send_str("noise")
                await socket.send_bytes(b"")
                await socket.send_bytes(message.data)
                if message.data == b"bye":
                    break
        await socket.close()
        return socket

    bench.yagna.on(CHANNEL, echo)
    channel = await bench.golem.open_channel("n", ip="192.168.0.3", port=22, timeout=5)
    big = bytes(8 * 2**20)
    for piece in (b"hello", big, b"bye"):
        await channel.send(piece)
        assert await channel.receive() == piece
    with pytest.raises(ConnectionError, match=r"port 22 of 192\.168\.0\.3"):
        await channel.receive()
    with pytest.raises(ConnectionError):
        await channel.send(b"too late")
    await channel.close()
    await channel.close()


async def test_networks_are_taken_back_when_they_cannot_be_finished(bench: Bench) -> None:
    bench.yagna.on("POST /net-api/v1/net", web.json_response({"id": "n", "ip": "x", "mask": "y", "gateway": "z"}))
    bench.yagna.on("POST /net-api/v1/net/n/addresses", refusal(400, "taken"))
    bench.yagna.on("DELETE /net-api/v1/net/n", web.json_response(None))
    with pytest.raises(GolemError, match="taken"):
        await bench.golem.create_network(address="192.168.0.0", mask="255.255.0.0", requestor_ip="192.168.0.1")
    assert bench.yagna.requests[-1].method == "DELETE"
