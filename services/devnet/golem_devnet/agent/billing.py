"""What an activity costs, exactly: the agreed coefficients times its usage, and the start price."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Any

from golem_devnet.agent.offer import ACCEPT_TIMEOUT, NOTE_INTERVAL, PAYMENT_TIMEOUT

WEI = Decimal("1e-18")


@dataclass(frozen=True)
class Terms:
    """What was agreed. Prices in GLM per second of each counter, then once; times in seconds."""

    coefficients: tuple[Decimal, ...]
    start_price: Decimal
    note_interval: int
    accept_timeout: int
    payment_timeout: int

    @classmethod
    def of(cls, offer: Mapping[str, Any]) -> Terms:
        """From the offer's side of an agreement."""
        *coefficients, start = (Decimal(repr(float(value))) for value in offer["golem.com.pricing.model.linear.coeffs"])
        return cls(
            coefficients=tuple(coefficients),
            start_price=start,
            note_interval=int(offer[NOTE_INTERVAL]),
            accept_timeout=int(offer[ACCEPT_TIMEOUT]),
            payment_timeout=int(offer[PAYMENT_TIMEOUT]),
        )

    def cost(self, usage: Sequence[float]) -> Decimal:
        """GLM with at most 18 decimals, never more than agreed."""
        used = zip(self.coefficients, usage, strict=True)
        total = self.start_price + sum((price * Decimal(repr(amount)) for price, amount in used), Decimal(0))
        return total.quantize(WEI, rounding=ROUND_DOWN)


def amount_text(amount: Decimal) -> str:
    """Without exponent, as yagna wants it."""
    return format(amount, "f")
