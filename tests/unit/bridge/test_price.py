"""Amounts as they are written."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem_bridge.money.price import Price, glm_text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "0"),
        ("-0.0", "0"),
        ("0E+8", "0"),
        ("0E-1000026", "0"),
        ("100", "100"),
        ("1E+3", "1000"),
        ("0.01230", "0.0123"),
        ("-1.50", "-1.5"),
        ("1E-18", "0.000000000000000001"),
        ("1E-41", "0"),
        ("-1E-1000000", "0"),
    ],
)
def test_an_amount_is_written_without_exponent_and_idle_zeros(amount: str, text: str) -> None:
    assert glm_text(Decimal(amount)) == text


@given(st.text("0123456789", min_size=1, max_size=60), st.integers(-(10**6), -55))
def test_whatever_old_books_hold_is_written_shortly(digits: str, exponent: int) -> None:
    part = Decimal(f"{digits}E{exponent}")
    price = Price(part, part, part)
    for amount in (part, price.per_hour(1024), price.first_hour(1024)):
        assert len(glm_text(amount)) <= 60
