"""What became of the offers: from seen to agreed, with reasons; can be asked for at any time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal

from golem_bridge.clock import Clock
from golem_bridge.market.offer import Offer
from golem_bridge.market.requirements import BudgetControl
from golem_bridge.market.scoring import comparable_cost
from golem_bridge.market.screening import Refusal, filters_of
from golem_bridge.money.price import glm_text

KEPT = 3600.0
"""Seconds after which a provider that offered nothing new is not counted any more."""

MAX_PROVIDERS = 5000
MAX_REASONS = 50
"""Different reasons of failed negotiations that are counted apart; providers word them."""

SHOWN_REASONS = 3

_READABLE = Context(prec=6)


@dataclass(frozen=True, slots=True)
class Step:
    """How many providers (offers, negotiations, agreements) came as far as this."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Reason:
    """Why that many did not get further. ``nearest`` is the lowest price among those a limit kept out."""

    text: str
    count: int
    nearest: Decimal | None = None

    def __str__(self) -> str:
        nearest = "" if self.nearest is None else f", the lowest is {glm_text(_rounded(self.nearest))}"
        return f"{self.count} refused ({self.text}{nearest})"


@dataclass(frozen=True, slots=True)
class FunnelView:
    """The funnel at one moment. ``steps`` never grow downwards, up to ``free``; the last two count since the start."""

    steps: Sequence[Step]
    refused: Sequence[Reason]
    failed: Sequence[Reason]
    in_use: int
    benched: int
    cheapest: Offer | None

    @property
    def sentence(self) -> str:
        """For who waits."""
        count = {step.name: step.count for step in self.steps}
        parts = [f"{count['seen']} offers seen", f"{count['free']} free now"]
        parts += [str(reason) for reason in self.refused[:SHOWN_REASONS]]
        if self.in_use:
            parts.append(f"{self.in_use} in use by this cluster")
        if self.benched:
            parts.append(f"{self.benched} left alone for a while after failures")
        if self.failed:
            failures = sum(reason.count for reason in self.failed)
            parts.append(f"{failures} negotiations failed (mostly: {self.failed[0].text})")
        return ", ".join(parts)

    @property
    def advice(self) -> str:
        """What the user can do when nobody is free."""
        count = {step.name: step.count for step in self.steps}
        if not count["seen"]:
            return "check subnet_tag and what demand asks for, or try again later"
        if not count["within all limits"]:
            return "raise the limits under budget_control or try again later"
        return "try again later"


@dataclass(frozen=True, slots=True)
class _Record:
    outcome: Offer | Refusal
    at: float


class Funnel:
    """Counts for one node type. A provider is counted once, by its newest offer."""

    def __init__(self, *, limits: BudgetControl | None, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._records: dict[str, _Record] = {}
        self._failures: Counter[str] = Counter()
        self._negotiated = 0
        self._agreed = 0

    def saw(self, provider_id: str, outcome: Offer | Refusal) -> None:
        """A provider offered something."""
        self._records.pop(provider_id, None)
        self._records[provider_id] = _Record(outcome, self._clock.monotonic())
        if len(self._records) > MAX_PROVIDERS:
            del self._records[next(iter(self._records))]

    def negotiation_failed(self, reason: str) -> None:
        known = reason in self._failures or len(self._failures) < MAX_REASONS
        self._failures[reason if known else "other reasons"] += 1

    def negotiated(self) -> None:
        """A provider and we agree on a proposal."""
        self._negotiated += 1

    def agreed(self) -> None:
        """An agreement was signed."""
        self._agreed += 1

    def cheapest(self) -> Offer | None:
        """The best price known, of providers free or not."""
        offers = [outcome for outcome in self._outcomes() if isinstance(outcome, Offer)]
        return min(offers, key=lambda offer: comparable_cost(offer, self._limits), default=None)

    def view(self, *, free: int, in_use: int, benched: int) -> FunnelView:
        """``free`` providers could be negotiated with now."""
        outcomes = self._outcomes()
        return FunnelView(
            steps=(
                *self._screened(outcomes),
                Step("free", free),
                Step("negotiated", self._negotiated),
                Step("agreed", self._agreed),
            ),
            refused=_reasons([outcome for outcome in outcomes if isinstance(outcome, Refusal)]),
            failed=[Reason(text, count) for text, count in self._failures.most_common()],
            in_use=in_use,
            benched=benched,
            cheapest=self.cheapest(),
        )

    def _outcomes(self) -> list[Offer | Refusal]:
        oldest = self._clock.monotonic() - KEPT
        self._records = {key: record for key, record in self._records.items() if record.at >= oldest}
        return [record.outcome for record in self._records.values()]

    def _screened(self, outcomes: Sequence[Offer | Refusal]) -> Sequence[Step]:
        stopped = Counter(outcome.filter for outcome in outcomes if isinstance(outcome, Refusal))
        left = len(outcomes)
        steps = [Step("seen", left)]
        for name in filters_of(self._limits):
            left -= stopped[name]
            steps.append(Step(name.value, left))
        return [*steps, Step("within all limits", left)]


def _reasons(refusals: Sequence[Refusal]) -> Sequence[Reason]:
    """Most frequent first."""
    asked: dict[str, list[Decimal]] = {}
    counts: Counter[str] = Counter()
    for refusal in refusals:
        counts[refusal.reason] += 1
        if refusal.asked is not None:
            asked.setdefault(refusal.reason, []).append(refusal.asked)
    return [Reason(text, count, min(asked.get(text, ()), default=None)) for text, count in counts.most_common()]


def _rounded(amount: Decimal) -> Decimal:
    """Six digits are enough to read; ``round()`` would fail where that takes more digits than the default context."""
    return _READABLE.plus(amount)
