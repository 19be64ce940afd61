"""ssh to nodes, through their relay link, with the node's own host key pinned."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path

import asyncssh
import structlog

from golem_bridge.clock import Clock
from golem_bridge.clusters.bootstrap import SSH_PORT
from golem_bridge.clusters.forward import Forward
from golem_bridge.clusters.model import Node
from golem_bridge.errors import GolemError, NodeUnreachableError
from golem_bridge.relay import Stream, socket_for

KEEPALIVE_INTERVAL = 5
KEEPALIVE_COUNT = 3
"""Seconds × count: a dead connection is noticed after 15 s."""

LOGIN_TIMEOUT = 20
"""Seconds for connect and authentication."""

READY_TRIES = 20
READY_PAUSE = 0.25
"""Seconds; sshd of a fresh node is up within a few of these."""

Connect = Callable[[Node, int], Awaitable[Stream]]
"""Opens a stream to a TCP port on the node's loopback."""

log = structlog.get_logger(__name__)


class SshGate:
    """Opens ssh connections with the bridge's own key."""

    def __init__(self, *, key: asyncssh.SSHKey, connect: Connect, clock: Clock) -> None:
        self._key = key
        self._connect = connect
        self._clock = clock

    async def open(self, node: Node) -> asyncssh.SSHClientConnection:
        """Log in as root. Raises NodeUnreachableError, also for a host key that is not the pinned one."""
        trusted = asyncssh.import_public_key(node.host_public_key)
        stream = await self._connect(node, SSH_PORT)
        sock = await socket_for(stream)
        try:
            return await asyncssh.connect(
                host=node.ip,
                sock=sock,
                username="root",
                client_keys=[self._key],
                known_hosts=([trusted], [], []),
                config=None,
                agent_path=None,
                keepalive_interval=KEEPALIVE_INTERVAL,
                keepalive_count_max=KEEPALIVE_COUNT,
                login_timeout=LOGIN_TIMEOUT,
            )
        except (OSError, asyncssh.Error) as error:
            sock.close()
            raise NodeUnreachableError(f"ssh to {node.node_id} ({node.ip}) failed — {error}") from error

    async def wait_ready(self, node: Node) -> asyncssh.SSHClientConnection:
        """Try until sshd answers. Raises the last NodeUnreachableError."""
        for _ in range(READY_TRIES - 1):
            try:
                return await self.open(node)
            except GolemError as error:
                log.debug("ssh not ready", node=node.node_id, reason=error.message)
                await self._clock.sleep(READY_PAUSE)
        return await self.open(node)


class HeadTunnel:
    """Keeps ports of the head's loopback forwarded to its cluster's own door while the head lives."""

    def __init__(self, *, gate: SshGate, clock: Clock, door: Path, ports: Collection[int]) -> None:
        self._gate = gate
        self._clock = clock
        self._door = door
        self._ports = ports
        self._connection: asyncssh.SSHClientConnection | None = None
        self._forwarded: Forward | None = None
        self._task: asyncio.Task[None] | None = None
        self.restarts = 0

    async def start(self, node: Node, connection: asyncssh.SSHClientConnection) -> None:
        """Forward over a connection that is open already, and keep at it in the background."""
        await self._forward(connection)
        self._task = asyncio.create_task(self._keep_up(node), name=f"tunnel {node.node_id}")

    def resume(self, node: Node) -> None:
        """Open the tunnel again after a restart of the bridge, in the background."""
        self._task = asyncio.create_task(self._keep_up(node), name=f"tunnel {node.node_id}")

    @property
    def is_up(self) -> bool:
        return self._connection is not None

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._connection is not None:
            self._connection.abort()
        self._is_down()

    async def _forward(self, connection: asyncssh.SSHClientConnection) -> None:
        forward = Forward(self._door)
        for port in self._ports:
            try:
                await connection.create_server(forward, "127.0.0.1", port)
            except (OSError, asyncssh.Error, asyncssh.ChannelListenError) as error:
                # the last one is no asyncssh.Error: sshd refuses a port which a connection it has not missed yet holds
                connection.abort()
                forward.close()
                raise NodeUnreachableError(f"the head refuses the reverse forward of port {port} — {error}") from error
        self._connection, self._forwarded = connection, forward

    def _is_down(self) -> None:
        if self._forwarded is not None:
            self._forwarded.close()
        self._connection = self._forwarded = None

    async def _keep_up(self, node: Node) -> None:
        pause = 0.5
        while True:
            if self._connection is not None:
                await self._connection.wait_closed()
                self._is_down()
                log.warning("tunnel to the head is down", node=node.node_id)
            try:
                await self._forward(await self._gate.open(node))
                self.restarts += 1
                pause = 0.5
                log.info("tunnel to the head is up again", node=node.node_id)
                continue
            except GolemError as error:
                log.info("tunnel to the head not restored yet", node=node.node_id, reason=error.message)
            except Exception:  # nobody waits for this task: whatever it dies of would never be heard of
                log.exception("restoring the tunnel to the head crashed", node=node.node_id)
            await self._clock.sleep(pause)
            pause = min(pause * 2, 5.0)
