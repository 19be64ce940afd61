"""``python -m golem_bridge.audit``: what is open at yagna right now, as JSON. Exit code 1 if anything is."""

from __future__ import annotations

import asyncio
import json
import sys

from golem_bridge.app import app_session
from golem_bridge.errors import NotFoundError
from golem_bridge.golem.types import AgreementState
from golem_bridge.golem.yagna import YagnaGolem
from golem_bridge.money.contracts import Contracts
from golem_bridge.settings import Settings, read_secret
from golem_bridge.store.database import Database
from golem_bridge.store.values import Values

ENDED = "Terminated"


async def audit(settings: Settings) -> dict[str, list[str]]:
    """Ids of live agreements, activities and allocations, asked from yagna itself."""
    database = Database.open(settings.bridge_data_dir / "bridge.sqlite", golem_network=settings.golem_network.value)
    golem = YagnaGolem(settings.yagna_api_url, read_secret(settings.yagna_appkey_file))
    try:
        agreements = await golem.agreements(app_session_id=app_session(Values(database)))
        return {
            "agreements": [row.agreement_id for row in agreements if row.state is AgreementState.APPROVED],
            "activities": await _live_activities(golem, Contracts(database)),
            "allocations": [allocation.allocation_id for allocation in await golem.allocations()],
        }
    finally:
        await golem.close()
        database.close()


async def _live_activities(golem: YagnaGolem, contracts: Contracts) -> list[str]:
    live = []
    for contract in contracts.all():
        if contract.activity_id is None:
            continue
        try:
            if await golem.activity_state(contract.activity_id) != ENDED:
                live.append(contract.activity_id)
        except NotFoundError:
            continue  # yagna has forgotten it: it cannot cost anything
    return live


if __name__ == "__main__":
    found = asyncio.run(audit(Settings()))
    print(json.dumps(found))  # noqa: T201 - this is the program's output
    sys.exit(1 if any(found.values()) else 0)
