"""What a budget can still carry: pure arithmetic over contracts and ledger."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from golem_bridge.money.contracts import Contract, Standing
from golem_bridge.money.ledger import Ledger
from golem_bridge.money.price import to_glm

TAIL = Decimal(60)
"""Seconds a node may go on costing between the decision to end it and its end."""


def reserved(contract: Contract, ledger: Ledger, now: datetime) -> Decimal:
    """GLM set aside for one contract.

    Running: the start and one hour, or all it can have cost so far and the tail, if that is more; an invoice that came
    early ends nothing. Over but not invoiced: the most it can have cost. Over and invoiced: the invoice.
    """
    if contract.ended_at is None:
        return max(contract.price.first_hour(contract.threads), exposure(contract, ledger, now))
    if contract.invoiced_wei is not None:
        return to_glm(contract.invoiced_wei)
    return max(contract.most_it_can_cost(now), to_glm(ledger.accepted(contract.agreement_id)))


def exposure(contract: Contract, ledger: Ledger, now: datetime) -> Decimal:
    """GLM one contract will have cost at most if it is ended now."""
    if contract.ended_at is not None:
        return reserved(contract, ledger, now)
    tail = contract.price.per_hour(contract.threads) * TAIL / 3600
    return contract.most_it_can_cost(now) + tail


def total_reserved(standing: Standing, ledger: Ledger, now: datetime) -> Decimal:
    """GLM of a cluster's budget that is spent or set aside."""
    amounts = (reserved(contract, ledger, now) for contract in standing.unfinished)
    return sum(amounts, to_glm(standing.invoiced_wei))


def total_exposure(standing: Standing, ledger: Ledger, now: datetime) -> Decimal:
    """GLM a cluster will have cost at most if everything is ended now."""
    amounts = (exposure(contract, ledger, now) for contract in standing.unfinished)
    return sum(amounts, to_glm(standing.invoiced_wei))
