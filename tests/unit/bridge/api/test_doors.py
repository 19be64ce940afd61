"""Who may come in: token and Host on every route and method, heads to their own cluster only."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
from fastapi.routing import APIRoute
from starlette.types import ASGIApp

from golem_bridge.api import v1
from golem_bridge.api.doors import HeadDoor, HostDoor, _host_name
from tests.unit.bridge.bench import Bench
from tests.unit.bridge.clusters.test_close import up
from tests.unit.bridge.doors import METRICS_TOKEN, TOKEN, Doors
from tests.unit.bridge.samples import spec

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE")
HOST = "/v1/clusters"


@pytest.mark.parametrize("method", METHODS)
async def test_no_method_gets_in_without_the_token(doors: Doors, method: str) -> None:
    for path in ("/", HOST, "/v1/health/live", "/metrics", "/docs", "/openapi.json", "/nowhere"):
        answer = await doors.stranger.request(method, path)
        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"] == "Bearer"
        if method != "HEAD":
            assert answer.json()["error"]["code"] == "unauthorized"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[::1]", "evil.example:4578"])
async def test_no_method_gets_in_under_a_foreign_host(doors: Doors, method: str, host: str) -> None:
    answer = await doors.host.request(method, HOST, headers={"Host": host})
    assert answer.status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:4578", "localhost:9", "LOCALHOST", "bridge:4578"])
async def test_allowed_hosts_are_served_whatever_the_port(doors: Doors, host: str) -> None:
    assert (await doors.host.get(HOST, headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1], TOKEN + "t", TOKEN.upper(), "Bearer", "\xff" * 40])
async def test_a_wrong_token_is_none(doors: Doors, token: str) -> None:
    header = [(b"Host", b"127.0.0.1"), (b"Authorization", b"Bearer " + token.encode("latin-1"))]
    answer = await doors.stranger.get(HOST, headers=header)
    assert answer.status_code == 401
    assert TOKEN not in answer.text


async def test_the_metrics_token_opens_the_metrics_only(doors: Doors) -> None:
    assert (await doors.prometheus.get("/metrics")).status_code == 200
    for path in (HOST, "/v1/health/ready", "/metrics/", "/metrics/../v1/clusters", "//metrics"):
        assert (await doors.prometheus.get(path)).status_code == 401, path
    assert (await doors.host.get("/metrics")).status_code == 200
    assert METRICS_TOKEN != TOKEN


def test_host_names_are_cut_out_of_the_header() -> None:
    assert [_host_name(raw) for raw in ("A:1", "[::1]:80", "a", "", "a:b:c")] == ["a", "::1", "a", "", "a"]


# heads


OWN_ONLY = {
    ("GET", "/v1/clusters/{name}"),
    ("POST", "/v1/clusters/{name}/nodes"),
    ("POST", "/v1/clusters/{name}/nodes/terminate"),
    ("GET", "/v1/clusters/{name}/nodes/{node_id}"),
    ("PATCH", "/v1/clusters/{name}/nodes/{node_id}/tags"),
}
FORBIDDEN = {
    ("GET", "/v1/clusters"),
    ("PUT", "/v1/clusters/{name}"),
    ("POST", "/v1/clusters/{name}/close"),
    ("GET", "/v1/clusters/{name}/bill"),
    ("GET", "/v1/clusters/{name}/history"),
    ("GET", "/v1/appliance"),
    ("GET", "/v1/wallet"),
    ("GET", "/v1/health/live"),
    ("GET", "/v1/health/ready"),
    ("GET", "/metrics"),
    ("GET", "/v1/events"),
}
BODIES: dict[str, dict[str, object]] = {
    "/v1/clusters/{name}": spec().model_dump(mode="json"),
    "/v1/clusters/{name}/nodes": {"node_type": "worker", "count": 1, "tags": {}},
    "/v1/clusters/{name}/nodes/terminate": {"node_ids": ["x"]},
    "/v1/clusters/{name}/nodes/{node_id}/tags": {"tags": {"a": "b"}},
}


def v1_routes() -> Iterator[tuple[str, str]]:
    for route in v1.router.routes:
        assert isinstance(route, APIRoute)
        for method in route.methods or ():
            yield method, route.path


def test_every_route_is_either_the_heads_or_forbidden() -> None:
    assert set(v1_routes()) <= OWN_ONLY | FORBIDDEN


@pytest.mark.parametrize(("method", "path"), sorted(FORBIDDEN))
async def test_a_head_is_kept_out_of(bench: Bench, doors: Doors, method: str, path: str) -> None:
    bench.join("one")
    await bench.start()
    await up(bench)
    before = bench.service.get("demo")
    answer = await doors.head("demo-1").request(method, path.format(name="demo"), json=BODIES.get(path))
    assert answer.status_code == 403, answer.text
    assert answer.json()["error"]["code"] == "forbidden"
    assert bench.service.get("demo") == before


@pytest.mark.parametrize(("method", "path"), sorted(OWN_ONLY))
@pytest.mark.parametrize("name", ["other", "nobody", "demo-1", "DEMO"])
async def test_a_head_sees_no_other_cluster(bench: Bench, doors: Doors, method: str, path: str, name: str) -> None:
    bench.join("one", "two")
    await bench.start()
    await up(bench)
    (other,) = await up(bench, name="other")
    address = path.format(name=name, node_id=other)
    answer = await doors.head("demo-1").request(method, address, json=BODIES.get(path))
    assert answer.status_code == 403
    assert bench.books.nodes.get(other).tags == {}
    assert len(bench.books.nodes.of_cluster("other-1")) == 1


async def test_a_head_reaches_no_node_of_another_cluster_through_its_own(bench: Bench, doors: Doors) -> None:
    bench.join("one", "two")
    await bench.start()
    await up(bench)
    (other,) = await up(bench, name="other")
    head = doors.head("demo-1")
    assert (await head.get(f"/v1/clusters/demo/nodes/{other}")).status_code == 404
    assert (await head.patch(f"/v1/clusters/demo/nodes/{other}/tags", json={"tags": {"a": "b"}})).status_code == 404
    answer = await head.post("/v1/clusters/demo/nodes/terminate", json={"node_ids": [other]})
    assert answer.json() == {"nodes": []}
    assert bench.state(other) == "running"


async def test_a_head_stays_within_its_limits(bench: Bench, doors: Doors) -> None:
    bench.join("one")
    await bench.start()
    await up(bench, max_workers=1)
    head = doors.head("demo-1")
    body = {"node_type": "worker", "count": 2, "tags": {}}
    assert (await head.post("/v1/clusters/demo/nodes", json=body)).json()["error"]["code"] == "over_limit"
    assert (await head.post("/v1/clusters/demo/nodes", json={**body, "node_type": "head"})).status_code == 409
    assert len(bench.books.nodes.of_cluster("demo-1")) == 1


async def test_a_head_of_an_older_incarnation_sees_nothing(bench: Bench, doors: Doors) -> None:
    bench.join("one")
    await bench.start()
    await up(bench)
    bench.service.close("demo")
    bench.join("two")
    await up(bench)
    assert (await doors.head("demo-1").get("/v1/clusters/demo")).status_code == 403
    assert (await doors.head("demo-2").get("/v1/clusters/demo")).status_code == 200


async def test_a_heads_token_and_host_mean_nothing(bench: Bench, doors: Doors) -> None:
    """The door is the identity: showing the user's token there opens nothing more."""
    bench.join("one")
    await bench.start()
    await up(bench)
    headers = {"Authorization": f"Bearer {TOKEN}", "Host": "127.0.0.1"}
    assert (await doors.head("demo-1").get(HOST, headers=headers)).status_code == 403


# websockets


async def knock(door: ASGIApp, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    """Status and body a websocket handshake is refused with; (101, b"") if it is accepted."""
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "websocket.connect"} if not sent else {"type": "websocket.disconnect", "code": 1000}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "websocket",
        "asgi": {"version": "3.0"},
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "subprotocols": [],
        "extensions": {"websocket.http.response": {}},
    }
    await door(scope, receive, send)
    if sent[0]["type"] == "websocket.accept":
        return 101, b""
    return sent[0]["status"], sent[1]["body"]


def host_door(doors: Doors, bench: Bench) -> HostDoor:
    return HostDoor(doors._app, token=TOKEN, metrics_token=METRICS_TOKEN, allowed_hosts=bench.settings.allowed_hosts)


SSH = "/v1/clusters/demo/nodes/demo-1-head-0001/ssh"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "127.0.0.1"}, 401),
        ({"Host": "127.0.0.1", "Authorization": f"Bearer {METRICS_TOKEN}"}, 401),
        ({"Host": "evil.example", "Authorization": f"Bearer {TOKEN}"}, 403),
        ({"Authorization": f"Bearer {TOKEN}"}, 403),
    ],
)
async def test_websockets_ask_for_token_and_host_too(
    bench: Bench, doors: Doors, headers: dict[str, str], status: int
) -> None:
    assert (await knock(host_door(doors, bench), SSH, headers))[0] == status


async def test_the_relay_says_why_it_does_not_connect(bench: Bench, doors: Doors) -> None:
    door, headers = host_door(doors, bench), {"Host": "127.0.0.1", "Authorization": f"Bearer {TOKEN}"}
    assert (await knock(door, SSH, headers))[0] == 404
    bench.join("one")
    await bench.start()
    (head,) = await up(bench)
    status, body = await knock(door, SSH, headers)
    assert (status, b"refused" in body) == (502, True)
    assert (await knock(door, SSH.replace(head, "192.168.9.9"), headers))[0] == 404
    bench.service.close("demo")
    status, body = await knock(door, SSH, headers)
    assert (status, b"is terminating" in body) == (502, True)


async def test_the_relay_is_not_for_heads(bench: Bench, doors: Doors) -> None:
    bench.join("one")
    await bench.start()
    await up(bench)
    status, body = await knock(HeadDoor(doors._app, cluster_id="demo-1"), SSH, {"Host": "127.0.0.1"})
    assert (status, b"forbidden" in body) == (403, True)
