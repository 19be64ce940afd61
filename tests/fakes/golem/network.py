"""VPNs in memory: what is sent to an open port comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from golem_bridge.errors import NodeUnreachableError
from golem_bridge.golem.port import MessageChannel
from tests.fakes.golem.world import World, found


@dataclass
class _Network:
    requestor_ip: str
    nodes: dict[str, str] = field(default_factory=dict)


class EchoChannel:
    """A channel to a port that sends back what it gets."""

    def __init__(self, alive: Callable[[], bool]) -> None:
        self._alive = alive
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._closed = False

    async def send(self, data: bytes) -> None:
        if self._closed or not self._alive():
            raise ConnectionError("The connection is closed")
        self._pieces.put_nowait(data)

    async def receive(self) -> bytes:
        piece = None if self._closed else await self._pieces.get()
        if piece is None:
            raise ConnectionError("The connection has ended")
        return piece

    async def close(self) -> None:
        self._closed = True
        self._pieces.put_nowait(None)


class MemoryNetworks:
    def __init__(self, world: World) -> None:
        self._world = world
        self._networks: dict[str, _Network] = {}

    def forget_networks(self) -> None:
        """What a restart of yagna does."""
        self._networks.clear()

    def members(self, network_id: str) -> dict[str, str]:
        """Address to provider id of the nodes in a VPN."""
        return dict(found(self._networks, network_id, "VPN").nodes)

    async def create_network(self, *, address: str, mask: str, requestor_ip: str) -> str:
        self._world.check_up()
        network_id = self._world.new_id("network")
        self._networks[network_id] = _Network(requestor_ip)
        return network_id

    async def remove_network(self, network_id: str) -> None:
        self._world.check_up()
        self._networks.pop(network_id, None)

    async def networks(self) -> Sequence[str]:
        self._world.check_up()
        return list(self._networks)

    async def add_node(self, network_id: str, *, provider_id: str, ip: str) -> None:
        self._world.check_up()
        found(self._networks, network_id, "VPN").nodes[ip] = provider_id

    async def remove_node(self, network_id: str, *, provider_id: str) -> None:
        self._world.check_up()
        network = self._networks.get(network_id)
        if network is not None:
            network.nodes = {ip: node for ip, node in network.nodes.items() if node != provider_id}

    async def open_channel(self, network_id: str, *, ip: str, port: int, timeout: float) -> MessageChannel:
        self._world.check_up()
        provider = self._world.providers.get(found(self._networks, network_id, "VPN").nodes.get(ip, ""))
        if provider is None or provider.vanished or not self._is_deployed(provider.provider_id):
            await self._world.clock.sleep(min(timeout, 5.0))
            raise NodeUnreachableError(f"Cannot connect to port {port} of {ip} — no answer — the node is gone")
        if port not in provider.ports:
            raise NodeUnreachableError(f"Cannot connect to port {port} of {ip} — refused — the node is starting")
        return EchoChannel(lambda: not provider.vanished)

    def _is_deployed(self, provider_id: str) -> bool:
        return any(
            activity.agreement.provider.provider_id == provider_id and activity.state in {"Deployed", "Ready"}
            for activity in self._world.activities.values()
        )
