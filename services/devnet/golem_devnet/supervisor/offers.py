"""The devnet's health, in a file: the daemon answers, and every provider has offered at least once."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from pathlib import Path

from golem_devnet.agent.rest import ProviderRest, RestError

CHECK, CHECK_AT_FIRST = 2.0, 0.2
"""Seconds between two looks."""

log = logging.getLogger(__name__)


class OfferWatch:
    """Writes ``{"waiting": [names of providers]}``. ``rests`` are the providers' views of the daemon, by name."""

    def __init__(self, rests: Mapping[str, ProviderRest], path: Path) -> None:
        self._rests = rests
        self._path = path
        self._waiting = set(rests)
        self._problem = ""

    async def keep(self) -> None:
        """Look for ever."""
        while True:
            await self.look()
            await asyncio.sleep(CHECK_AT_FIRST if self._waiting else CHECK)

    async def look(self) -> None:
        """One look. A file that cannot be written is told once; its reader sees that it grows old."""
        for name in sorted(self._waiting):
            try:
                if await self._rests[name].call("GET", "/market-api/v1/offers"):
                    self._waiting.discard(name)
            except RestError as error:
                log.info("offers not seen: %s", error)
        try:
            self._path.write_text(json.dumps({"waiting": sorted(self._waiting)}))
            self._problem = ""
        except OSError as error:
            if str(error) != self._problem:
                log.error("the devnet's health cannot be told — %s — tried again every %.0f s", error, CHECK)
            self._problem = str(error)
