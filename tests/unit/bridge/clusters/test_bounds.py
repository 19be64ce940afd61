"""What a head says is kept within bounds, and can be told to everybody else."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem_bridge.clusters.bounds import MAX_TAGS, MAX_TAGS_SIZE, MAX_TYPE_NAME, check_node_types, check_tags
from golem_bridge.clusters.widening import MAX_CONFIG_SIZE
from golem_bridge.errors import InputError
from tests.unit.bridge.bench import Bench
from tests.unit.bridge.clusters.test_close import up
from tests.unit.bridge.doors import Doors

HEAD = "demo-1-head-0001"
DOORS = [("v1", 422), ("v013", 400)]
RAYS = {
    "ray-node-name": "ray-" + "c" * 63 + "-worker",
    "ray-node-type": "worker",
    "ray-user-node-type": "ray.worker.default",
    "ray-node-status": "waiting-for-ssh",
    "ray-replica-index": "ray.worker.default-123",
    "ray-cluster-name": "c" * 63,
    "ray-launch-config": "f" * 40,
    "ray-runtime-config": "f" * 40,
    "ray-file-mounts-contents": "f" * 40,
    "ray-launch-request": "f" * 36,
}
BAD_NAMES = ["", "t" * (MAX_TYPE_NAME + 1), "two\nlines", "\x1b[2J", "\u202egnp", "\ud800"]


async def put_tags(client: httpx.AsyncClient, api: str, tags: dict[str, str]) -> httpx.Response:
    if api == "v1":
        return await client.patch(f"/v1/clusters/demo/nodes/{HEAD}/tags", json={"tags": tags})
    return await client.post("/set_tags", json={"cluster_name": "demo", "node_id": HEAD, "tags": tags})


@pytest.mark.parametrize(("api", "status"), DOORS)
async def test_tags_do_not_pile_up(bench: Bench, api: str, status: int) -> None:
    bench.join("one")
    await bench.start()
    await up(bench)
    head = Doors(bench).head("demo-1")
    assert (await put_tags(head, api, RAYS)).status_code == 200
    answers = [await put_tags(head, api, {f"tag-{number}": "x"}) for number in range(MAX_TAGS)]
    refused = [answer for answer in answers if answer.status_code != 200]
    assert {answer.status_code for answer in refused} == {status}
    assert len(refused) == len(RAYS)
    assert f"at most {MAX_TAGS}" in refused[0].text
    assert len(bench.books.nodes.get(HEAD).tags or {}) == MAX_TAGS
    assert (await put_tags(head, api, {"tag-0": "another"})).status_code == 200


@pytest.mark.parametrize(("api", "status"), DOORS)
async def test_tags_are_short_together(bench: Bench, api: str, status: int) -> None:
    bench.join("one")
    await bench.start()
    await up(bench)
    head = Doors(bench).head("demo-1")
    assert (await put_tags(head, api, {"a": "x" * 2000})).status_code == 200
    assert (await put_tags(head, api, {"b": "x" * 2000})).status_code == 200
    assert (await put_tags(head, api, {"c": "x" * 2000})).status_code == status
    assert set(bench.books.nodes.get(HEAD).tags or {}) == {"a", "b"}


async def test_nobody_is_asked_for_nodes_with_many_tags(bench: Bench) -> None:
    bench.join("one")
    await bench.start()
    await up(bench)
    body = {"node_type": "worker", "count": 1, "tags": {"a": "x" * MAX_TAGS_SIZE}}
    answer = await Doors(bench).head("demo-1").post("/v1/clusters/demo/nodes", json=body)
    assert answer.status_code == 422
    assert len(bench.books.nodes.of_cluster("demo-1")) == 1


async def test_tags_that_cannot_be_told_are_not_kept(bench: Bench) -> None:
    """Half a character, which JSON can hold and UTF-8 cannot: every list with it would fail."""
    bench.join("one")
    await bench.start()
    await up(bench)
    doors, headers = Doors(bench), {"Content-Type": "application/json"}
    for tags in (b'{"a": "\\ud800"}', b'{"\\ud800": "a"}'):
        body = b'{"tags": ' + tags + b"}"
        answer = await doors.head("demo-1").patch(f"/v1/clusters/demo/nodes/{HEAD}/tags", content=body, headers=headers)
        assert answer.status_code == 422
    assert (await doors.host.get("/v1/clusters")).status_code == 200


async def test_an_id_that_is_not_unicode_is_a_bad_request(bench: Bench) -> None:
    """The books cannot even be asked for it; that is no crash of the bridge, whose errors are counted."""
    bench.join("one")
    await bench.start()
    await up(bench)
    head, headers = Doors(bench).head("demo-1"), {"Content-Type": "application/json"}
    body = b'{"node_ids": ["\\ud800"]}'
    answer = await head.post("/v1/clusters/demo/nodes/terminate", content=body, headers=headers)
    assert answer.status_code == 422, answer.text
    assert bench.state(HEAD) == "running"


@given(st.dictionaries(st.text(max_size=30), st.text(max_size=30)))
def test_what_passes_can_be_written_in_so_many_bytes(tags: dict[str, str]) -> None:
    try:
        check_tags(tags)
    except InputError as error:
        assert error.message.count(" — ") == 2
        return
    assert len(tags) <= MAX_TAGS
    assert sum(len(key.encode()) + len(value.encode()) for key, value in tags.items()) <= MAX_TAGS_SIZE


@pytest.mark.parametrize("name", ["ray.head.default", "ray.worker.default", "gpu_worker-2", "große Knoten", "t" * 100])
def test_names_as_ray_has_them_pass(name: str) -> None:
    check_node_types([name])


@pytest.mark.parametrize("name", BAD_NAMES)
def test_other_names_do_not(name: str) -> None:
    with pytest.raises(InputError, match="node type") as caught:
        check_node_types(["ray.head.default", name])
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 400


@pytest.mark.parametrize("name", BAD_NAMES[:-1])
async def test_neither_door_opens_clusters_with_such_types(bench: Bench, name: str) -> None:
    bench.join("one")
    await bench.start()
    await up(bench)
    doors, config = Doors(bench), {"demand": {"image_tag": "a"}}
    body: dict[str, Any] = {"node_type": name, "count": 1, "node_config": config}
    answer = await doors.head("demo-1").post("/v1/clusters/demo/nodes", json=body)
    assert answer.status_code == 422, answer.text
    spec = bench.service.get("demo").spec.model_dump(mode="json")
    types = {**spec["node_types"], name: spec["node_types"]["worker"]}
    assert (await doors.host.put("/v1/clusters/other", json={**spec, "node_types": types})).status_code == 422
    assert set(bench.service.get("demo").spec.node_types) == {"head", "worker"}
    assert bench.books.clusters.latest("other") is None


async def test_an_unknown_type_is_not_told_back_at_length(bench: Bench) -> None:
    bench.join("one")
    await bench.start()
    await up(bench)
    body = {"node_type": "t" * 100_000, "count": 1}
    answer = await Doors(bench).head("demo-1").post("/v1/clusters/demo/nodes", json=body)
    assert answer.status_code == 422
    assert len(answer.text) < 400


@pytest.mark.parametrize("subnet", ["s" * MAX_CONFIG_SIZE, "\ud800"])
async def test_a_head_names_small_types_only(bench: Bench, subnet: str) -> None:
    """What is recorded of a cluster is read with each request."""
    bench.join("one")
    await bench.start()
    await up(bench)
    config = {"subnet_tag": subnet, "demand": {"image_tag": "a"}}
    body = json.dumps({"node_type": "new", "count": 1, "node_config": config})
    headers = {"Content-Type": "application/json"}
    answer = await Doors(bench).head("demo-1").post("/v1/clusters/demo/nodes", content=body, headers=headers)
    assert answer.status_code == 422, answer.text
    assert "Bad node type 'new'" in answer.json()["error"]["message"]
    assert set(bench.service.get("demo").spec.node_types) == {"head", "worker"}
