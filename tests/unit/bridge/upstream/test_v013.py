"""What the recordings do not show: who may come in, what a head cannot do, money, keys, errors."""

from __future__ import annotations

import json
import shlex
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from golem_bridge.api import v013
from golem_bridge.clusters.states import EndReason
from golem_bridge.settings import Settings
from tests.unit.bridge.bench import Bench
from tests.unit.bridge.doors import METRICS_TOKEN, Doors
from tests.unit.bridge.upstream.conftest import APPLIANCE
from tests.unit.bridge.upstream.test_recordings import recorded

NAME = "golem-cluster"


def head_request(**changes: object) -> dict[str, Any]:
    """The recorded request for a head; ``changes`` of provider_parameters."""
    body = next(record["body"] for record in recorded("ray_up_fresh") if record["path"] == "/request_nodes")
    return {**body, "provider_parameters": {**body["provider_parameters"], **changes}}


def worker_request(node_type: str = "ray.worker.default", count: int = 1, **limits: object) -> dict[str, Any]:
    body = next(record["body"] for record in recorded("autoscaler_ticks") if record["path"] == "/request_nodes")
    node_config = {**body["node_config"], "budget_control": {**body["node_config"]["budget_control"], **limits}}
    return {
        **body,
        "count": count,
        "node_config": node_config,
        "tags": {**body["tags"], "ray-user-node-type": node_type},
    }


async def ask(client: Any, path: str, **body: object) -> Any:  # noqa: ANN401 - the point is what JSON holds
    answer = await client.post(path, content=json.dumps(body))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def refusal(client: Any, path: str, body: dict[str, Any], status: int = 400) -> str:  # noqa: ANN401
    answer = await client.post(path, content=json.dumps(body))
    assert answer.status_code == status, answer.text
    assert list(answer.json()) == ["error"]
    return str(answer.json()["error"])


async def started(bench: Bench, doors: Doors) -> str:
    """Id of a running head."""
    node_id = (await ask(doors.stranger, "/request_nodes", **head_request()))["requested_nodes"][0]
    await bench.until_running(node_id)
    return str(node_id)


# ------------------------------------------------------------------ the door


def test_there_are_fourteen_routes() -> None:
    assert len(v013.PATHS) == 14


async def test_strangers_are_not_admitted_unless_the_setting_says_so(bench: Bench) -> None:
    doors = Doors(bench, admits_upstream=False)
    assert {(await doors.stranger.post(path, content="{}")).status_code for path in v013.PATHS} == {401}
    assert (await doors.host.get("/")).status_code == 200
    assert not Settings().bridge_admit_upstream_client


async def test_the_setting_opens_these_routes_only(doors: Doors) -> None:
    assert (await doors.stranger.get("/")).status_code == 200
    for path in ("/v1/clusters", "/metrics", "/v1/events", "/tags/"):
        assert (await doors.stranger.get(path)).status_code == 401


async def test_other_hosts_and_browsers_and_wrong_tokens_stay_out(doors: Doors) -> None:
    body = json.dumps({"cluster_name": NAME})
    for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert (await doors.stranger.post("/cluster_data", content=body, headers=headers)).status_code in {401, 403}
    wrong = {"Authorization": f"Bearer {METRICS_TOKEN}"}
    assert (await doors.stranger.post("/cluster_data", content=body, headers=wrong)).status_code == 401


# ------------------------------------------------------------------ the head


async def test_a_head_sees_its_own_cluster_without_ways_into_its_nodes(bench: Bench, doors: Doors) -> None:
    node_id = await started(bench, doors)
    head = doors.head(f"{NAME}-1")
    data = (await ask(head, "/cluster_data", cluster_name=NAME))["cluster_data"]
    assert data[node_id]["state"] == "running"
    assert data[node_id]["ssh_proxy_command"] is None
    assert "belongs to" in await refusal(head, "/cluster_data", {"cluster_name": "other"}, status=403)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/get_wallet_status", {"payment_network": "hoodi", "payment_driver": "erc20"}),
        ("/ger_or_create_default_ssh_key", {"cluster_name": NAME}),
        ("/ssh_proxy_command", {"cluster_name": NAME, "node_id": f"{NAME}-1-head-0001"}),
        ("/shutdown", {}),
    ],
)
async def test_a_head_gets_no_keys_wallet_or_shutdown(
    path: str, body: dict[str, Any], bench: Bench, doors: Doors
) -> None:
    await started(bench, doors)
    await refusal(doors.head(f"{NAME}-1"), path, body, status=403)


async def test_a_head_cannot_change_the_recorded_limits(bench: Bench, doors: Doors) -> None:
    await started(bench, doors)
    head, before = doors.head(f"{NAME}-1"), bench.service.get(NAME).spec
    dear = {
        **worker_request(max_start_price=99.0),
        "provider_parameters": head_request(total_budget=999)["provider_parameters"],
    }
    await ask(head, "/request_nodes", **dear)
    after = bench.service.get(NAME).spec
    assert after.total_budget == before.total_budget
    limits = after.node_types["ray.worker.default"].budget_control
    assert limits is not None
    assert limits.max_start_price == Decimal("0.5")
    assert after.node_types["ray.head.default"] == before.node_types["ray.head.default"]


async def test_a_head_finds_the_bridge_where_its_host_does(bench: Bench, doors: Doors) -> None:
    """Upstream's plug-in has one port for both; ours, should it be in the image, always looks at 4578."""
    request = head_request(webserver_port=14578)
    (node_id,) = (await ask(doors.stranger, "/request_nodes", **request))["requested_nodes"]
    await bench.until_running(node_id)
    assert bench.gate.ports == {4578, 14578}


async def test_our_plug_in_on_a_head_names_the_types_that_upstreams_client_did_not(bench: Bench, doors: Doors) -> None:
    await started(bench, doors)
    head, path = doors.head(f"{NAME}-1"), f"/v1/clusters/{NAME}/nodes"
    body: dict[str, Any] = {"node_type": "ray.worker.default", "count": 1, "tags": {}}
    assert "Unknown node type" in (await head.post(path, json=body)).text
    demand = {"image_tag": head_request()["node_config"]["demand"]["image_tag"]}
    named = {**body, "node_config": {"demand": demand, "budget_control": {"max_start_price": "99"}}}
    assert "Unknown node type" in (await doors.host.post(path, json=named)).text
    answer = await head.post(path, json=named)
    assert answer.status_code == 200, answer.text
    limits = bench.service.get(NAME).spec.node_types["ray.worker.default"].budget_control
    assert limits is not None
    assert limits.max_start_price == Decimal("0.5")
    again = {**named, "node_config": {"demand": {**demand, "min_mem_gib": 1}}}
    assert (await head.post(path, json=again)).status_code == 200
    assert bench.service.get(NAME).spec.node_types["ray.worker.default"].demand.min_mem_gib == 0


async def test_a_head_cannot_pass_max_workers_or_invent_types_without_end(bench: Bench, doors: Doors) -> None:
    await started(bench, doors)
    head = doors.head(f"{NAME}-1")
    assert "at most 10" in await refusal(head, "/request_nodes", worker_request(count=11))
    for number in range(18):
        await refusal(head, "/request_nodes", worker_request(f"type-{number}", count=11))
    assert "20 types" in await refusal(head, "/request_nodes", worker_request("one-too-many"))


# ------------------------------------------------------------------ opening


async def test_a_second_ray_up_brings_a_live_cluster_to_new_limits(bench: Bench, doors: Doors) -> None:
    await started(bench, doors)
    message = await refusal(doors.stranger, "/request_nodes", head_request(total_budget=7))
    assert "1 live, at most 1" in message
    assert bench.service.get(NAME).budget == Decimal(7)


async def test_test_networks_that_are_gone_mean_this_one_and_real_money_does_not(bench: Bench, doors: Doors) -> None:
    for network in ("holesky", "goerli", "hoodi"):
        await ask(doors.stranger, "/get_wallet_status", payment_network=network, payment_driver="erc20")
    for network in ("polygon", "mainnet"):
        body = {"payment_network": network, "payment_driver": "erc20"}
        assert "the appliance runs on 'devnet'" in await refusal(doors.stranger, "/get_wallet_status", body)
        await refusal(doors.stranger, "/request_nodes", head_request(payment_network=network))
    assert bench.books.clusters.all_latest() == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ssh_private_key": "/home/user/.ssh/id_rsa"}, "leave auth.ssh_private_key out"),
        ({"ssh_user": "ubuntu"}, "only root"),
        ({"total_budget": -1}, "total_budget"),
        ({"total_budgett": 1}, "total_budgett"),
        ({"payment_driver": "zksync"}, "only erc20"),
    ],
)
async def test_what_cannot_be_served_is_told_in_a_sentence(
    change: dict[str, Any], said: str, bench: Bench, doors: Doors
) -> None:
    assert said in await refusal(doors.stranger, "/request_nodes", head_request(**change))
    assert bench.books.clusters.all_latest() == []


async def test_a_key_of_another_bridge_is_told_how_to_get_rid_of(bench: Bench, doors: Doors) -> None:
    body = {**head_request(), "cluster_name": "other"}
    key = bench.settings.bridge_data_dir / "client-keys"
    body["provider_parameters"]["ssh_private_key"] = "/tmp/ray_on_golem/ray_on_golem_rsa_795f3202b1"
    assert "rm /tmp/ray_on_golem/ray_on_golem_rsa_795f3202b1" in await refusal(doors.stranger, "/request_nodes", body)
    assert len(list(key.iterdir())) == 1


async def test_junk_is_refused(doors: Doors) -> None:
    for content in ("", "{", "[]", '{"cluster_name": "../../etc"}'):
        answer = await doors.stranger.post("/cluster_data", content=content)
        assert (answer.status_code, list(answer.json())) == (400, ["error"])


# ------------------------------------------------------------------ asking


async def test_unknown_clusters_and_nodes(bench: Bench, doors: Doors) -> None:
    ours = {"cluster_name": NAME, "node_id": "node0"}
    assert await ask(doors.stranger, "/non_terminated_nodes", cluster_name=NAME, tags={}) == {"nodes_ids": []}
    assert await refusal(doors.stranger, "/cluster_data", ours) == "Cluster with given name not found"
    await started(bench, doors)
    assert await refusal(doors.stranger, "/tags", ours) == "Node with given id not found"


async def test_states_as_upstream_names_them(bench: Bench, doors: Doors) -> None:
    node_id = (await ask(doors.stranger, "/request_nodes", **head_request()))["requested_nodes"][0]
    one = {"cluster_name": NAME, "node_id": node_id}
    seen = []
    for reached in ("requested", "running", "terminating", "terminated"):
        bench.golem.down = reached == "terminating"  # so that the end takes its time
        if reached == "terminating":
            await ask(doors.stranger, "/terminate", **one)
        await bench.until(lambda state=reached: bench.state(node_id) == state)  # type: ignore[misc]
        data = (await ask(doors.stranger, "/cluster_data", cluster_name=NAME))["cluster_data"][node_id]
        running = (await ask(doors.stranger, "/is_running", **one))["is_running"]
        ended = (await ask(doors.stranger, "/is_terminated", **one))["is_terminated"]
        seen.append((data["state"], running, ended))
    assert seen == [
        ("pending", False, False),
        ("running", True, False),
        ("terminating", False, True),
        ("terminated", False, True),
    ]
    assert data["state_log"][-1] == "Ended on request"


async def test_lost_nodes_are_warned_of(bench: Bench, doors: Doors) -> None:
    node_id = await started(bench, doors)
    assert (await doors.stranger.get("/")).json()["server_warnings"] == []
    bench.service.end_node(node_id, EndReason.PROVIDER_LOST, "one is gone")
    assert (await doors.stranger.get("/")).json()["server_warnings"] == [
        f"[{NAME}] Node `{node_id}` was ended: one is gone"
    ]


async def test_status_answers_while_yagna_is_down(bench: Bench, doors: Doors) -> None:
    bench.golem.down = True
    assert (await doors.stranger.get("/")).status_code == 200


async def test_shutdown_shuts_nothing(bench: Bench, doors: Doors) -> None:
    node_id = await started(bench, doors)
    body = {"ignore_self_shutdown": True, "force_shutdown": True, "shutdown_delay": 0}
    assert await ask(doors.stranger, "/shutdown", **body) == {"shutdown_state": "not_enabled"}
    assert bench.state(node_id) == "running"


# ------------------------------------------------------------------ ssh


async def test_the_proxy_command_is_our_relay_client_on_the_host(bench: Bench, doors: Doors) -> None:
    node_id = await started(bench, doors)
    told = await ask(doors.stranger, "/ssh_proxy_command", cluster_name=NAME, node_id=node_id)
    command = shlex.split(told["ssh_proxy_command"])
    relay = Path("services/ray_plugin/ray_on_golem/relay_client.py")
    assert command[:4] == ["python3", "-S", "-E", str(APPLIANCE / relay)]
    assert command[4:] == ["--cluster", NAME, "--token-file", str(APPLIANCE / "run/bridge-token"), "192.168.0.3"]
    assert (Path(__file__).parents[4] / relay).exists()


async def test_without_the_folder_the_proxy_command_is_refused_with_a_reason(tmp_path: Path, bench: Bench) -> None:
    node_id = await started(bench, Doors(bench))
    bench.settings = Settings(bridge_data_dir=tmp_path, appliance_dir="")  # type: ignore[arg-type]
    body = {"cluster_name": NAME, "node_id": node_id}
    assert "APPLIANCE_DIR" in await refusal(Doors(bench).stranger, "/ssh_proxy_command", body)


# ------------------------------------------------------------------ money


async def wallet(doors: Doors) -> str:
    body = {"payment_network": "hoodi", "payment_driver": "erc20"}
    return str((await ask(doors.stranger, "/get_wallet_status", **body))["yagna_payment_status"]["amount"])


async def test_the_wallet_shows_all_it_holds(bench: Bench, doors: Doors) -> None:
    assert await wallet(doors) == "1000"
    await started(bench, doors)
    assert await wallet(doors) == "1000"  # what is set aside for the cluster is still in the wallet
    assert len(await bench.golem.allocations()) == 1


async def test_an_empty_wallet_shows_nothing_unless_nodes_live(bench: Bench, doors: Doors) -> None:
    bench.golem.wallet = Decimal(0)
    assert await wallet(doors) == "0"
    bench.golem.wallet = Decimal(5)
    await started(bench, doors)
    await bench.golem.release_allocation(bench.service.get(NAME).allocation_id or "")
    bench.golem.wallet = Decimal(0)
    assert float(await wallet(doors)) > 0


async def test_nodes_can_be_ended_while_yagna_is_down(bench: Bench, doors: Doors) -> None:
    body = {"payment_network": "hoodi", "payment_driver": "erc20"}
    node_id = await started(bench, doors)
    bench.golem.down = True
    assert float(await wallet(doors)) > 0
    await ask(doors.stranger, "/terminate", cluster_name=NAME, node_id=node_id)
    assert bench.state(node_id) == "terminating"
    assert "yagna" in await refusal(doors.stranger, "/get_wallet_status", body)
    bench.golem.down = False
