"""The devnet's health: told for as long as it lives, and nothing of it dies unseen."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, cast

import pytest

from golem_devnet.agent.rest import ProviderRest, RestError
from golem_devnet.supervisor.daemon import Daemon, DaemonError
from golem_devnet.supervisor.offers import OfferWatch
from golem_devnet.supervisor.service import await_chain, keep_up, until_one_ends


class FakeRest:
    """One provider's view of a daemon that answers or not."""

    def __init__(self, offers: list[str] | None) -> None:
        self.offers = offers

    async def call(self, method: str, path: str) -> Any:  # noqa: ANN401 - parsed JSON
        if self.offers is None:
            raise RestError("no answer")
        return self.offers


class Watching:
    """Two providers, of whom the second has not offered."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "run" / "health"
        self.late = FakeRest([])
        rests = {"birch": FakeRest(["an offer"]), "alder": self.late}
        self.watch = OfferWatch(cast(dict[str, ProviderRest], rests), self.path)

    @property
    def waiting(self) -> list[str]:
        return list(json.loads(self.path.read_text())["waiting"])


@pytest.fixture
async def watching(tmp_path: Path) -> Watching:
    return Watching(tmp_path)


async def test_it_tells_who_has_not_offered_yet(watching: Watching) -> None:
    watching.path.parent.mkdir()
    await watching.watch.look()
    assert watching.waiting == ["alder"]
    watching.late.offers = None
    await watching.watch.look()
    assert watching.waiting == ["alder"]
    watching.late.offers = ["an offer"]
    await watching.watch.look()
    assert watching.waiting == []


async def test_a_file_that_cannot_be_written_is_told_once_and_tried_again(
    watching: Watching, caplog: pytest.LogCaptureFixture
) -> None:
    task = asyncio.create_task(watching.watch.keep())
    await asyncio.sleep(60)
    assert not task.done()
    (told,) = caplog.records
    assert told.levelname == "ERROR"
    assert str(watching.path) in told.message
    watching.path.parent.mkdir()
    await asyncio.sleep(5)
    assert watching.waiting == ["alder"]
    task.cancel()


class RunningDaemon:
    """Never ends."""

    async def wait(self) -> int:
        await asyncio.sleep(3600)
        return 0


class BrokenWatch(OfferWatch):
    """Dies of what nobody thought of."""

    async def look(self) -> None:
        raise ZeroDivisionError


async def test_the_devnet_does_not_outlive_its_watch(tmp_path: Path) -> None:
    """Docker starts it again; a devnet that is unhealthy for ever helps nobody."""
    with pytest.raises(ZeroDivisionError):
        await keep_up(cast(Daemon, RunningDaemon()), [], BrokenWatch({}, tmp_path / "health"))
    assert asyncio.get_running_loop().time() < 1


async def test_what_goes_on_is_ended_with_the_first_or_from_outside() -> None:
    ended: list[str] = []

    async def lasting() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append("lasting")

    await until_one_ends(lasting(), asyncio.sleep(1))
    assert ended == ["lasting"]
    outer = asyncio.create_task(until_one_ends(lasting(), lasting()))
    await asyncio.sleep(1)
    outer.cancel()
    await asyncio.wait([outer])
    assert ended == ["lasting"] * 3


async def test_a_chain_that_does_not_come_is_looked_for_in_its_own_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROJECT", "mine-devnet")
    with pytest.raises(DaemonError, match=r"did not appear in 120 s — see: docker compose -p mine-devnet logs chain"):
        await await_chain(tmp_path / "config-payments.toml")
