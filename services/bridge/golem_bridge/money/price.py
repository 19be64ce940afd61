"""Prices as agreed with a provider: linear in seconds of environment and of CPU, plus a start price."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal

HOUR = 3600
"""Seconds."""

DECIMALS = 18
"""GLM has that many: 1 GLM is 10^18 wei."""

DECIMALS_WRITTEN = 40
"""More than any sane price has. Books may hold prices with 10^11 of them, which no memory can hold written out."""

_EXACT = Context(prec=100, rounding=ROUND_CEILING)
"""The default context's 28 digits would round amounts from 10^10 GLM on."""


def to_wei(amount: Decimal) -> int:
    """GLM to wei, rounded up; exact for amounts of at most 18 decimals."""
    return int(amount.scaleb(DECIMALS, context=_EXACT).to_integral_value(context=_EXACT))


def to_glm(wei: int) -> Decimal:
    """Wei to GLM, exact."""
    return Decimal(wei).scaleb(-DECIMALS, context=_EXACT)


def glm_text(amount: Decimal) -> str:
    """GLM without exponent and without idle zeros: ``0.0123``; rounded to 40 decimals."""
    text = format(amount, f".{DECIMALS_WRITTEN}f").rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


@dataclass(frozen=True, slots=True)
class Price:
    """GLM: once at the start, per CPU-second and per second of the environment."""

    start: Decimal
    per_cpu_second: Decimal
    per_env_second: Decimal

    def cost(self, *, env_seconds: Decimal, cpu_seconds: Decimal) -> Decimal:
        """GLM for one activity."""
        return self.start + self.per_env_second * env_seconds + self.per_cpu_second * cpu_seconds

    def per_hour(self, threads: int) -> Decimal:
        """GLM for an hour with all ``threads`` busy, without the start price."""
        return (self.per_env_second + self.per_cpu_second * threads) * HOUR

    def first_hour(self, threads: int) -> Decimal:
        """GLM for the start and one hour with all ``threads`` busy."""
        return self.start + self.per_hour(threads)
