"""Payments as they come in, however many at a time: each is booked and told once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem_bridge.golem.types import Payment
from golem_bridge.money import stream
from golem_bridge.money.bookkeeper import Bookkeeper
from golem_bridge.money.contracts import Contracts
from golem_bridge.money.ledger import Ledger
from golem_bridge.money.price import to_glm
from golem_bridge.money.stream import OVERLAP
from golem_bridge.store.database import Database
from tests.fakes.golem import MemoryGolem
from tests.fakes.loop import LoopClock, VirtualLoop
from tests.unit.bridge.samples import contract

FEW = 3
"""Instead of NEW, so that few payments fill an answer."""


class Books:
    """A bookkeeper with one contract, under which payments of 1 wei each are made."""

    def __init__(self) -> None:
        self.clock = LoopClock()
        self.golem = MemoryGolem(clock=self.clock)
        self.database = Database.open(None)
        self.contracts = Contracts(self.database)
        self.contracts.add(contract())
        self.made = 0
        self.restart()

    def restart(self) -> None:
        self.told: list[str] = []
        self.ledger = Ledger(self.database)
        self.bookkeeper = Bookkeeper(
            golem=self.golem,
            database=self.database,
            contracts=self.contracts,
            ledger=self.ledger,
            clock=self.clock,
            allocation_of=lambda _: None,
            notify=self.told.append,
        )

    def pay(self, *ages: float) -> None:
        """Payments become known that were made so many seconds ago."""
        for age in ages:
            self.made += 1
            at, wei = self.clock.now() - timedelta(seconds=age), to_glm(1)
            self.golem._payments.append(
                Payment(f"payment-{self.made}", "0x2", wei, at, f"0x{self.made}", {contract().agreement_id: wei}, {})
            )

    @property
    def booked(self) -> int:
        return self.ledger.paid(contract().agreement_id)


@pytest.mark.parametrize("age", [0.0, 1.5])
async def test_more_payments_of_one_moment_than_an_answer_holds_are_all_booked(age: float) -> None:
    books = Books()
    await books.bookkeeper.read_payments()
    books.pay(*[age] * 250)
    for _ in range(3):
        await books.bookkeeper.read_payments()
    assert (books.booked, len(books.told)) == (250, 250)
    books.pay(0)
    await books.bookkeeper.read_payments()
    assert (books.booked, len(books.told)) == (251, 251), "those behind them are reached"


AGES = st.integers(min_value=0, max_value=int(OVERLAP.total_seconds() * 1000) - 1).map(lambda age: age / 1000)
MADE = st.lists(AGES | st.just(0.5), max_size=3 * FEW)
STEPS = st.lists(MADE | st.sampled_from(["look", "pause", "restart"]), max_size=12)


@given(STEPS)
def test_every_payment_is_booked_and_told_once(steps: Sequence[Sequence[float] | str]) -> None:
    async def live() -> None:
        books = Books()
        restarted = False
        for step in ["look", *steps]:
            match step:
                case "look":
                    await books.bookkeeper.read_payments()
                case "pause":
                    await books.clock.sleep(1.5)
                case "restart":
                    books.restart()
                    restarted = True
                case ages:
                    books.pay(*map(float, ages))
            assert len(books.told) <= books.made
        for _ in range(books.made // FEW + 1):
            await books.bookkeeper.read_payments()
        assert books.booked == books.made
        assert restarted or len(books.told) == books.made

    loop = VirtualLoop()
    with mock.patch.object(stream, "NEW", FEW):
        loop.run_until_complete(live())
    loop.close()
