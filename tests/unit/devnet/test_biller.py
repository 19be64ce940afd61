"""When a provider gives up on debit notes that were not accepted."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any, cast

import pytest

from golem_devnet.agent.billing import Terms
from golem_devnet.agent.payments import Biller, DebitNoteTimeoutError
from golem_devnet.agent.rest import ProviderRest
from tests.unit.devnet.waiting import until

TERMS = Terms(
    coefficients=(Decimal("0.001"), Decimal(0)),
    start_price=Decimal(1),
    note_interval=0,
    accept_timeout=1,
    payment_timeout=100,
)


class FakeRest:
    """A daemon that numbers debit notes and takes its time."""

    def __init__(self) -> None:
        self.issued = 0

    async def call(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - parsed JSON
        assert method == "POST"
        await asyncio.sleep(0.05)
        if path.endswith("/debitNotes"):
            self.issued += 1
            return {"debitNoteId": str(self.issued)}
        return None


@pytest.fixture
def rest() -> FakeRest:
    return FakeRest()


def billing(rest: FakeRest) -> tuple[Biller, asyncio.Task[None]]:
    biller = Biller(cast(ProviderRest, rest), "agreement", TERMS)
    return biller, asyncio.create_task(biller.bill_activity("activity", lambda: [1.0, 0.0]))


async def test_accepting_a_note_accepts_the_earlier_ones_of_the_activity(rest: FakeRest) -> None:
    """They may have been lost while the requestor's daemon was away; the total of the later one holds theirs."""
    biller, task = billing(rest)
    accepted = 0
    begin = asyncio.get_running_loop().time()
    while asyncio.get_running_loop().time() < begin + 2.5:
        wanted = accepted + 3
        await until(lambda wanted=wanted: rest.issued > wanted)  # type: ignore[misc]
        biller.accepted(str(wanted))
        accepted = wanted
    assert not task.done()
    task.cancel()


async def test_a_note_that_is_not_accepted_in_time_ends_it(rest: FakeRest) -> None:
    biller, task = billing(rest)
    await until(lambda: rest.issued > 1)
    biller.accepted("1")
    biller.accepted("unknown")
    with pytest.raises(DebitNoteTimeoutError, match="debit note 2 was not accepted in 1 s"):
        await asyncio.wait_for(task, 10)
