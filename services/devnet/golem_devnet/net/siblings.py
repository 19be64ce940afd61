"""Nodes of one VPN on the same devnet talk at kernel speed: a bridge per VPN, a veth per node, a route per sibling.

The node's TAP holds its address and the subnet's route; a ``/32`` route over ``sib0`` is more specific, so
siblings are reached past yagna, and everybody else through it.
"""

from __future__ import annotations

import logging

from golem_devnet.net.commands import CommandError, run

NODE_END = "sib0"
ATTEMPTS = 5

log = logging.getLogger(__name__)


class SiblingLink:
    """One node's cable to the bridge of its VPN."""

    def __init__(self, *, network_id: str, node_key: str, ip: str, pid: int) -> None:
        self._bridge = f"sb{network_id[:10]}"
        self._veth = f"sv{node_key[:10]}"
        self._ip = ip
        self._pid = str(pid)
        self._routes: set[str] = set()

    async def connect(self) -> None:
        """Plug in. Raises CommandError."""
        await run("ip", "link", "add", self._veth, "type", "veth", "peer", "name", NODE_END, "netns", self._pid)
        for attempt in range(ATTEMPTS):
            try:
                await self._join_bridge()
                break
            except CommandError:  # somebody else's node left just now and took the bridge along
                if attempt == ATTEMPTS - 1:
                    raise
        await self._in_node("ip", "link", "set", NODE_END, "up")

    async def add(self, ip: str) -> None:
        """Reach a sibling over the bridge; it need not be plugged in yet."""
        if ip != self._ip and ip not in self._routes:
            self._routes.add(ip)
            await self._in_node("ip", "route", "replace", f"{ip}/32", "dev", NODE_END, "src", self._ip)

    async def remove(self, ip: str) -> None:
        """The sibling left; whoever has its address now is reached through yagna."""
        if ip in self._routes:
            self._routes.discard(ip)
            await self._in_node("ip", "route", "del", f"{ip}/32", "dev", NODE_END)

    async def set_up(self, up: bool) -> None:
        """Plug the cable's outer end in or out; the node's routes stay. Raises CommandError."""
        await run("ip", "link", "set", self._veth, "up" if up else "down")

    async def disconnect(self) -> None:
        """Unplug; the last one takes the bridge along. The veth may have gone with its namespace already."""
        for command in (["ip", "link", "del", self._veth], ["ip", "-o", "link", "show", "master", self._bridge]):
            try:
                left = await run(*command)
            except CommandError as error:
                log.debug("%s", error)
                left = ""
        if not left:
            try:
                await run("ip", "link", "del", self._bridge)
            except CommandError as error:
                log.debug("bridge is gone already: %s", error)

    async def _join_bridge(self) -> None:
        try:
            await run("ip", "link", "add", self._bridge, "type", "bridge")
        except CommandError as error:
            if "exists" not in str(error):
                raise
        await run("ip", "link", "set", self._bridge, "up")
        await run("ip", "link", "set", self._veth, "master", self._bridge, "up")

    async def _in_node(self, *command: str) -> None:
        await run("nsenter", "--target", self._pid, "--net", *command)


async def sweep_bridges() -> None:
    """Remove bridges nobody is plugged into: agents that were killed leave them."""
    for line in (await run("ip", "-o", "link", "show", "type", "bridge")).splitlines():
        name = line.split(":")[1].strip()
        if name.startswith("sb") and not await run("ip", "-o", "link", "show", "master", name):
            try:
                await run("ip", "link", "del", name)
            except CommandError as error:
                log.debug("bridge is gone already: %s", error)
