"""What offers are compared by."""

from __future__ import annotations

from decimal import Decimal

from golem_bridge.market.offer import Offer
from golem_bridge.market.requirements import BudgetControl, ExpectedUsage
from golem_bridge.money.price import HOUR


def cost_per_cpu(offer: Offer, usage: ExpectedUsage) -> Decimal:
    """GLM per CPU for the expected usage; start and environment are shared by all CPUs of the node."""
    seconds = usage.duration_hours * HOUR
    shared = offer.price.start + offer.price.per_env_second * seconds
    return shared / offer.threads + offer.price.per_cpu_second * usage.cpu_load * seconds


def comparable_cost(offer: Offer, limits: BudgetControl | None) -> Decimal:
    """GLM: per CPU for the expected usage, if the cluster file tells it; else for the node's first busy hour."""
    usage = limits.per_cpu_expected_usage if limits else None
    return cost_per_cpu(offer, usage) if usage else offer.first_hour
