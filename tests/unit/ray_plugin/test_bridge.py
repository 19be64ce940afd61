"""The bridge's client, over real connections."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path

import pytest

from ray_on_golem.bridge import HEAD_PATIENCE, Bridge
from ray_on_golem.errors import BridgeDownError, RayOnGolemError
from ray_on_golem.place import Place, find_place
from tests.unit.ray_plugin.bridge_server import Answer, BridgeServer


@pytest.fixture
def client(server: BridgeServer) -> Bridge:
    return Bridge(find_place({}))


class Naps:
    """A clock that sleeping moves; ``wake`` runs at the end of each nap."""

    def __init__(self) -> None:
        self.now = 0.0
        self.naps = 0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.naps += 1


def head_client(port: int, naps: Naps) -> Bridge:
    return Bridge(Place(port, None), clock=naps.clock, sleep=naps.sleep)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_requests_share_a_connection_and_carry_the_token(client: Bridge, server: BridgeServer) -> None:
    server.answers += [Answer.json({"ready": True}), Answer.json({"clusters": [{"name": "one"}]})]
    assert client.ready() == {"ready": True}
    assert client.clusters() == {"clusters": [{"name": "one"}]}
    assert [asked.token for asked in server.asked] == ["Bearer secret"] * 2
    assert server.connections == 1


def test_what_is_sent(client: Bridge, server: BridgeServer) -> None:
    server.answers += [Answer(), Answer.json({"nodes": []}), Answer.json({"nodes": []}), Answer(), Answer(), Answer()]
    client.open_cluster("a b", {"total_budget": "5"})
    client.request_nodes("one", "worker", 2, {"k": "v"})
    client.terminate("one", ["n1", "n2"])
    client.tag("one", "n1", {"k": "v"})
    client.wait_for_node("one", "n1", seconds=2, message_seen="a & b")
    client.close_cluster("one")
    assert [(asked.method, asked.path, asked.body) for asked in server.asked] == [
        ("PUT", "/v1/clusters/a%20b", {"total_budget": "5"}),
        ("POST", "/v1/clusters/one/nodes", {"node_type": "worker", "count": 2, "tags": {"k": "v"}}),
        ("POST", "/v1/clusters/one/nodes/terminate", {"node_ids": ["n1", "n2"]}),
        ("PATCH", "/v1/clusters/one/nodes/n1/tags", {"tags": {"k": "v"}}),
        ("GET", "/v1/clusters/one/nodes/n1?wait=2&until=running&message_after=a+%26+b", None),
        ("POST", "/v1/clusters/one/close", {}),
    ]


def test_each_thread_has_its_own_connection(client: Bridge, server: BridgeServer) -> None:
    client.ready()
    thread = threading.Thread(target=client.ready)
    thread.start()
    thread.join(5)
    assert (len(server.asked), server.connections) == (2, 2)


def test_a_connection_closed_meanwhile_is_opened_anew(client: Bridge, server: BridgeServer) -> None:
    server.answers += [Answer(hang_up="after"), Answer.json({"ready": True})]
    client.ready()
    assert client.ready() == {"ready": True}
    assert server.connections == 2


def test_a_new_connection_that_breaks_is_not_tried_again(client: Bridge, server: BridgeServer) -> None:
    server.answers += [Answer(hang_up="instead")]
    with pytest.raises(BridgeDownError, match="make up"):
        client.ready()
    assert len(server.asked) == 1


def test_asking_for_nodes_is_never_repeated(client: Bridge, server: BridgeServer) -> None:
    """An old connection may break after the request came through: the nodes may be rented already."""
    server.answers += [Answer(), Answer(hang_up="instead")]
    client.ready()
    with pytest.raises(BridgeDownError):
        client.request_nodes("one", "worker", 1, {})
    assert [asked.method for asked in server.asked] == ["GET", "POST"]


def test_a_refusal_is_the_bridges_sentence(client: Bridge, server: BridgeServer) -> None:
    server.answers += [Answer.error(409, "budget", "Too little — raise it"), Answer()]
    with pytest.raises(RayOnGolemError) as caught:
        client.ready()
    assert (caught.value.message, caught.value.code, caught.value.status) == ("Too little — raise it", "budget", 409)
    client.ready()
    assert server.connections == 1


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"error": "text"}', b'{"error": {"code": "x"}}', b"\xff"])
def test_a_refusal_in_another_shape_is_shown(client: Bridge, server: BridgeServer, body: bytes) -> None:
    server.answers.append(Answer(502, body))
    with pytest.raises(RayOnGolemError, match=r"The bridge answers 502 — .*see: docker compose logs bridge"):
        client.ready()


@pytest.mark.parametrize("body", [b"<html>", b"", b"3"])
def test_another_program_at_the_port_is_told(client: Bridge, server: BridgeServer, body: bytes) -> None:
    server.answers.append(Answer(200, body))
    with pytest.raises(RayOnGolemError, match=f"What answers at 127.0.0.1:{server.port} is not the bridge"):
        client.ready()


def test_a_wrong_token_names_its_file(client: Bridge, server: BridgeServer, token_file: Path) -> None:
    server.answers.append(Answer.error(401, "unauthorized", "Not authorized — the token is wrong"))
    with pytest.raises(RayOnGolemError) as caught:
        client.ready()
    assert caught.value.message == f"Not authorized — the token is wrong (used: {token_file})"


def test_a_token_made_anew_is_used_at_once(client: Bridge, server: BridgeServer, token_file: Path) -> None:
    client.ready()
    token_file.write_text("other", encoding="utf-8")
    client.ready()
    assert [asked.token for asked in server.asked] == ["Bearer secret", "Bearer other"]


def test_a_bridge_that_is_down_is_told_with_the_command_that_starts_it(token_file: Path) -> None:
    port = closed_port()
    with pytest.raises(BridgeDownError) as caught:
        Bridge(Place(port, token_file)).ready()
    assert caught.value.message == (
        f"The bridge at 127.0.0.1:{port} does not answer (connection refused) — start the appliance: make up"
    )
    assert caught.value.code == "bridge_down"


def test_the_market_may_be_unknown(client: Bridge, server: BridgeServer) -> None:
    server.answers += [Answer.error(404, "bad_input", "Not Found"), Answer.error(500, "internal", "broken")]
    assert client.market("one") is None
    with pytest.raises(RayOnGolemError, match="broken"):
        client.market("one")


def test_a_head_sends_no_token_and_waits_for_its_tunnel() -> None:
    naps = Naps()
    with BridgeServer() as server:
        server.answers += [Answer(hang_up="instead"), Answer(hang_up="instead"), Answer.json({"nodes": [7]})]
        assert head_client(server.port, naps).cluster("one") == {"nodes": [7]}
        assert [asked.token for asked in server.asked] == [None] * 3
    assert naps.naps == 2


def test_a_heads_patience_ends() -> None:
    naps = Naps()
    with pytest.raises(BridgeDownError, match="The tunnel to the bridge"):
        head_client(closed_port(), naps).cluster("one")
    assert naps.now == HEAD_PATIENCE


def test_a_head_asks_for_nodes_once() -> None:
    naps = Naps()
    with BridgeServer() as server:
        server.answers.append(Answer(hang_up="instead"))
        with pytest.raises(BridgeDownError):
            head_client(server.port, naps).request_nodes("one", "worker", 1, {})
        assert len(server.asked) == 1
    assert naps.naps == 0


def test_the_host_does_not_wait(token_file: Path) -> None:
    naps = Naps()
    client = Bridge(Place(closed_port(), token_file), clock=naps.clock, sleep=naps.sleep)
    with pytest.raises(BridgeDownError):
        client.ready()
    assert naps.naps == 0


def test_long_answers_come_whole(client: Bridge, server: BridgeServer) -> None:
    nodes = [{"node_id": f"node-{number}"} for number in range(20_000)]
    server.answers.append(Answer(200, json.dumps({"nodes": nodes}).encode()))
    assert client.cluster("one")["nodes"] == nodes


def test_an_interrupted_request_does_not_spoil_the_next(client: Bridge, server: BridgeServer) -> None:
    """Ctrl-C while waiting: the cluster is closed over the same connection."""
    client.ready()
    client._local.connection.request("GET", "/interrupted")
    assert client.ready() == {}
    assert [asked.path for asked in server.asked if asked.path != "/interrupted"] == ["/v1/health/ready"] * 2
    assert client.ready() == {}
