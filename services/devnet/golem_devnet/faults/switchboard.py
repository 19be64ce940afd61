"""What tests may do to the devnet."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pydantic import ValidationError

from golem_devnet.faults.board import FaultBoard
from golem_devnet.faults.model import HONEST, Faults

PATIENCE = 5.0
"""Seconds an agent may take to act by new faults."""

LOOK = 0.05

log = logging.getLogger(__name__)


class SwitchError(Exception):
    """The switch is not there or cannot be set so; the message names what is known."""


class Keeper(Protocol):
    """A process that is kept alive."""

    @property
    def is_running(self) -> bool: ...

    async def vanish(self) -> None:
        """Kill it, and leave it dead."""

    async def come_back(self) -> None:
        """Start it again."""

    async def crash(self) -> None:
        """Kill it; it starts again by itself."""


@dataclass(frozen=True)
class Provider:
    """One provider's process and its faults."""

    process: Keeper
    board: FaultBoard

    @property
    def is_late(self) -> bool:
        """It runs, and does not act by its faults yet."""
        return self.process.is_running and not self.board.is_obeyed()


class Switchboard:
    """Providers by name, and the parts of the net that can be restarted."""

    def __init__(
        self, folder: Path, restarts: Mapping[str, Callable[[], Awaitable[None]]], *, patience: float = PATIENCE
    ) -> None:
        self._folder = folder
        self._patience = patience
        self._restarts = restarts
        self._providers: dict[str, Provider] = {}

    def board_path(self, name: str) -> Path:
        """Where a provider reads its faults."""
        return self._folder / f"{name}.json"

    def add(self, name: str, process: Keeper) -> None:
        """A provider to switch."""
        self._providers[name] = Provider(process, FaultBoard(self.board_path(name)))

    def state(self) -> dict[str, dict[str, Any]]:
        """Of every provider: whether its process runs, and its faults."""
        return {
            name: {"running": provider.process.is_running, "faults": provider.board.read().model_dump(mode="json")}
            for name, provider in self._providers.items()
        }

    def set(self, name: str, changes: Mapping[str, Any]) -> None:
        """Change some of a provider's faults. Raises SwitchError."""
        board = self._provider(name).board
        try:
            board.write(Faults.model_validate({**board.read().model_dump(), **changes}))
        except ValidationError as error:
            raise SwitchError(f"Cannot set faults of {name} — {error}") from error

    async def clear(self, name: str) -> None:
        """Honest and present again. Raises SwitchError."""
        provider = self._provider(name)
        provider.board.write(Faults(breaks=provider.board.read().breaks))
        await provider.process.come_back()

    async def clear_all(self) -> None:
        for name in self._providers:
            if self._providers[name].board.read() != HONEST or not self._providers[name].process.is_running:
                await self.clear(name)

    async def act(self, name: str, action: str) -> None:
        """``vanish``, ``return``, ``crash`` or ``break``. Raises SwitchError."""
        provider = self._provider(name)
        match action:
            case "vanish":
                await provider.process.vanish()
            case "return":
                await provider.process.come_back()
            case "crash":
                await provider.process.crash()
            case "break":
                self.set(name, {"breaks": provider.board.read().breaks + 1})
            case _:
                raise SwitchError(f"unknown action {action!r} — known: vanish, return, crash, break")

    async def obeyed(self) -> None:
        """Until every agent that runs acts by its faults; one that does not in time is logged."""
        deadline = asyncio.get_running_loop().time() + self._patience
        while late := [name for name, provider in self._providers.items() if provider.is_late]:
            if asyncio.get_running_loop().time() >= deadline:
                log.warning("%s: faults not obeyed in %.0f s", ", ".join(late), self._patience)
                return
            await asyncio.sleep(LOOK)

    async def restart(self, part: str) -> None:
        """``hub`` or ``yagna``, the provider side's. Raises SwitchError."""
        if part not in self._restarts:
            raise SwitchError(f"{part!r} cannot be restarted here — known: {', '.join(self._restarts)}")
        await self._restarts[part]()

    def _provider(self, name: str) -> Provider:
        if name not in self._providers:
            raise SwitchError(f"unknown provider {name!r} — known: {', '.join(self._providers)}")
        return self._providers[name]
