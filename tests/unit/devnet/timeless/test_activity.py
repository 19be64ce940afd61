"""How an activity ends: once, wholly, and told to its daemon."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from golem_devnet.exeunit.batch import Batch
from tests.unit.devnet.timeless.exeunit import Unit

HEARD_BY_THE_DAEMON = 3.0
"""Seconds from the script's end."""


@pytest.fixture
async def unit() -> Unit:
    made = Unit()
    await made.activity.start()
    return made


async def test_terminate_in_a_script_ends_the_activity_by_itself(unit: Unit) -> None:
    await unit.execute("deploy", "start", "terminate")
    await asyncio.sleep(HEARD_BY_THE_DAEMON)
    assert unit.bus.states == ["Initialized", "Deployed", "Ready", "Terminated"]
    assert (unit.activity.state, unit.commands.destroyed, unit.bus.bound) == ("Terminated", 1, {})


async def test_what_is_destroyed_after_its_own_end_is_left_alone(unit: Unit) -> None:
    await unit.execute("terminate")
    await asyncio.sleep(0.3)  # it is ending
    await unit.activity.stop()
    assert (unit.bus.states[-1], unit.commands.destroyed) == ("Terminated", 1)
    await unit.activity.stop()
    assert (unit.bus.states.count("Terminated"), unit.commands.destroyed) == (1, 1)


async def test_terminate_said_twice_ends_it_once(unit: Unit) -> None:
    await unit.execute("terminate", "terminate")
    await asyncio.sleep(HEARD_BY_THE_DAEMON)
    assert (unit.bus.states.count("Terminated"), unit.commands.destroyed) == (1, 1)


@pytest.mark.parametrize("command", ["run", "transfer"])
async def test_a_script_that_runs_is_ended_with_the_activity(unit: Unit, command: str) -> None:
    await unit.execute(command)
    await asyncio.sleep(1)
    await unit.activity.stop()
    assert unit.bus.states[-1] == "Terminated"
    assert {task.get_name() for task in asyncio.all_tasks()} & {f"batch {command}", "usage a1"} == set()


async def test_a_script_that_comes_while_it_ends_is_refused(unit: Unit) -> None:
    """It could make a node that nobody destroys."""
    stopping = asyncio.create_task(unit.activity.stop())
    await asyncio.sleep(0.5)
    answer = await unit.bus.ask(f"{unit.address}/Exec", {"batchId": "late", "exeScript": [{"deploy": {}}]})
    assert answer == {"Err": {"badRequest": "the activity is ending"}}
    await stopping


async def test_who_follows_a_script_sees_it_cut_off(unit: Unit) -> None:
    batch_id = await unit.execute("deploy", "run")
    streamed: list[dict[str, Any]] = []
    results = asyncio.create_task(
        unit.bus.ask(f"{unit.address}/GetExecBatchResults", {"batchId": batch_id, "timeout": 3600})
    )
    stream = asyncio.create_task(unit.bus.follow(f"{unit.address}/StreamExecBatchResults", batch_id, streamed))
    await asyncio.sleep(1)
    await unit.activity.stop()
    await asyncio.sleep(1)
    assert stream.done()
    assert [next(iter(event["kind"])) for event in streamed] == ["started", "stdout", "finished", "started"]
    assert results.done()
    assert [result["stdout"] for result in results.result()["Ok"]] == ["deploy is done"]


async def test_an_ended_activity_keeps_no_output(unit: Unit) -> None:
    """Its provider remembers it for the bill."""
    batch_id = await unit.execute("deploy", "start")
    await asyncio.sleep(1)
    assert batch_id in batches()
    await unit.activity.stop()
    assert batch_id not in batches()


def batches() -> set[str]:
    """Of all activities of this process."""
    gc.collect()
    return {found.batch_id for found in gc.get_objects() if isinstance(found, Batch)}
