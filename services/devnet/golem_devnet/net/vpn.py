"""A node's membership in one VPN: frames between its TAP and the hub.

yagna 0.17.6 sends whole Ethernet frames to ``/net/<provider>/vpn/<network>/raw`` and takes them at
``/net/<requestor>/vpn/<network>/raw``; its stack carries IP packets of up to 1386 bytes (measured).
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections import deque
from collections.abc import AsyncIterator, Collection, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from golem_devnet.net.commands import run
from golem_devnet.net.frames import announcement, destination, source
from golem_devnet.net.line import HubLine
from golem_devnet.net.siblings import SiblingLink
from golem_devnet.net.tap import Tap
from golem_devnet.net.wire import pack, unpack

MTU = 1386
WINDOW = 4
"""Frames to the hub that may be unanswered: a short mailbox in yagna keeps its reordering rare."""

QUEUE = 256
"""Frames kept here; more stay in the TAP's own queue."""

log = logging.getLogger(__name__)


class VpnError(Exception):
    """The network asked for makes no sense."""


@dataclass(frozen=True)
class Membership:
    """What a deploy command says of one network. ``nodes`` maps addresses to node ids."""

    network_id: str
    ip: str
    prefix_length: int
    nodes: Mapping[str, str]

    @classmethod
    def parse(cls, network: Mapping[str, Any]) -> Membership:
        """From an entry of ``deploy.net``. Raises VpnError."""
        try:
            mask = network.get("mask") or "255.255.255.0"
            subnet = ipaddress.IPv4Network(f"{network['ip']}/{mask}", strict=False)
            ip = ipaddress.IPv4Address(network["nodeIp"])
            if not network["id"].isalnum() or ip not in subnet:
                raise VpnError(f"{ip} is not an address of network {network['id']!r} ({subnet})")
            return cls(network["id"], str(ip), subnet.prefixlen, dict(network.get("nodes") or {}))
        except (KeyError, ValueError, AttributeError) as error:
            raise VpnError(f"bad network description: {error}") from error


class Vpn:
    """One node in one network."""

    def __init__(
        self,
        membership: Membership,
        *,
        hub: HubLine,
        provider_id: str,
        siblings: Collection[str],
        node_key: str,
        pid: int,
    ) -> None:
        self._membership = membership
        self._hub = hub
        self._provider_id = provider_id
        self._sibling_ids = frozenset(siblings)
        self._nodes = dict(membership.nodes)
        self._pid = pid
        self._tap = Tap(f"gt{node_key[:10]}")
        self._cable = SiblingLink(network_id=membership.network_id, node_key=node_key, ip=membership.ip, pid=pid)
        self._queue: deque[tuple[str, bytes]] = deque()
        self._unanswered = 0
        self._paused = False
        self._up = True
        self._tasks: set[asyncio.Task[None]] = set()
        self._address = f"/net/{provider_id}/vpn/{membership.network_id}"

    async def join(self) -> None:
        """Set the interfaces up and serve frames. Raises CommandError, BusError."""
        pid, name = str(self._pid), self._tap.name
        await run("ip", "link", "set", name, "netns", pid)
        address = f"{self._membership.ip}/{self._membership.prefix_length}"
        await self._in_node("ip", "addr", "add", address, "dev", name)
        await self._in_node("ip", "link", "set", name, "mtu", str(MTU), "up")
        await self._cable.connect()
        await self._add_siblings(self._nodes)
        self._tap.listen(self._on_frames)
        await self._hub.bind(self._address, self._on_call, raw=self._on_raw)
        self._announce()
        log.info("node %s is in VPN %s", self._membership.ip, self._membership.network_id)

    async def set_up(self, up: bool) -> None:
        """Let frames pass or not, in both directions. Raises CommandError."""
        if up != self._up:
            self._up = up
            await self._cable.set_up(up)

    async def leave(self) -> None:
        """Serve no more frames; interfaces vanish."""
        for task in self._tasks:
            task.cancel()
        self._tap.close()
        self._queue.clear()
        self._paused = False  # answers that come late must not listen to the closed TAP
        await self._cable.disconnect()
        await self._hub.unbind(self._address)

    async def _in_node(self, *command: str) -> None:
        await run("nsenter", "--target", str(self._pid), "--net", *command)

    async def _add_siblings(self, nodes: Mapping[str, str]) -> None:
        for ip, node_id in nodes.items():
            if node_id in self._sibling_ids and node_id != self._provider_id:
                await self._cable.add(ip)

    def _announce(self) -> None:
        """Siblings learn of a newcomer from its first frame, also when their requestor's yagna tells them nothing."""
        for ip, node_id in self._nodes.items():
            if node_id in self._sibling_ids and ip != self._membership.ip:
                self._queue.append((node_id, announcement(self._membership.ip, ip)))
        self._send()

    def _on_raw(self, caller: str, frame: bytes) -> None:
        """A frame for the node. Learn where it came from, as the real exe-unit does."""
        if not self._up:
            return
        sender = source(frame)
        if sender is not None and caller and sender not in self._nodes:
            self._nodes[sender] = caller
            self._spawn(self._add_siblings({sender: caller}))
        try:
            self._tap.write(frame)
        except OSError as error:
            log.debug("frame dropped: %s", error)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="new sibling")
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("a sibling was not connected: %s", error)

    def _on_call(self, caller: str, address: str, body: bytes) -> AsyncIterator[bytes] | Any:  # noqa: ANN401
        return self._control(unpack(body))

    async def _control(self, message: Mapping[str, Any]) -> bytes:
        """VpnControl: members come and go."""
        added = dict((message.get("addNodes") or {}).get("nodes") or {})
        removed = set((message.get("removeNodes") or {}).get("node_ids") or ())
        self._nodes.update(added)
        await self._add_siblings(added)
        for ip in [ip for ip, node_id in self._nodes.items() if node_id in removed]:
            del self._nodes[ip]
            await self._cable.remove(ip)
        return pack({"Ok": None})

    def _on_frames(self) -> None:
        """Frames from the node."""
        while len(self._queue) < QUEUE:
            frame = self._tap.read()
            if frame is None:
                break
            target = self._nodes.get(destination(frame) or "")
            if target is not None and self._up:
                self._queue.append((target, frame))
        else:
            self._tap.pause()
            self._paused = True
        self._send()

    def _send(self) -> None:
        while self._queue and self._unanswered < WINDOW:
            target, frame = self._queue.popleft()
            self._unanswered += 1
            address = f"/net/{target}/vpn/{self._membership.network_id}/raw"
            self._hub.send_raw(address, frame, caller=self._provider_id, answered=self._on_answered)
        if self._paused and len(self._queue) < QUEUE // 2:
            self._paused = False
            self._tap.listen(self._on_frames)

    def _on_answered(self) -> None:
        self._unanswered -= 1
        self._send()
