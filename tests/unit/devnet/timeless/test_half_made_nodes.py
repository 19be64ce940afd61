"""A node that is given up while it is being made is gone all the same."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from golem_devnet.catalogue.images import NODE_IMAGE, Images, image_hash
from golem_devnet.exeunit import commands
from golem_devnet.exeunit.commands import NodeCommands
from golem_devnet.net.line import HubLine
from golem_devnet.sandbox import node
from golem_devnet.sandbox.node import Sandbox
from tests.unit.devnet.timeless.exeunit import Unit


class SlowSandbox:
    """Takes an hour to come and a second to go."""

    made: list[SlowSandbox]

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.exists = False
        self.made.append(self)

    async def create(self, host_name: str, image: Path) -> None:
        self.exists = True
        await asyncio.sleep(3600)

    async def destroy(self) -> None:
        await asyncio.sleep(1)
        self.exists = False


@pytest.fixture
def sandboxes(monkeypatch: pytest.MonkeyPatch) -> list[SlowSandbox]:
    monkeypatch.setattr(SlowSandbox, "made", [], raising=False)
    monkeypatch.setattr(commands, "Sandbox", SlowSandbox)
    return SlowSandbox.made


def node_commands(tmp_path: Path) -> NodeCommands:
    return NodeCommands(
        folder=tmp_path / "node",
        image_hash=image_hash(NODE_IMAGE),
        images=Images(tmp_path / "images"),
        hub=cast(HubLine, None),
        provider_id="0xa",
        siblings=(),
    )


async def test_an_activity_that_stops_meanwhile_leaves_no_node(tmp_path: Path, sandboxes: list[SlowSandbox]) -> None:
    unit = Unit(commands=node_commands(tmp_path))
    await unit.activity.start()
    await unit.execute("deploy")
    await asyncio.sleep(1)
    (sandbox,) = sandboxes
    assert sandbox.exists
    await unit.activity.stop()
    assert not sandbox.exists
    assert unit.bus.states[-1] == "Terminated"


class Unshare:
    """``unshare`` that waits for its child, the node's first process; killing either ends both."""

    pid, child = 70, 71

    def __init__(self) -> None:
        self.returncode: int | None = None
        self._ended = asyncio.Event()

    def end(self) -> None:
        self.returncode = -signal.SIGKILL
        self._ended.set()

    async def wait(self) -> int | None:
        await self._ended.wait()
        return self.returncode


@pytest.mark.parametrize(("children", "killed"), [([], [Unshare.pid]), ([Unshare.child], [Unshare.child])])
async def test_a_node_without_its_init_is_ended_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, children: list[int], killed: list[int]
) -> None:
    """By its first process where there is one: then ``unshare`` sees it end before it ends itself."""
    process = Unshare()
    kills: list[int] = []

    def kill(pid: int) -> None:
        kills.append(pid)
        process.end()

    monkeypatch.setattr(node, "_children", lambda pid: children if pid == Unshare.pid else [])
    monkeypatch.setattr(node, "_kill", kill)
    sandbox = Sandbox(tmp_path / "node")
    (tmp_path / "node" / "upper").mkdir(parents=True)
    sandbox._process = cast(asyncio.subprocess.Process, process)
    monkeypatch.setattr(asyncio, "to_thread", at_once)
    await sandbox.destroy()
    assert (kills, asyncio.get_running_loop().time()) == (killed, 0)
    assert not (tmp_path / "node").exists()


async def at_once(function: Callable[..., object], /, *arguments: object, **options: object) -> object:
    """Threads wait in real time, of which the loop knows nothing."""
    return function(*arguments, **options)
