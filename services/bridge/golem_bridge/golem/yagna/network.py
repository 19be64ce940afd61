"""Network API: VPNs in which each node has an address, and connections to their ports."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import aiohttp
from pydantic import BaseModel, TypeAdapter

from golem_bridge.errors import NodeUnreachableError, NotFoundError, YagnaUnavailableError
from golem_bridge.golem.port import MessageChannel
from golem_bridge.golem.yagna.channel import Channel
from golem_bridge.golem.yagna.failures import LOGS, quoted
from golem_bridge.golem.yagna.rest import Answer, Rest

GONE = frozenset({403, 404, 410})
"""yagna 0.17.6 answers 403 (404 to ids it never gave out) for a network that does not exist (any more)."""


class _WireNetwork(BaseModel):
    id: str


_NETWORK = TypeAdapter(_WireNetwork)
_NETWORKS = TypeAdapter(list[_WireNetwork])


class Networks:
    """The network half of GolemPort."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def create_network(self, *, address: str, mask: str, requestor_ip: str) -> str:
        """Create a VPN in which we own ``requestor_ip``; returns its id. yagna forgets it when it restarts."""
        answer = await self._rest.call(
            "Cannot create a VPN", self._rest.net.create_network, {"ip": address, "mask": mask}
        )
        network_id = answer.read(_NETWORK).id
        own = await self._rest.call(
            f"Cannot take the address {requestor_ip} in the new VPN",
            self._rest.net.add_address,
            network_id,
            {"ip": requestor_ip},
        )
        if not own.ok:
            await self.remove_network(network_id)
            raise own.failure()
        return network_id

    async def remove_network(self, network_id: str) -> None:
        """Remove a VPN; an unknown one is no error."""
        answer = await self._rest.call(f"Cannot remove VPN {network_id}", self._rest.net.remove_network, network_id)
        if answer.status not in GONE:
            answer.check()

    async def networks(self) -> Sequence[str]:
        """Ids of the VPNs that exist now (yagna forgets them when it restarts)."""
        answer = await self._rest.call("Cannot list VPNs", self._rest.net.get_networks)
        return [network.id for network in answer.read(_NETWORKS)]

    async def add_node(self, network_id: str, *, provider_id: str, ip: str) -> None:
        """Give a provider's node an address in the VPN; yagna tells all others. Raises NotFoundError (no such VPN)."""
        answer = await self._rest.call(
            f"Cannot add {ip} to VPN {network_id}",
            self._rest.net.add_node,
            network_id,
            {"id": provider_id, "ip": ip},
        )
        _check(answer)

    async def remove_node(self, network_id: str, *, provider_id: str) -> None:
        """Take a provider's node (all its addresses) out of the VPN; an unknown one is no error."""
        answer = await self._rest.call(
            f"Cannot remove {provider_id} from VPN {network_id}",
            self._rest.net.remove_node,
            network_id,
            provider_id,
        )
        if answer.status not in GONE:
            answer.check()

    async def open_channel(self, network_id: str, *, ip: str, port: int, timeout: float) -> MessageChannel:
        """Connect to a TCP port of a node.

        Raises NodeUnreachableError (refused, or no answer; yagna 0.17.6 itself gives up after 5 s), NotFoundError
        when the VPN is gone.
        """
        what = f"Cannot connect to port {port} of {ip}"
        url = f"{self._rest.url}/net-api/v2/vpn/net/{network_id}/tcp/{ip}/{port}"
        try:
            async with asyncio.timeout(timeout):
                socket = await self._rest.session.ws_connect(
                    url,
                    autoping=True,  # yagna pings every 5 s and hangs up after 10 s without a pong
                    max_msg_size=0,
                    timeout=aiohttp.ClientWSTimeout(ws_close=2.0),
                )
        except aiohttp.WSServerHandshakeError as error:
            raise _handshake_failure(what, network_id, error.status) from None  # it carries the request's headers
        except TimeoutError:
            raise NodeUnreachableError(
                f"{what} — no answer in {timeout:.0f} s — the node is starting, stuck or gone"
            ) from None
        except (aiohttp.ClientError, OSError) as error:
            raise YagnaUnavailableError(f"{what} — yagna: {quoted(str(error))} — {LOGS}") from None
        return Channel(socket, what=f"port {port} of {ip}")


def _check(answer: Answer) -> None:
    if answer.status in GONE:
        raise NotFoundError(f"{answer.what} — yagna knows no such VPN ({answer.status}) — it is created again")
    answer.check()


def _handshake_failure(
    what: str, network_id: str, status: int
) -> NodeUnreachableError | NotFoundError | YagnaUnavailableError:
    if status in GONE:
        return NotFoundError(f"{what} — yagna knows no VPN {network_id} ({status}) — it is created again")
    if status == 401:
        return YagnaUnavailableError(
            f"{what} — yagna refuses our app-key (401) — recreate bridge and yagna together: docker compose up -d"
        )
    why = {400: "refused", 504: "no answer"}.get(status, "failed")
    return NodeUnreachableError(f"{what} — {why} (yagna answers {status}) — the node is starting, stuck or gone")
