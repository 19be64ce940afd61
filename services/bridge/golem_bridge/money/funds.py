"""What the wallet holds. yagna tells it on its command line only; its container writes that into a file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from golem_bridge.errors import GolemError

STALE = timedelta(minutes=2)
"""Four of yagna's looks: older news is none."""


@dataclass(frozen=True, slots=True)
class Funds:
    """GLM, those set aside for clusters included, and gas in the network's own ``coin``; true at ``at``."""

    glm: Decimal
    gas: Decimal
    coin: str
    at: datetime


class _File(BaseModel):
    glm: Decimal = Field(ge=0, allow_inf_nan=False)
    gas: Decimal = Field(ge=0, allow_inf_nan=False)
    coin: str = Field(max_length=16)
    at: float


def read_funds(path: Path, *, now: datetime) -> Funds:
    """Raises GolemError while yagna has not told lately."""
    try:
        told = _File.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not understood"
        raise _unknown(f"{path}: {reason}") from error
    at = datetime.fromtimestamp(told.at, UTC)
    if now - at > STALE:
        raise _unknown(f"yagna told it last {(now - at).total_seconds():.0f} s ago")
    return Funds(glm=told.glm, gas=told.gas, coin=told.coin, at=at)


def _unknown(observed: str) -> GolemError:
    return GolemError(f"The wallet's amount is unknown — {observed} — see: docker compose logs yagna")
