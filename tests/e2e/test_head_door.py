"""A head is a stranger's machine: each thing it must not do is tried from inside it."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from appliance.bridge import Bridge
from golem_bridge.clusters.forward import MAX_CONNECTIONS
from tests.e2e.cluster import ClusterFile
from tests.e2e.conftest import MakeCluster

INSIDE = Path(__file__).parent / "inside"
OTHER = "somebody-elses"

HOST_ONLY: Sequence[tuple[str, str]] = (
    ("GET", "/v1/clusters"),
    ("PUT", "/v1/clusters/{own}"),
    ("PUT", "/v1/clusters/{other}"),
    ("POST", "/v1/clusters/{own}/close"),
    ("GET", "/v1/clusters/{own}/bill"),
    ("GET", "/v1/clusters/{own}/history"),
    ("GET", "/v1/clusters/{own}/nodes/{head}/scrape/8090/metrics"),
    ("GET", "/v1/events"),
    ("GET", "/v1/wallet"),
    ("GET", "/v1/appliance"),
    ("GET", "/v1/health/live"),
    ("GET", "/v1/health/ready"),
    ("WEBSOCKET", "/v1/clusters/{own}/nodes/{head}/ssh"),
    ("WEBSOCKET", "/v1/clusters/{other}/nodes/{other}-1-head-0001/ssh"),
    ("GET", "/v1/prometheus/sd"),
    ("GET", "/metrics"),
    ("POST", "/get_wallet_status"),
    ("POST", "/ger_or_create_default_ssh_key"),
    ("POST", "/ssh_proxy_command"),
    ("POST", "/shutdown"),
)
"""The last four are upstream's."""

UPSTREAMS_PARAMETERS = {
    "webserver_port": 4578,
    "enable_registry_stats": False,
    "payment_network": "devnet",
    "payment_driver": "erc20",
    "total_budget": 100,
    "node_config": {"subnet_tag": "devnet"},
    "ssh_private_key": "/nowhere",
    "ssh_user": "root",
}


def upstreams_request(cluster: str) -> object:
    """One worker, asked for as upstream's plug-in does, with a budget of the head's own."""
    return {
        "cluster_name": cluster,
        "provider_parameters": UPSTREAMS_PARAMETERS,
        "node_config": {"subnet_tag": "devnet", "demand": {"image_tag": "ray-on-golem/ray-node:local"}},
        "count": 1,
        "tags": {"ray-node-type": "worker", "ray-user-node-type": "ray.worker.default"},
    }


FOREIGN: Sequence[tuple[str, str, object]] = (
    ("GET", "/v1/clusters/{other}", None),
    ("GET", "/v1/clusters/{other}/market", None),
    ("GET", "/v1/clusters/{other}/nodes/{other}-1-head-0001", None),
    ("POST", "/v1/clusters/{other}/nodes", {"node_type": "ray.worker.default", "count": 1, "tags": {}}),
    ("POST", "/v1/clusters/{other}/nodes/terminate", {"node_ids": ["{other}-1-head-0001"]}),
    ("PATCH", "/v1/clusters/{other}/nodes/{other}-1-head-0001/tags", {"tags": {"a": "b"}}),
    ("POST", "/non_terminated_nodes", {"cluster_name": "{other}", "tags": {}}),
    ("POST", "/cluster_data", {"cluster_name": "{other}"}),
    ("POST", "/request_nodes", upstreams_request("{other}")),
    *(
        ("POST", f"/{route}", {"cluster_name": "{other}", "node_id": "{other}-1-head-0001", "tags": {"a": "b"}})
        for route in ("is_running", "is_terminated", "tags", "internal_ip", "set_tags", "terminate")
    ),
)

OUT_OF_REACH = ("192.168.0.1:4578", "192.168.0.1:7465", "127.0.0.1:7465", "127.0.0.1:9090")
"""The requestor's machine as the VPN shows it, and what would be yagna and Prometheus."""

OWN_DOOR = "127.0.0.1:4578"

SILENT = 300
"""Connections opened at once by a head that says nothing on them."""

BUDGET = 0.03
"""GLM: a head's first hour fits, a worker's beside it does not."""


@pytest.fixture(scope="module")
def cluster(make_cluster: MakeCluster) -> Iterator[ClusterFile]:
    made = make_cluster("curious")
    made.parameters["total_budget"] = BUDGET
    made.write()
    outcome = made.up()
    assert outcome.code == 0, outcome.text
    for script in ("ask_door.py", "try_ports.py", "hold_door.py"):
        outcome = made.ray("rsync-up", INSIDE / script, f"/root/{script}")
        assert outcome.code == 0, outcome.text
    yield made
    made.down()


def ask(cluster: ClusterFile, requests: Sequence[tuple[str, str, object]]) -> list[str]:
    """What the door says to each."""
    names = {"{own}": cluster.name, "{other}": OTHER, "{head}": f"{cluster.name}-1-head-0001"}
    calls = []
    for method, path, body in requests:
        text = json.dumps(body) if body is not None else ""
        calls.append(f"python ask_door.py {method} {path} {shlex.quote(text)}")
    script = "; ".join(calls)
    for mark, name in names.items():
        script = script.replace(mark, name)
    said = cluster.ray("exec", script).text
    answers = [line for line in said.splitlines() if line.startswith("door ")]
    assert len(answers) == len(requests), said
    return answers


def test_it_sees_its_own_cluster(cluster: ClusterFile) -> None:
    (answer,) = ask(cluster, [("GET", "/v1/clusters/{own}", None)])
    assert answer.startswith("door says 200")


def test_what_is_the_users_is_refused(cluster: ClusterFile) -> None:
    bodies = {"/ssh_proxy_command": {"cluster_name": "{own}", "node_id": "{head}"}}
    answers = ask(
        cluster, [(method, path, bodies.get(path, {} if method != "GET" else None)) for method, path in HOST_ONLY]
    )
    for (method, path), answer in zip(HOST_ONLY, answers, strict=True):
        assert answer.startswith("door says 403"), f"{method} {path}: {answer}"


def test_another_cluster_is_out_of_reach(cluster: ClusterFile) -> None:
    for (method, path, _), answer in zip(FOREIGN, ask(cluster, FOREIGN), strict=True):
        assert answer.startswith("door says 403"), f"{method} {path}: {answer}"
        assert "belongs to cluster" in answer


def test_it_rents_no_more_than_was_recorded(cluster: ClusterFile, bridge: Bridge) -> None:
    too_many = {"node_type": "ray.worker.default", "count": 3, "tags": {}}
    second_head = {"node_type": "ray.head.default", "count": 1, "tags": {}}
    unknown = {"node_type": "ray.worker.gilded", "count": 1, "tags": {}}
    path = "/v1/clusters/{own}/nodes"
    answers = ask(cluster, [("POST", path, body) for body in (too_many, second_head, unknown)])
    assert [answer.split()[2] for answer in answers] == ["409", "409", "422"], answers
    assert [node.node_id for node in cluster.nodes(bridge)] == [f"{cluster.name}-1-head-0001"]


def test_it_spends_no_more_than_was_set_aside(cluster: ClusterFile, bridge: Bridge) -> None:
    one = {"node_type": "ray.worker.default", "count": 1, "tags": {}}
    ours, upstreams = ask(
        cluster, [("POST", "/v1/clusters/{own}/nodes", one), ("POST", "/request_nodes", upstreams_request("{own}"))]
    )
    assert ours.startswith("door says 409"), ours
    assert upstreams.startswith("door says 400"), upstreams
    for answer in (ours, upstreams):
        assert f"of the budget of {BUDGET} GLM is left" in answer
    assert [node.node_id for node in cluster.nodes(bridge)] == [f"{cluster.name}-1-head-0001"]


def test_silent_connections_take_up_little_of_the_bridge(cluster: ClusterFile, bridge: Bridge) -> None:
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(cluster.ray, "exec", f"python hold_door.py {SILENT} 15")
        while not held.done():
            assert bridge.ask("/v1/clusters")["clusters"]
            time.sleep(0.5)
    said = [line for line in held.result().text.splitlines() if line.startswith(("refused at once:", "open after"))]
    refused, still_open = (int(line.split()[-1]) for line in said)
    assert refused >= SILENT - MAX_CONNECTIONS, said
    assert still_open == 0, said
    (answer,) = ask(cluster, [("GET", "/v1/clusters/{own}", None)])
    assert answer.startswith("door says 200")
    assert cluster.ray("exec", "ray status").code == 0
    assert [node.node_id for node in cluster.nodes(bridge)] == [f"{cluster.name}-1-head-0001"]


def test_nothing_of_the_requestors_machine_is_in_reach(cluster: ClusterFile) -> None:
    said = cluster.ray("exec", f"python try_ports.py {OWN_DOOR} {' '.join(OUT_OF_REACH)}").text
    assert [line for line in said.splitlines() if line.startswith(("open:", "shut:"))] == [
        f"open: {OWN_DOOR}",
        *(f"shut: {address}" for address in OUT_OF_REACH),
    ]
