"""What a provider remembers of its deals."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from golem_devnet.agent.config import AgentConfig, ProviderConfig
from golem_devnet.agent.payments import Stranger
from golem_devnet.agent.provider import Provider
from golem_devnet.agent.rest import ProviderRest
from golem_devnet.net.bus import BusClient
from golem_devnet.net.line import HubLine
from tests.unit.devnet.timeless.deals import FakeRest, agreement
from tests.unit.devnet.timeless.exeunit import FakeBus

ALDER = ProviderConfig.model_validate(
    {
        "name": "alder",
        "start_price": 1,
        "per_cpu_second": 1,
        "per_env_second": 1,
        "threads": 1,
        "memory_gib": 1,
        "storage_gib": 1,
    }
)


class Signing:
    """A provider that signs agreements and lets each end, with an activity or without."""

    def __init__(self, folder: Path) -> None:
        config = AgentConfig(
            provider=ALDER,
            node_id="0xa",
            app_key="",
            api_url="",
            bus_url="",
            hub_url="",
            subnet="devnet",
            platform="erc20-hoodi-tglm",
            siblings=(),
            faults_file=folder / "faults.json",
        )
        self.bus = FakeBus()
        rest, bus = cast(ProviderRest, FakeRest()), cast(BusClient, self.bus)
        self.provider = Provider(config, rest=rest, bus=bus, hub=cast(HubLine, None))

    async def deal(self, agreement_id: str, *activity_ids: str) -> None:
        await self.provider._sign(agreement(agreement_id))
        deal = self.provider._deals[agreement_id]
        for activity_id in activity_ids:
            await deal.create_activity(activity_id)
        await deal.finish()


@pytest.fixture
async def signing(tmp_path: Path) -> Signing:
    return Signing(tmp_path)


async def test_it_forgets_deals_but_the_one_it_can_bill_again_by_mistake(signing: Signing) -> None:
    await signing.deal("first", "a1")
    await signing.deal("second", "a2")
    for number in range(10):
        await signing.deal(f"idle {number}")
    assert set(signing.provider._deals) == {"second", "idle 9"}
    assert signing.provider._stranger_to("idle 9") == Stranger("second", "a2")


async def test_an_activity_of_before_its_restart_ends_when_the_requestor_wants_it_to(signing: Signing) -> None:
    """Nothing of it is left, and a requestor that is not told waits for its end, again and again."""
    await signing.provider._on_activity(event("DestroyActivity"))
    assert signing.bus.states == ["Terminated"]


async def test_an_activity_is_not_begun_under_an_agreement_of_before_its_restart(signing: Signing) -> None:
    await signing.provider._on_activity(event("CreateActivity"))
    assert signing.bus.states == []


async def test_what_is_wanted_while_it_closes_old_agreements_is_done_afterwards(
    signing: Signing, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_made = datetime.now(UTC)
    asked: asyncio.Queue[datetime] = asyncio.Queue()

    async def events(_path: str, *, after: str) -> list[dict[str, Any]]:
        await asked.put(datetime.fromisoformat(after))
        return await asyncio.Future()

    monkeypatch.setattr(signing.provider._rest, "events", events, raising=False)
    following = asyncio.create_task(signing.provider._activities())
    assert await asked.get() <= is_made
    following.cancel()
    await asyncio.wait([following])


def event(kind: str) -> dict[str, Any]:
    """As the daemon tells it."""
    return {"eventType": {kind: {}}, "activityId": "of before", "agreementId": "of before"}
