"""Gives back what yagna holds for no cluster: allocations and VPNs of which the bridge never heard that they were made.

The appliance's yagna serves nobody else, so what no open cluster holds is a leftover.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

import structlog

from golem_bridge.clusters.books import Books
from golem_bridge.errors import GolemError
from golem_bridge.golem.port import GolemPort

GRACE = 240.0
"""Seconds a thing is to be unknown, at each look: somebody may be trying yagna out by hand, or by a test."""

log = structlog.get_logger(__name__)


class Leftovers:
    """``is_opening`` tells whether any cluster is being opened: what it acquires may not be in the books yet."""

    def __init__(self, *, golem: GolemPort, books: Books, is_opening: Callable[[], bool]) -> None:
        self._golem = golem
        self._books = books
        self._is_opening = is_opening
        self._unknown_since: dict[str, float] = {}
        """By id of an allocation or a VPN: when a look first found it, in monotonic seconds."""

    async def step(self, *, grace: float = GRACE) -> None:
        """Look at all; what is unknown for ``grace`` seconds goes. What cannot go now is tried again by the next."""
        allocations = [allocation.allocation_id for allocation in await self._golem.allocations()]
        networks = await self._golem.networks()
        if self._is_opening():
            return
        # the books are read after yagna: what was made and filed between the two is known
        clusters = self._books.clusters.unfinished()
        allocations = self._unknown(allocations, {cluster.allocation_id for cluster in clusters})
        networks = self._unknown(networks, {cluster.network_id for cluster in clusters})
        now = self._books.clock.monotonic()
        self._unknown_since = {key: self._unknown_since.get(key, now) for key in (*allocations, *networks)}
        for key, give_back in (
            *((allocation_id, self._golem.release_allocation) for allocation_id in allocations),
            *((network_id, self._golem.remove_network) for network_id in networks),
        ):
            if now - self._unknown_since[key] >= grace:
                await self._give_back(key, give_back)

    @staticmethod
    def _unknown(found: Collection[str], held: Collection[str | None]) -> list[str]:
        return [key for key in found if key not in held]

    @staticmethod
    async def _give_back(key: str, give_back: Callable[[str], Awaitable[None]]) -> None:
        try:
            await give_back(key)
        except GolemError as error:
            log.warning("what nobody remembers is not given back yet", id=key, reason=error.message)
            return
        log.warning("what nobody remembers is given back", id=key)
