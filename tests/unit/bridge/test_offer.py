"""Offers are read with suspicion."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem_bridge.market.offer import UnusableOfferError, read_offer
from golem_bridge.money.price import glm_text
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
        ("golem.com.pricing.model.linear.coeffs", [0.1, 0.1, 10**5000]),
        ("golem.com.pricing.model.linear.coeffs", [0.1, 0.1, True]),
        ("golem.com.pricing.model.linear.coeffs", ["0.1", "0.1", "0.1"]),
        ("golem.com.pricing.model.linear.coeffs", ["0", "0", "1e-99999999999"]),
        ("golem.com.pricing.model.linear.coeffs", [0.1, 0.1, 9.9e-31]),
        ("golem.com.pricing.model.linear.coeffs", [0.1, 0.1, 5e-324]),
    ],
)
def test_an_absurd_offer_is_refused(name: str, value: object) -> None:
    with pytest.raises(UnusableOfferError):
        read_offer(proposal(properties={name: value}))


@given(st.lists(st.just(0) | st.integers(0, 10**6) | st.floats(1e-30, 1e6), min_size=3, max_size=3))
def test_every_sane_price_is_read_exactly_and_written_shortly(coefficients: list[float]) -> None:
    offer = read_offer(proposal(properties={"golem.com.pricing.model.linear.coeffs": coefficients}))
    price = offer.price
    assert [float(part) for part in (price.per_env_second, price.per_cpu_second, price.start)] == coefficients
    assert max(len(glm_text(amount)) for amount in (price.start, offer.per_hour, offer.first_hour)) < 64


@given(st.text(max_size=500))
def test_names_are_short_and_printable(name: str) -> None:
    shown = read_offer(proposal(properties={"golem.node.id.name": name})).provider_name
    assert shown.isprintable()
    assert 0 < len(shown) <= 64
