"""Offers are read with suspicion."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem_bridge.market.offer import UnusableOfferError, read_offer
from tests.unit.bridge.samples import proposal


def test_a_good_offer_is_read_exactly() -> None:
    offer = read_offer(proposal())
    assert (offer.price.start, offer.price.per_env_second, offer.price.per_cpu_second) == (
        Decimal("0.01"),
        Decimal("0.000005"),
        Decimal("0.00001"),
    )
    assert offer.per_hour == Decimal("0.09")
    assert offer.first_hour == Decimal("0.10")


def test_coefficients_follow_the_names() -> None:
    swapped = proposal(properties={"golem.com.usage.vector": ["golem.usage.cpu_sec", "golem.usage.duration_sec"]})
    assert read_offer(swapped).price.per_cpu_second == Decimal("0.000005")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("golem.com.pricing.model", "auction"),
        ("golem.com.usage.vector", "golem.usage.cpu_sec"),
        ("golem.com.usage.vector", ["golem.usage.duration_sec"]),
        ("golem.com.usage.vector", ["golem.usage.duration_sec", "golem.usage.moonlight"]),
        ("golem.com.pricing.model.linear.coeffs", [0.1, 0.1, -1]),
        ("golem.com.pricing.model.linear.coeffs", [0.1, 0.1, float("nan")]),
        ("golem.com.pricing.model.linear.coeffs", [0.1, 0.1, float("inf")]),
        ("golem.com.pricing.model.linear.coeffs", [0.1, 0.1, 1e30]),
        ("golem.com.pricing.model.linear.coeffs", [0.1, 0.1, "a lot"]),
        ("golem.com.pricing.model.linear.coeffs", "cheap"),
        ("golem.inf.cpu.threads", 0),
        ("golem.inf.cpu.threads", True),
        ("golem.inf.cpu.threads", 1e9),
        ("golem.inf.mem.gib", float("nan")),
        ("golem.inf.mem.gib", float("inf")),
        ("golem.inf.mem.gib", 10**400),
        ("golem.inf.cpu.threads", -(10**400)),
        ("golem.com.pricing.model.linear.coeffs", [0.1, 0.1, 10**400]),
    ],
)
def test_an_absurd_offer_is_refused(name: str, value: object) -> None:
    with pytest.raises(UnusableOfferError):
        read_offer(proposal(properties={name: value}))


@given(st.text(max_size=500))
def test_names_are_short_and_printable(name: str) -> None:
    shown = read_offer(proposal(properties={"golem.node.id.name": name})).provider_name
    assert shown.isprintable()
    assert 0 < len(shown) <= 64
