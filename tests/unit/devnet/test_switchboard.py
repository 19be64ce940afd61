"""The fault switchboard: what it sets, whom it asks, what it refuses, and how it is spoken to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from golem_devnet.faults.board import FaultBoard
from golem_devnet.faults.cli import SwitchboardError, request
from golem_devnet.faults.model import HONEST, Answers, Faults, Paper
from golem_devnet.faults.server import create_app
from golem_devnet.faults.switchboard import Switchboard, SwitchError


class FakeProcess:
    """Remembers what was done to it."""

    def __init__(self) -> None:
        self.is_running = True
        self.crashes = 0

    async def vanish(self) -> None:
        self.is_running = False

    async def come_back(self) -> None:
        self.is_running = True

    async def crash(self) -> None:
        self.crashes += 1


class Bench:
    """A switchboard with two providers."""

    def __init__(self, folder: Path) -> None:
        self.restarted: list[str] = []
        self.switchboard = Switchboard(folder, {"hub": self._restart_hub}, patience=0)
        self.alder, self.birch = FakeProcess(), FakeProcess()
        self.switchboard.add("alder", self.alder)
        self.switchboard.add("birch", self.birch)

    async def _restart_hub(self) -> None:
        self.restarted.append("hub")

    def seen_by(self, name: str) -> Faults:
        """What the agent reads."""
        return FaultBoard(self.switchboard.board_path(name)).read()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_an_agent_without_a_file_is_honest(bench: Bench) -> None:
    assert bench.seen_by("alder") == HONEST


def test_faults_reach_the_one_they_are_for_and_add_up(bench: Bench) -> None:
    bench.switchboard.set("alder", {"agreements": "refuse"})
    bench.switchboard.set("alder", {"debit_notes": "over-priced"})
    assert bench.seen_by("alder") == Faults(agreements=Answers.REFUSE, debit_notes=Paper.OVER_PRICED)
    assert bench.seen_by("birch") == HONEST


def test_a_board_sees_every_change(bench: Bench) -> None:
    board = FaultBoard(bench.switchboard.board_path("alder"))
    for delay in range(20):
        bench.switchboard.set("alder", {"deploy_delay": delay})
        assert board.read().deploy_delay == delay
        assert board.read() is board.read()


def test_a_file_that_makes_no_sense_changes_nothing(bench: Bench) -> None:
    board = FaultBoard(bench.switchboard.board_path("alder"))
    bench.switchboard.set("alder", {"vpn": False})
    assert not board.read().vpn
    bench.switchboard.board_path("alder").write_text('{"vpn": "perhaps"}')
    assert not board.read().vpn


@pytest.mark.parametrize("changes", [{"nonsense": 1}, {"agreements": "perhaps"}, {"deploy_delay": -1}, {"subnet": ""}])
def test_what_is_no_fault_is_refused_and_changes_nothing(bench: Bench, changes: dict[str, object]) -> None:
    with pytest.raises(SwitchError, match="Cannot set faults of alder"):
        bench.switchboard.set("alder", changes)
    assert bench.seen_by("alder") == HONEST


def test_an_unknown_provider_is_refused_by_name(bench: Bench) -> None:
    with pytest.raises(SwitchError, match="unknown provider 'oak' — known: alder, birch"):
        bench.switchboard.set("oak", {"vpn": False})


async def test_vanish_return_and_crash_act_on_the_process(bench: Bench) -> None:
    await bench.switchboard.act("alder", "vanish")
    assert not bench.switchboard.state()["alder"]["running"]
    await bench.switchboard.act("alder", "return")
    await bench.switchboard.act("alder", "crash")
    assert (bench.alder.is_running, bench.alder.crashes, bench.birch.crashes) == (True, 1, 0)
    with pytest.raises(SwitchError, match="unknown action 'dance'"):
        await bench.switchboard.act("alder", "dance")


async def test_each_break_is_a_change_and_clearing_is_none(bench: Bench) -> None:
    await bench.switchboard.act("alder", "break")
    await bench.switchboard.act("alder", "break")
    assert bench.seen_by("alder").breaks == 2
    await bench.switchboard.clear("alder")
    assert bench.seen_by("alder").breaks == 2


async def test_clear_makes_everybody_honest_and_present(bench: Bench) -> None:
    bench.switchboard.set("alder", {"vpn": False})
    await bench.switchboard.act("birch", "vanish")
    await bench.switchboard.clear_all()
    assert bench.seen_by("alder") == HONEST
    assert bench.birch.is_running


async def test_only_known_parts_restart(bench: Bench) -> None:
    await bench.switchboard.restart("hub")
    assert bench.restarted == ["hub"]
    with pytest.raises(SwitchError, match="known: hub"):
        await bench.switchboard.restart("chain")


async def test_a_change_is_answered_once_those_who_run_act_by_it(bench: Bench) -> None:
    board = FaultBoard(bench.switchboard.board_path("alder"))
    board.obey(HONEST)
    bench.birch.is_running = False
    bench.switchboard._patience = 60
    await bench.switchboard.obeyed()
    bench.switchboard.set("alder", {"vpn": False})
    waiting = asyncio.create_task(bench.switchboard.obeyed())
    await asyncio.sleep(0.2)
    assert not waiting.done()
    board.obey(board.read())
    await waiting


async def test_an_agent_that_does_not_obey_holds_nobody_up(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    await bench.switchboard.obeyed()
    assert "alder, birch: faults not obeyed" in caplog.text


@pytest.fixture
async def client(bench: Bench) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    async with TestClient(TestServer(create_app(bench.switchboard))) as made:
        yield made


async def test_the_api_does_what_the_command_line_asks(
    bench: Bench, client: TestClient[web.Request, web.Application]
) -> None:
    for line in (
        "set alder agreements=refuse deploy_delay=1.5 vpn=false subnet=elsewhere",
        "vanish birch",
        "crash alder",
        "restart hub",
    ):
        method, path, body = request(line.split())
        async with client.request(method, path, json=body) as answer:
            assert answer.status == 200, await answer.text()
    assert bench.seen_by("alder") == Faults(agreements=Answers.REFUSE, deploy_delay=1.5, vpn=False, subnet="elsewhere")
    assert (bench.birch.is_running, bench.alder.crashes, bench.restarted) == (False, 1, ["hub"])
    method, path, _ = request(["clear"])
    async with client.request(method, path) as answer:
        state = await answer.json()
    assert state["birch"]["running"]
    assert state["alder"]["faults"] == json.loads(HONEST.model_dump_json())


@pytest.mark.parametrize(("body", "said"), [(b"{", "no JSON"), (b"[]", "no JSON object"), (b'{"x": 1}', "Cannot set")])
async def test_the_api_says_what_is_wrong(
    client: TestClient[web.Request, web.Application], body: bytes, said: str
) -> None:
    async with client.patch("/providers/alder", data=body) as answer:
        assert answer.status == 400
        assert said in (await answer.json())["error"]


def test_the_command_line_wants_pairs() -> None:
    with pytest.raises(SwitchboardError, match="fault=value"):
        request(["set", "alder", "vpn"])
