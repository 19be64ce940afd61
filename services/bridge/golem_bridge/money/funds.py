"""What the wallet holds. yagna's REST API tells it only to those who ask for more than there is."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from golem_bridge.errors import GolemError, InsufficientFundsError
from golem_bridge.golem.port import PaymentPort

TOO_MUCH = Decimal(10**12)
"""GLM; more than exist."""


async def wallet_amount(golem: PaymentPort, *, platform: str, now: datetime) -> Decimal:
    """GLM in the wallet, those set aside for clusters included. Raises GolemError."""
    reserved = sum((allocation.remaining for allocation in await golem.allocations()), start=Decimal(0))
    return reserved + await _available(golem, platform=platform, now=now)


async def _available(golem: PaymentPort, *, platform: str, now: datetime) -> Decimal:
    try:
        allocation = await golem.create_allocation(TOO_MUCH, platform=platform, expires=now + timedelta(minutes=1))
    except InsufficientFundsError as error:
        if error.available is None:
            raise GolemError(
                f"The wallet's amount is unknown — yagna does not tell it: {error.message} — "
                "see: docker compose logs yagna"
            ) from error
        return error.available
    await golem.release_allocation(allocation.allocation_id)
    return TOO_MUCH
