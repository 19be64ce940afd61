"""Numbers from outside: amounts of GLM, usage counters, moments.

An acceptable amount is what the token can express: a decimal string, finite, not negative, at most 18 decimals
(ya-provider rounds to 15), below a billion GLM (all there is).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator

from golem_bridge.golem.yagna.failures import quoted

MAX_LENGTH = 64
"""Characters of an amount."""

MAX_AMOUNT = Decimal(10) ** 9
"""GLM; there is no more of it."""

WEI = 10**18
"""Smallest units in one GLM."""

MAX_USAGE = Decimal(10) ** 12
"""Counters of usage (seconds, mostly)."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)


def parse_amount(value: object) -> Decimal:
    """GLM from a decimal string, exactly. Raises ValueError saying what is wrong."""
    if not isinstance(value, str):
        raise ValueError(f"amount is of type {type(value).__name__}, not a decimal string")
    if len(value) > MAX_LENGTH:
        raise ValueError(f"amount of {len(value)} characters")
    if not _NUMBER.fullmatch(value):
        raise ValueError(f"amount {quoted(value)!r} is not a number")
    amount = Decimal(value)
    if amount < 0:
        raise ValueError(f"amount {value!r} is negative")
    if amount >= MAX_AMOUNT:
        raise ValueError(f"amount {value!r} is more GLM than there is")
    numerator, denominator = amount.as_integer_ratio()  # integers: decimals would be rounded by the context
    wei, rest = divmod(numerator * WEI, denominator)
    if rest:
        raise ValueError(f"amount {value!r} has more than 18 decimals")
    return Decimal(wei).scaleb(-18).normalize() + 0  # 27 digits at most: exact; + 0 takes 1E+1 back to 10


def parse_counter(value: object) -> Decimal:
    """A usage counter from a JSON number. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("usage counter is not a number")
    counter = Decimal(repr(value))
    if not counter.is_finite() or not 0 <= counter < MAX_USAGE:
        raise ValueError(f"usage counter {quoted(repr(value), 40)} is out of range")
    return counter


def utc(moment: datetime) -> datetime:
    """Aware and in UTC; yagna leaves the zone out where it means UTC. Raises ValueError at the ends of the calendar."""
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("date is out of range") from None


Amount = Annotated[Decimal, BeforeValidator(parse_amount)]
Counter = Annotated[Decimal, BeforeValidator(parse_counter)]
