"""When a cluster's bills are paid: the caretaker's short questions get the answer a look at every contract gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from golem_bridge.clusters.model import Cluster
from golem_bridge.money.contracts import Contract
from golem_bridge.settings import GolemNetwork
from tests.fakes.loop import VirtualLoop
from tests.unit.bridge.bench import Bench
from tests.unit.bridge.samples import START, contract, spec

WEI = st.integers(min_value=0, max_value=3)
FACTS = st.fixed_dictionaries(
    {
        "activity_since": st.sampled_from([None, START]),
        "ended_at": st.sampled_from([None, START]),
        "invoiced_wei": st.none() | WEI,
    }
)
BILLS = st.tuples(FACTS.map(lambda facts: contract(**facts)), WEI)
"""A contract and the wei paid for it."""


def is_paid(row: Contract, paid: int) -> bool:
    if row.ended_at is None:
        return False
    return row.activity_since is None or (row.invoiced_wei is not None and paid >= row.invoiced_wei)


async def is_settled(bills: Sequence[tuple[Contract, int]]) -> bool:
    """What the caretaker says of a cluster that has these and nothing else."""
    bench = Bench()
    for number, (facts, wei) in enumerate(bills):
        row = replace(facts, agreement_id=f"agreement-{number}")
        bench.books.contracts.add(row)
        whose = {"cluster_id": row.cluster_id, "agreement_id": row.agreement_id, "payment_id": f"payment-{number}"}
        bench.books.ledger.pay(**whose, wei=wei, tx_hash="0x", at=START)
    settled = bench.caretaker.is_settled(Cluster("demo-1", "demo", 1, spec(), START, GolemNetwork.DEVNET))
    await bench.end()
    return settled


@given(st.lists(BILLS, max_size=6))
def test_a_cluster_is_settled_once_every_contract_is_over_and_paid(bills: Sequence[tuple[Contract, int]]) -> None:
    loop = VirtualLoop()
    assert loop.run_until_complete(is_settled(bills)) == all(is_paid(row, wei) for row, wei in bills)
    loop.close()
