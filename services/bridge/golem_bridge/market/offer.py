"""A provider's offer, read with suspicion: only what is present and sane becomes an :class:`Offer`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from golem_bridge.golem.types import Properties, PropertyValue, Proposal
from golem_bridge.money.price import Price
from golem_bridge.money.validation import CPU_TIME, DURATION

MAX_NAME_LENGTH = 64
MAX_THREADS = 1024
MAX_COEFFICIENT = Decimal(1_000_000)
"""GLM; far above any sane price, far below what would hurt arithmetic."""
MIN_COEFFICIENT = Decimal("1e-30")
"""GLM, of what is not free; far below any sane price, far above what takes long to write down."""


class UnusableOfferError(Exception):
    """The offer cannot be considered; the message says why."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a provider asks and has. ``usage_vector`` names the counters in the order of its debit notes."""

    proposal_id: str
    provider_id: str
    provider_name: str
    price: Price
    usage_vector: tuple[str, ...]
    threads: int
    memory_gib: float
    storage_gib: float

    @property
    def per_hour(self) -> Decimal:
        """GLM for an hour with all threads busy."""
        return self.price.per_hour(self.threads)

    @property
    def first_hour(self) -> Decimal:
        """GLM for start and first hour with all threads busy: what offers are compared by."""
        return self.price.first_hour(self.threads)


def read_offer(proposal: Proposal) -> Offer:
    """Raises UnusableOfferError for a missing or absurd property or an unknown pricing model."""
    properties = proposal.properties
    if properties.get("golem.com.pricing.model") != "linear":
        raise UnusableOfferError(f"pricing model {properties.get('golem.com.pricing.model')!r} is not linear")
    usage_vector = _texts(properties, "golem.com.usage.vector")
    return Offer(
        proposal_id=proposal.proposal_id,
        provider_id=proposal.provider_id,
        provider_name=_name(properties.get("golem.node.id.name")),
        price=_price(_coefficients(properties), usage_vector),
        usage_vector=usage_vector,
        threads=int(_number(properties, "golem.inf.cpu.threads", at_least=1, at_most=MAX_THREADS)),
        memory_gib=_number(properties, "golem.inf.mem.gib", at_least=0, at_most=1 << 20),
        storage_gib=_number(properties, "golem.inf.storage.gib", at_least=0, at_most=1 << 30),
    )


def _price(coefficients: Sequence[Decimal], usage_vector: Sequence[str]) -> Price:
    """Coefficients follow the usage vector; the last one is the start price."""
    if len(coefficients) != len(usage_vector) + 1:
        raise UnusableOfferError(f"{len(coefficients)} coefficients for {len(usage_vector)} usage counters")
    by_counter = dict(zip(usage_vector, coefficients[:-1], strict=True))
    unknown = [name for name in by_counter if name not in {DURATION, CPU_TIME} and by_counter[name] > 0]
    if unknown:
        raise UnusableOfferError(f"charges for the unknown counter {unknown[0][:MAX_NAME_LENGTH]!r}")
    return Price(
        start=coefficients[-1],
        per_cpu_second=by_counter.get(CPU_TIME, Decimal(0)),
        per_env_second=by_counter.get(DURATION, Decimal(0)),
    )


def _coefficients(properties: Properties) -> list[Decimal]:
    raw = properties.get("golem.com.pricing.model.linear.coeffs")
    if not isinstance(raw, Sequence) or isinstance(raw, str):
        raise UnusableOfferError("no coefficients")
    return [_coefficient(value) for value in raw]


def _coefficient(value: object) -> Decimal:
    """GLM from a JSON number. Text is refused: it could hold numbers that take gigabytes to write down."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnusableOfferError(f"coefficient {str(value)[:MAX_NAME_LENGTH]!r} is no number")
    amount = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not amount.is_finite() or not (amount == 0 or MIN_COEFFICIENT <= amount <= MAX_COEFFICIENT):
        raise UnusableOfferError(f"coefficient {str(amount)[:MAX_NAME_LENGTH]} is out of range")
    return amount


def _texts(properties: Properties, key: str) -> tuple[str, ...]:
    raw = properties.get(key)
    if not isinstance(raw, Sequence) or isinstance(raw, str) or not all(isinstance(item, str) for item in raw):
        raise UnusableOfferError(f"{key} is not a list of names")
    return tuple(str(item) for item in raw)


def _number(properties: Properties, key: str, *, at_least: float, at_most: float) -> float:
    raw = properties.get(key)
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise UnusableOfferError(f"{key} is no number")
    if not at_least <= raw <= at_most:  # so is NaN; math.isfinite() would fail on integers no float can hold
        raise UnusableOfferError(f"{key} is {str(raw)[:MAX_NAME_LENGTH]}, not within {at_least} and {at_most}")
    return float(raw)


def _name(raw: PropertyValue | None) -> str:
    """Printable, short: it is shown on terminals and dashboards."""
    text = raw if isinstance(raw, str) else ""
    return "".join(char for char in text if char.isprintable())[:MAX_NAME_LENGTH] or "unnamed"
