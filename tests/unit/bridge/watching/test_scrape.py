"""Ray's metrics: who may fetch what from where, and what a hostile node can do with its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import cast

import httpx
import pytest

from golem_bridge.clusters import fetch
from golem_bridge.clusters.model import Node
from golem_bridge.errors import NodeUnreachableError
from golem_bridge.relay import Stream
from tests.unit.bridge.bench import Bench
from tests.unit.bridge.doors import Doors

HEAD, WORKER = "demo-1-head-0001", "demo-1-worker-0002"
METRICS = "/v1/clusters/demo/nodes/{}/scrape/{}/metrics"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n"


class FakeStream:
    """Says its pieces and ends; ``None`` among them: never says anything more."""

    def __init__(self, pieces: Sequence[bytes | None]) -> None:
        self._pieces = list(pieces)
        self.written = b""
        self.closed = False

    async def write(self, data: bytes) -> None:
        self.written += data

    async def read(self, limit: int) -> bytes:
        piece = self._pieces.pop(0) if self._pieces else b""
        if piece is None:
            await asyncio.sleep(3600)
        return piece or b""

    async def close(self) -> None:
        self.closed = True


class Nodes:
    """All of them answer the same; ``asked`` tells which node and port were connected to."""

    def __init__(self, *pieces: bytes | None) -> None:
        self._pieces = pieces
        self.asked: list[tuple[str, int]] = []
        self.streams: list[FakeStream] = []

    async def connect(self, node: Node, port: int) -> Stream:
        self.asked.append((node.node_id, port))
        self.streams.append(FakeStream(self._pieces))
        return cast(Stream, self.streams[-1])


async def scraped(bench: Bench, nodes: Nodes, *, port: int = 8090) -> httpx.Response:
    return await Doors(bench, connect=nodes.connect).prometheus.get(METRICS.format(HEAD, port))


async def test_a_scrape_is_passed_on(bench: Bench) -> None:
    nodes = Nodes(OK + b"Content-Length: 12\r\n\r\nray_", b"nodes 1\n")
    answer = await scraped(bench, nodes)
    assert (answer.status_code, answer.text) == (200, "ray_nodes 1\n")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4"
    assert nodes.asked == [(HEAD, 8090)]
    assert nodes.streams[0].written.startswith(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n")
    assert nodes.streams[0].closed


async def test_the_body_stays_compressed(bench: Bench) -> None:
    compressed = bytes.fromhex("1f8b08000000000002034bcb07000000ffff03002165738c03000000")
    head = OK + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n"
    nodes = Nodes(head, b"", b"")
    doors = Doors(bench, connect=nodes.connect)
    await doors.prometheus.get(METRICS.format(HEAD, 8090), headers={"Accept-Encoding": "identity"})
    assert b"Accept-Encoding" not in nodes.streams[0].written
    nodes = Nodes(head + compressed)
    async with Doors(bench, connect=nodes.connect).prometheus.stream("GET", METRICS.format(HEAD, 8090)) as answer:
        raw = b"".join([piece async for piece in answer.aiter_raw()])
    assert b"Accept-Encoding: gzip\r\n" in nodes.streams[0].written
    assert (answer.headers["content-encoding"], raw) == ("gzip", compressed)


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        ((b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",), "answers 500"),
        ((b"HTTP/1.1 302 Found\r\nLocation: http://yagna:7465/\r\nContent-Length: 0\r\n\r\n",), "answers 302"),
        ((OK + b"Content-Length: 100\r\n\r\nshort",), "without sending complete message body"),
        ((b"SSH-2.0-OpenSSH\r\n\r\n",), "illegal status line"),
        ((b"x" * 100_000,), "Cannot read /metrics"),
        ((), "Cannot read /metrics"),
        ((OK, None), "no whole answer in 3.5 s"),
        ((OK.replace(b"text/plain", b"text/html") + b"Content-Length: 0\r\n\r\n",), "no metrics"),
    ],
)
async def test_anything_but_metrics_is_a_failed_scrape(pieces: Sequence[bytes | None], said: str, bench: Bench) -> None:
    nodes = Nodes(*pieces)
    answer = await scraped(bench, nodes)
    assert answer.status_code == 502
    assert said in answer.json()["error"]["message"]
    assert nodes.streams[0].closed


async def test_an_endless_answer_is_cut(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "MAX_BODY", 1000)
    answer = await scraped(bench, Nodes(OK + b"Connection: close\r\n\r\n", *[b"x" * 600] * 3))
    assert (answer.status_code, "more than 1000 bytes" in answer.text) == (502, True)


async def test_only_rays_ports_are_reached(bench: Bench) -> None:
    nodes = Nodes(OK + b"Content-Length: 0\r\n\r\n")
    doors = Doors(bench, connect=nodes.connect)
    for node_id, port in ((HEAD, 22), (HEAD, 8265), (WORKER, 44217)):
        assert (await doors.prometheus.get(METRICS.format(node_id, port))).status_code == 403
    for path in ("/metrics2", "/metrics/x", "/%2e%2e/22/metrics", ""):
        answer = await doors.host.get(f"/v1/clusters/demo/nodes/{HEAD}/scrape/8090{path}")
        assert answer.status_code in {403, 404}
    assert nodes.asked == []


async def test_a_node_that_ended_is_not_connected_to(bench: Bench) -> None:
    nodes = Nodes()
    bench.service.terminate("demo", [HEAD])
    answer = await scraped(bench, nodes)
    assert (answer.status_code, nodes.asked) == (502, [])


async def test_an_unreachable_node_is_a_failed_scrape(bench: Bench) -> None:
    async def connect(node: Node, port: int) -> Stream:
        raise NodeUnreachableError("the node's relay did not greet — no answer")

    assert (await Doors(bench, connect=connect).prometheus.get(METRICS.format(HEAD, 8090))).status_code == 502


async def test_prometheus_is_told_of_every_port(bench: Bench) -> None:
    found = (await Doors(bench).prometheus.get("/v1/prometheus/sd")).json()
    assert [(entry["labels"]["instance"], entry["labels"]["component"]) for entry in found] == [
        ("192.168.0.3:8090", "node"),
        ("192.168.0.3:44217", "autoscaler"),
        ("192.168.0.3:44227", "dashboard"),
        ("192.168.0.4:8090", "node"),
    ]
    assert {tuple(entry["targets"]) for entry in found} == {("127.0.0.1:4578",)}
    assert found[3]["labels"] == {
        "__metrics_path__": METRICS.format(WORKER, 8090),
        "instance": "192.168.0.4:8090",
        "cluster": "demo",
        "ray_io_cluster": "demo",
        "node": WORKER,
        "kind": "worker",
        "component": "node",
    }


async def test_nodes_without_ray_are_no_targets(bench: Bench) -> None:
    doors = Doors(bench)
    bench.service.tag("demo", WORKER, {"ray-node-status": "setting-up"})
    found = (await doors.prometheus.get("/v1/prometheus/sd")).json()
    assert {entry["labels"]["node"] for entry in found} == {HEAD}
    bench.service.terminate("demo", [HEAD])
    assert (await doors.prometheus.get("/v1/prometheus/sd")).json() == []


async def test_the_metrics_token_opens_nothing_else(bench: Bench) -> None:
    doors = Doors(bench)
    for path in ("/v1/clusters", "/v1/events", f"/v1/clusters/demo/nodes/{HEAD}", "/v1/prometheus/sd/"):
        assert (await doors.prometheus.get(path)).status_code == 401
    assert (await doors.stranger.get("/v1/prometheus/sd")).status_code == 401


async def test_a_head_fetches_nothing_through_us(bench: Bench) -> None:
    head = Doors(bench).head("demo-1")
    for path in ("/v1/prometheus/sd", METRICS.format(WORKER, 8090), "/v1/events"):
        assert (await head.get(path)).status_code == 403
