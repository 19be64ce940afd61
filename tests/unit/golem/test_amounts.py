"""Numbers from outside."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem_bridge.golem.yagna.amounts import MAX_AMOUNT, parse_amount, parse_counter

WEI = Decimal(10) ** -18


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0", "0"),
        ("-0", "0"),
        ("1.5", "1.5"),
        ("0.014109", "0.014109"),
        ("10", "10"),
        ("1e2", "100"),
        ("1E-18", "0.000000000000000001"),
        ("0.100000000000000000000000000000", "0.1"),
        ("999999999.999999999999999999", "999999999.999999999999999999"),
    ],
)
def test_amounts_the_token_can_express(text: str, amount: str) -> None:
    assert parse_amount(text) == Decimal(amount)


def test_amounts_read_well() -> None:
    assert [str(parse_amount(text)) for text in ("10", "1e2", "1.50", "0.000")] == ["10", "100", "1.5", "0"]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("NaN", "not a number"),
        ("Infinity", "not a number"),
        ("-1", "negative"),
        ("", "not a number"),
        (" 1", "not a number"),
        ("1_000", "not a number"),
        ("٣", "not a number"),
        ("0x10", "not a number"),
        ("1" * 65, "65 characters"),
        ("1e9", "more GLM than there is"),
        ("1e9999", "more GLM than there is"),
        ("1e99999", "not a number"),
        ("1e-19", "18 decimals"),
        ("0.1234567890123456789", "18 decimals"),
        ("999999999.9999999999999999999", "18 decimals"),
        (1.5, "type float"),
        (1, "type int"),
        (None, "type NoneType"),
        (["1"], "type list"),
    ],
)
def test_amounts_that_are_refused(value: object, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_amount(value)


@given(st.integers(min_value=0, max_value=int(MAX_AMOUNT) * 10**18 - 1))
def test_every_number_of_wei_passes_unchanged(wei: int) -> None:
    text = f"{wei // 10**18}.{wei % 10**18:018d}"
    amount = parse_amount(text)
    assert amount.as_integer_ratio() == (Decimal(text)).as_integer_ratio()
    assert parse_amount(format(amount, "f")) == amount


@given(st.text(max_size=80) | st.from_regex(r"[+-]?[0-9]{0,70}\.?[0-9]{0,30}([eE][+-]?[0-9]{1,6})?", fullmatch=True))
def test_whatever_is_written_is_refused_or_in_bounds(text: str) -> None:
    try:
        amount = parse_amount(text)
    except ValueError:
        return
    assert 0 <= amount < MAX_AMOUNT
    assert amount % WEI == 0


@given(st.floats() | st.integers() | st.booleans() | st.none() | st.text(max_size=5))
def test_counters_are_refused_or_in_bounds(value: object) -> None:
    try:
        counter = parse_counter(value)
    except ValueError:
        return
    assert counter.is_finite()
    assert counter >= 0
