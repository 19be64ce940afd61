"""How providers behaved lately: those that failed are tried last, or not at all for a while.

Each failure has a weight; the sum fades by half every ten minutes. Nothing of it outlives the bridge.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from golem_bridge.errors import AgreementRefusedError, GolemError, InsufficientFundsError, YagnaUnavailableError

HALF_LIFE = 600.0
"""Seconds in which a failure fades by half."""

DOUBTFUL = 0.1
"""From here on a provider is tried after all others."""

BENCHED = 1.5
"""From here on a provider is not tried at all: about a minute after it vanished, minutes after two failed starts."""

MAX_REMEMBERED = 10_000
"""Providers; the one that failed longest ago is forgotten first."""


class Failure(Enum):
    """What a provider failed at, and how heavy that weighs."""

    NEGOTIATION = 0.25
    AGREEMENT = 0.5
    START = 1.0
    VANISHED = 1.6


@dataclass(frozen=True, slots=True)
class _Mark:
    weight: float
    at: float

    def at_time(self, at: float) -> float:
        return float(self.weight * 0.5 ** (max(0.0, at - self.at) / HALF_LIFE))


class Reputation:
    """All clusters' experience. ``at`` is monotonic time in seconds."""

    def __init__(self) -> None:
        self._marks: dict[str, _Mark] = {}

    def failed(self, provider_id: str, failure: Failure, *, at: float) -> None:
        """Remember a failure."""
        weight = failure.value + self.doubt(provider_id, at=at)
        self._marks.pop(provider_id, None)
        self._marks[provider_id] = _Mark(weight, at)
        if len(self._marks) > MAX_REMEMBERED:
            del self._marks[next(iter(self._marks))]

    def served(self, provider_id: str) -> None:
        """It brought a node up: all is forgiven."""
        self._marks.pop(provider_id, None)

    def doubt(self, provider_id: str, *, at: float) -> float:
        """How badly it behaved, as of now; 0 below the threshold that matters."""
        mark = self._marks.get(provider_id)
        weight = mark.at_time(at) if mark else 0.0
        return weight if weight >= DOUBTFUL else 0.0

    def is_benched(self, provider_id: str, *, at: float) -> bool:
        """Whether it is not to be tried for now."""
        return self.doubt(provider_id, at=at) >= BENCHED


def failure_of(error: GolemError) -> Failure | None:
    """What an error after the negotiation says about the provider; None if yagna or the wallet is to blame."""
    if isinstance(error, YagnaUnavailableError | InsufficientFundsError):
        return None
    return Failure.AGREEMENT if isinstance(error, AgreementRefusedError) else Failure.START
