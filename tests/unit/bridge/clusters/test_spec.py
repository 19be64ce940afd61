"""What is recorded of a cluster can be read again: a row that cannot stops the whole bridge."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from golem_bridge.clusters.spec import ClusterSpec
from tests.unit.bridge.bench import Bench
from tests.unit.bridge.clusters.test_close import up
from tests.unit.bridge.doors import Doors
from tests.unit.bridge.samples import spec

ENDLESS = json.loads("1e999")
FLOATS, COUNTS = st.floats(0) | st.just(ENDLESS), st.integers(1)
GLM = st.decimals(0, 10**9, places=18).map(str) | st.sampled_from(["0E-99999999", "0E+99999999", "1E-18", "Infinity"])
TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
DEMANDS = st.fixed_dictionaries(
    {"image_tag": TEXTS},
    optional={
        "capabilities": st.lists(TEXTS, max_size=2),
        "min_mem_gib": FLOATS,
        "min_cpu_threads": COUNTS,
        "min_storage_gib": FLOATS,
        "max_cpu_threads": COUNTS,
    },
)
USAGE = st.fixed_dictionaries({"cpu_load": GLM, "duration_hours": GLM}, optional={"max_cost": GLM})
PRICES = ("max_start_price", "max_cpu_per_hour_price", "max_env_per_hour_price")
LIMITS = st.fixed_dictionaries({}, optional=dict.fromkeys(PRICES, GLM) | {"per_cpu_expected_usage": USAGE})


@given(TEXTS, st.fixed_dictionaries({"demand": DEMANDS}, optional={"budget_control": LIMITS}))
def test_what_is_accepted_can_be_read_again(name: str, config: Any) -> None:  # noqa: ANN401 - the point is any JSON
    asked = spec().model_dump(mode="json") | {"head_node_type": name, "node_types": {name: config}}
    try:
        accepted = ClusterSpec.model_validate(asked)
    except ValidationError:
        return
    assert ClusterSpec.model_validate_json(accepted.model_dump_json()) == accepted


@pytest.mark.parametrize("key", ["min_mem_gib", "min_storage_gib"])
async def test_a_head_cannot_ask_for_endless_resources(bench: Bench, key: str) -> None:
    bench.join("one")
    await bench.start()
    await up(bench)
    body = {"node_type": "new", "count": 1, "node_config": {"demand": {"image_tag": "a", key: ENDLESS}}}
    doors, headers = Doors(bench), {"Content-Type": "application/json"}
    answer = await doors.head("demo-1").post(
        "/v1/clusters/demo/nodes", content=json.dumps(body).replace("Infinity", "1e999"), headers=headers
    )
    assert answer.status_code == 422, answer.text
    assert key in answer.json()["error"]["message"]
    assert (await doors.host.get("/v1/clusters")).status_code == 200
