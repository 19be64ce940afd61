"""Activities, exe-scripts, and VPNs."""

from __future__ import annotations

import pytest

from golem_bridge.errors import GolemError, NodeUnreachableError, NotFoundError
from tests.contract.steps import PATIENCE, Rented, rented
from tests.contract.world import World

NODE_IP, NOBODY = "192.168.0.3", "192.168.0.77"
SHELL = "/bin/sh"


async def test_a_script_runs_to_its_end(world: World) -> None:
    async with rented(world) as rent:
        assert await world.golem.activity_state(rent.activity_id) == "Initialized"
        results = await world.golem.execute(rent.activity_id, [*boot(), run("echo hello")], timeout=PATIENCE)
        assert [(result.index, result.ok) for result in results] == [(0, True), (1, True), (2, True)]
        assert results[2].stdout == "hello\n"
        assert await world.golem.activity_state(rent.activity_id) == "Ready"


async def test_an_ended_activity_may_be_ended_again_and_runs_nothing(world: World) -> None:
    async with rented(world) as rent:
        await world.golem.execute(rent.activity_id, boot(), timeout=PATIENCE)
        await world.golem.destroy_activity(rent.activity_id, timeout=PATIENCE)
        await world.golem.destroy_activity(rent.activity_id, timeout=PATIENCE)
        assert await world.golem.activity_state(rent.activity_id) == "Terminated"
        with pytest.raises(GolemError):
            await world.golem.execute(rent.activity_id, [run("true")], timeout=5)


async def test_there_is_no_activity_without_an_agreement_in_force(world: World) -> None:
    async with rented(world) as rent:
        await world.golem.terminate_agreement(rent.agreement_id, "over")
        with pytest.raises(GolemError):
            await world.golem.create_activity(rent.agreement_id, timeout=5)


@pytest.mark.parametrize("unknown", ["nope", "ab" * 16])
async def test_unknown_activities(world: World, unknown: str) -> None:
    with pytest.raises(NotFoundError):
        await world.golem.activity_state(unknown)
    await world.golem.destroy_activity(unknown, timeout=5)
    with pytest.raises(NotFoundError):
        await world.golem.execute(unknown, [run("true")], timeout=5)
    with pytest.raises(NotFoundError):
        await world.golem.create_activity(unknown * 2, timeout=5)


async def test_ports_of_a_node(world: World) -> None:
    network_id = await network(world)
    async with rented(world) as rent:
        await world.golem.add_node(network_id, provider_id=rent.provider_id, ip=NODE_IP)
        await world.golem.execute(rent.activity_id, await join(world, rent, network_id), timeout=PATIENCE)
        with pytest.raises(NodeUnreachableError):
            await world.golem.open_channel(network_id, ip=NODE_IP, port=81, timeout=10)
        with pytest.raises(NodeUnreachableError):
            await world.golem.open_channel(network_id, ip=NOBODY, port=22, timeout=10)
        await world.golem.remove_node(network_id, provider_id=rent.provider_id)
        await world.golem.remove_node(network_id, provider_id=rent.provider_id)
        with pytest.raises(NodeUnreachableError):
            await world.golem.open_channel(network_id, ip=NODE_IP, port=22, timeout=10)
    await world.golem.remove_network(network_id)


async def test_networks_come_and_go(world: World) -> None:
    network_id = await network(world)
    assert network_id in await world.golem.networks()
    await world.golem.remove_network(network_id)
    await world.golem.remove_network(network_id)
    assert network_id not in await world.golem.networks()
    with pytest.raises(NotFoundError):
        await world.golem.add_node(network_id, provider_id="0x" + "ab" * 20, ip=NODE_IP)
    with pytest.raises(NotFoundError):
        await world.golem.open_channel(network_id, ip=NODE_IP, port=22, timeout=10)
    await world.golem.remove_node(network_id, provider_id="0x" + "ab" * 20)


def boot() -> list[dict[str, object]]:
    return [{"deploy": {}}, {"start": {"args": []}}]


def run(command: str) -> dict[str, object]:
    capture = {"stdout": {"atEnd": {"format": "string"}}, "stderr": {"atEnd": {"format": "string"}}}
    return {"run": {"entry_point": SHELL, "args": ["-c", command], "capture": capture}}


async def network(world: World) -> str:
    return await world.golem.create_network(address="192.168.0.0", mask="255.255.0.0", requestor_ip="192.168.0.1")


async def join(world: World, rent: Rented, network_id: str) -> list[dict[str, object]]:
    nodes = {"192.168.0.1": await world.golem.identity(), NODE_IP: rent.provider_id}
    membership = {"id": network_id, "ip": "192.168.0.0", "mask": "255.255.0.0", "nodeIp": NODE_IP, "nodes": nodes}
    return [{"deploy": {"net": [membership]}}, {"start": {"args": []}}]
