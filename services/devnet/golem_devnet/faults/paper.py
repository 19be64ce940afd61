"""Debit notes and invoices as a dishonest provider would send them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from golem_devnet.faults.model import Paper

OVER_PRICE = 10
"""Times the honest amount."""

LEAST = Decimal("0.01")
"""GLM an over-priced document asks for at least."""

GARBAGE = "\x00garbage"
FRACTION = "1"
"""The nineteenth decimal: GLM has eighteen."""

Body = Mapping[str, Any]
"""What is posted to ``/payment-api/v1/debitNotes`` or ``/payment-api/v1/invoices``."""


def debit_notes(paper: Paper, honest: Body, *, stranger: str | None) -> list[Body]:
    """What to send instead of an honest debit note; ``stranger`` is an activity of another agreement."""
    match paper:
        case Paper.OVER_PRICED:
            return [{**honest, "totalAmountDue": _raised(honest["totalAmountDue"])}]
        case Paper.DUPLICATE:
            return [honest, honest]
        case Paper.MALFORMED:
            return [{**honest, "usageCounterVector": GARBAGE}]
        case Paper.WRONG_AGREEMENT:
            return [{**honest, "activityId": stranger}] if stranger is not None else []
        case Paper.HONEST:
            return [honest]


def invoices(paper: Paper, honest: Body, *, stranger: Body | None) -> list[Body]:
    """What to send instead of an honest invoice; ``stranger`` names another agreement and its activities.

    Lies the provider's own yagna 0.17.6 lets pass: it refuses activities of no or of another agreement, and an
    invoice that asks for less than an earlier one.
    """
    match paper:
        case Paper.OVER_PRICED:
            return [{**honest, "amount": _raised(honest["amount"])}]
        case Paper.DUPLICATE:
            return [honest, honest]
        case Paper.MALFORMED:
            return [{**honest, "activityIds": [], "amount": f"{Decimal(honest['amount']):.18f}{FRACTION}"}]
        case Paper.WRONG_AGREEMENT:
            amount = _raised(honest["amount"])
            return [{**honest, **stranger, "amount": amount}] if stranger is not None else []
        case Paper.HONEST:
            return [honest]


def _raised(amount: str) -> str:
    return format(max(Decimal(amount) * OVER_PRICE, LEAST), "f")
