"""A child that cannot be started for a while."""

from __future__ import annotations

import asyncio

import pytest

from golem_devnet.supervisor.child import Child


class Process:
    """One that lives on."""

    returncode: int | None = None

    def __init__(self) -> None:
        self._ended = asyncio.Event()

    async def wait(self) -> int:
        await self._ended.wait()
        return -15

    def terminate(self) -> None:
        self.returncode = -15
        self._ended.set()


async def test_it_is_started_once_the_machine_can_again(monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes: list[OSError | Process] = [OSError(12, "Cannot allocate memory"), OSError(11, "Try again"), Process()]

    async def start(*_command: str, **_: object) -> Process:
        outcome = outcomes.pop(0)
        if isinstance(outcome, OSError):
            raise outcome
        return outcome

    monkeypatch.setattr(asyncio, "create_subprocess_exec", start)
    child = Child("agent alder", "golem_devnet.agent")
    child.start()
    await asyncio.sleep(30)
    assert outcomes == []
    assert child.is_running
    await child.stop()
    assert not child.is_running
