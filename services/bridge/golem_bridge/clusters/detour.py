"""The way to a node when yagna has lost its VPN: bytes for its relay are carried by exe-unit commands.

yagna 0.17.6 keeps VPNs in memory only and gives each new one a new id, while a node's exe-unit listens under the id
it was deployed with: after a restart of yagna the requestor cannot reach its nodes' ports any more. The nodes still
reach one another, and activities survive, so a command that exchanges bytes with a process in the node stands in.
An exe-unit runs one command at a time (it answers "busy" otherwise), so both directions share one command after the
other. It is slow, and the exe-unit remembers every command; it carries a cluster to its end, not more.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import secrets
from collections.abc import Awaitable, Callable

import structlog

from golem_bridge.clock import Clock
from golem_bridge.errors import CommandFailedError, GolemError
from golem_bridge.relay import detour_source

SHORTEST_WAIT = 0.05
LONGEST_WAIT = 2.0
"""Seconds a command waits in the node for bytes: longer while there are none, shortest after the last ones."""

MESSAGE_LIMIT = 64 * 1024
"""Bytes a command carries to the node: with base64 well below Linux's 128 KiB for one argument."""

BACKLOG = 1024 * 1024
"""Bytes that may wait to be carried."""

ENDED = "ended"
"""What the node's end prints once its relay has hung up."""

Run = Callable[[str], Awaitable[str]]
"""Runs a shell script in the node and returns what it prints. Raises GolemError."""

log = structlog.get_logger(__name__)


class Detour:
    """A MessageChannel to a node's relay."""

    def __init__(self, run: Run, command: str, clock: Clock) -> None:
        self._run = run
        self._clock = clock
        self._command = command
        self._outgoing = bytearray()
        self._incoming: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._task = asyncio.create_task(self._live(), name="detour")

    @classmethod
    async def open(cls, run: Run, *, relay: str, folder: str, clock: Clock) -> Detour:
        """Place the node's end and connect it to the relay at ``relay`` (ip:port). Raises GolemError.

        A command of an earlier detour may still be waiting in the node: then the exe-unit is asked once more.
        """
        mark = secrets.token_hex(4)
        script, command = f"{folder}/detour.py", f"python3 -S -E {folder}/detour.py --socket {folder}/{mark}.sock"
        content = base64.b64encode(detour_source().encode()).decode()
        begin = f"set -eu; umask 077; printf %s {content} | base64 -d > {script}; {command} start {relay}"
        try:
            await run(begin)
        except CommandFailedError as error:
            log.debug("detour not open yet", reason=error.message)
            await clock.sleep(LONGEST_WAIT)
            await run(begin)
        return cls(run, command, clock)

    async def send(self, data: bytes) -> None:
        """Have it carried with the next command. Raises ConnectionError."""
        if self._task.done():
            raise ConnectionError("the detour has ended")
        if len(self._outgoing) + len(data) > BACKLOG:
            raise ConnectionError("too much waits for the detour")
        self._outgoing += data

    async def receive(self) -> bytes:
        """Raises ConnectionError at the end."""
        data = await self._incoming.get()
        if data is None:
            raise ConnectionError("the detour has ended")
        return data

    async def close(self) -> None:
        """The node's end leaves by itself when nothing is exchanged any more."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _live(self) -> None:
        try:
            await self._exchange_until_the_end()
        except (GolemError, binascii.Error) as error:
            log.info("detour broke", reason=str(error))
        finally:
            self._incoming.put_nowait(None)

    async def _exchange_until_the_end(self) -> None:
        wait = SHORTEST_WAIT
        while True:
            data = bytes(self._outgoing[:MESSAGE_LIMIT])
            del self._outgoing[:MESSAGE_LIMIT]
            since, wait = self._clock.monotonic(), 0.0 if self._outgoing else SHORTEST_WAIT if data else wait
            printed = await self._run(f"{self._command} exchange {wait} '{base64.b64encode(data).decode()}'")
            if printed == ENDED:
                return
            came = base64.b64decode(printed, validate=True)
            if came:
                self._incoming.put_nowait(came)
            else:  # an honest node has waited already
                await self._clock.sleep(since + wait - self._clock.monotonic())
            wait = SHORTEST_WAIT if data or came else min(2 * wait, LONGEST_WAIT)
