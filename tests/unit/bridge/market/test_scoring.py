"""Offers are compared by what they would cost."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from golem_bridge.market.offer import Offer
from golem_bridge.market.requirements import BudgetControl, ExpectedUsage
from golem_bridge.market.scoring import comparable_cost, cost_per_cpu
from golem_bridge.market.screening import Filter, broken_limit
from golem_bridge.money.price import HOUR, Price

PRICES = st.decimals(min_value=0, max_value=10, places=9)
USAGES = st.builds(
    ExpectedUsage,
    cpu_load=st.decimals(min_value=0, max_value=1, places=2),
    duration_hours=st.decimals(min_value=0, max_value=100, places=2),
)


def offered(start: Decimal, env_per_hour: Decimal, cpu_per_hour: Decimal, threads: int = 1) -> Offer:
    price = Price(start=start, per_cpu_second=cpu_per_hour / HOUR, per_env_second=env_per_hour / HOUR)
    return Offer("proposal", "0xprovider", "provider", price, (), threads, 4.0, 20.0)


OFFERS = st.builds(offered, PRICES, PRICES, PRICES, st.integers(1, 64))


def test_the_example_of_the_old_documentation() -> None:
    usage = ExpectedUsage(cpu_load=Decimal("0.8"), duration_hours=Decimal("0.5"))
    start, env, cpu = Decimal("0.3"), Decimal("0.6"), Decimal("0.9")
    whole_node = start + env * Decimal("0.5") + 3 * cpu * Decimal("0.8") * Decimal("0.5")
    assert cost_per_cpu(offered(start, env, cpu, threads=3), usage) * 3 == pytest.approx(whole_node)


def test_many_cpus_share_start_and_environment() -> None:
    usage = ExpectedUsage(cpu_load=Decimal(1), duration_hours=Decimal(1))
    limits = BudgetControl(per_cpu_expected_usage=usage)
    small = offered(Decimal("0.1"), Decimal("0.1"), Decimal("0.1"), threads=1)
    big = offered(Decimal("0.2"), Decimal("0.2"), Decimal("0.1"), threads=8)
    assert comparable_cost(big, limits) < comparable_cost(small, limits)
    assert comparable_cost(small, None) < comparable_cost(big, None)


@given(OFFERS)
def test_without_expected_usage_the_first_busy_hour_counts(offer: Offer) -> None:
    assert comparable_cost(offer, None) == comparable_cost(offer, BudgetControl()) == offer.first_hour


@given(OFFERS, USAGES, st.decimals(min_value=0, max_value=10, places=9))
def test_a_dearer_offer_never_scores_better(offer: Offer, usage: ExpectedUsage, more: Decimal) -> None:
    price = offer.price
    dearer = [
        Price(price.start + more, price.per_cpu_second, price.per_env_second),
        Price(price.start, price.per_cpu_second + more, price.per_env_second),
        Price(price.start, price.per_cpu_second, price.per_env_second + more),
    ]
    for other in dearer:
        worse = Offer("proposal", "0xother", "other", other, (), offer.threads, 4.0, 20.0)
        assert cost_per_cpu(worse, usage) >= cost_per_cpu(offer, usage)


@given(OFFERS, USAGES, PRICES)
def test_max_cost_refuses_exactly_what_costs_more(offer: Offer, usage: ExpectedUsage, max_cost: Decimal) -> None:
    limits = BudgetControl(per_cpu_expected_usage=usage.model_copy(update={"max_cost": max_cost}))
    refusal = broken_limit(offer, limits)
    assert (refusal is not None) == (cost_per_cpu(offer, usage) > max_cost)
    assert refusal is None or refusal.filter is Filter.COST


@given(
    OFFERS,
    st.builds(
        BudgetControl,
        max_start_price=st.none() | PRICES,
        max_cpu_per_hour_price=st.none() | PRICES,
        max_env_per_hour_price=st.none() | PRICES,
    ),
)
def test_an_offer_passes_if_no_price_is_above_its_limit(offer: Offer, limits: BudgetControl) -> None:
    asked = (offer.price.start, offer.price.per_cpu_second * HOUR, offer.price.per_env_second * HOUR)
    allowed = (limits.max_start_price, limits.max_cpu_per_hour_price, limits.max_env_per_hour_price)
    passes = all(limit is None or price <= limit for price, limit in zip(asked, allowed, strict=True))
    assert (broken_limit(offer, limits) is None) == passes


@pytest.mark.parametrize(
    "usage",
    [
        {"cpu_load": "0.8"},
        {"cpu_load": "0.8", "duration_hours": "-1"},
        {"cpu_load": "nan", "duration_hours": "1"},
        {"cpu_load": "0.8", "duration_hours": "1", "max_costs": "1"},
    ],
)
def test_a_bad_expected_usage_is_an_error(usage: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        BudgetControl.model_validate({"per_cpu_expected_usage": usage})
