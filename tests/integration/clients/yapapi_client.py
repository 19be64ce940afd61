"""An ordinary yapapi 0.13.1 requestor: one service in a VPN, a channel to its ssh port, then the end and the bill."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from yapapi import Golem
from yapapi.payload import Payload
from yapapi.props import inf
from yapapi.props.base import constraint, prop
from yapapi.services import Service, ServiceState
from yapapi.strategy import LeastExpensiveLinearPayuMS

SSHD = "mkdir -p /run/sshd && ssh-keygen -A >/dev/null && /usr/sbin/sshd && echo hello from $(hostname)"


@dataclass
class RayNode(Payload):
    """The devnet's image."""

    runtime: str = constraint(inf.INF_RUNTIME_NAME, default="vm")
    capability: str = constraint("golem.runtime.capabilities", default="vpn")
    task_package: str = prop("golem.srv.comp.task_package", default=os.environ["IMAGE"])


class Ssh(Service):
    """A node with an ssh server."""

    @staticmethod
    async def get_payload() -> Payload:
        return RayNode()

    async def start(self) -> AsyncIterator[Any]:
        async for script in super().start():
            yield script
        script = self._ctx.new_script()
        said = script.run("/bin/sh", "-c", SSHD)
        yield script
        print("STDOUT", (await said).stdout, flush=True)

    async def run(self) -> AsyncIterator[Any]:
        await asyncio.sleep(3600)
        yield


async def main() -> None:
    subnet, network = os.environ["YAGNA_SUBNET"], os.environ["YAGNA_PAYMENT_NETWORK"]
    strategy = LeastExpensiveLinearPayuMS(max_fixed_price=1)  # type: ignore[arg-type]
    async with Golem(budget=1.0, subnet_tag=subnet, payment_network=network, strategy=strategy) as golem:
        vpn = await golem.create_network("192.168.88.0/24")
        async with vpn:
            expiration = datetime.now(UTC) + timedelta(minutes=30)
            cluster = await golem.run_service(Ssh, network=vpn, expiration=expiration)
            (node,) = cluster.instances
            while node.state != ServiceState.running:
                await asyncio.sleep(0.2)
            url = node.network_node.get_websocket_uri(22)  # type: ignore[union-attr]
            headers = {"Authorization": f"Bearer {os.environ['YAGNA_APPKEY']}"}
            async with aiohttp.ClientSession(headers=headers) as session, session.ws_connect(url) as ws:
                print("SSH", (await ws.receive(10)).data, flush=True)
            print("PROVIDER", node.provider_id, flush=True)
            cluster.stop()
            while node.state != ServiceState.terminated:
                await asyncio.sleep(0.2)
    print("CLOSED", flush=True)


if __name__ == "__main__":
    asyncio.run(asyncio.wait_for(main(), 150))
