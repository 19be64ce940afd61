"""Which offers may be used: those that are what was demanded, at prices within the limits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from golem_bridge.golem.types import Properties, Proposal
from golem_bridge.market.demand import SUBNET
from golem_bridge.market.offer import Offer, UnusableOfferError, read_offer
from golem_bridge.market.requirements import BudgetControl, DemandSpec, NodeConfig
from golem_bridge.market.scoring import cost_per_cpu
from golem_bridge.money.price import HOUR, glm_text

MAX_DETAIL = 120
"""Characters of a reason; parts of it may be the provider's words."""


class Filter(StrEnum):
    """What an offer has to pass, in this order."""

    USABLE = "usable"
    AS_DEMANDED = "as demanded"
    START_PRICE = "within max_start_price"
    CPU_PRICE = "within max_cpu_per_hour_price"
    ENV_PRICE = "within max_env_per_hour_price"
    COST = "within max_cost"


@dataclass(frozen=True, slots=True)
class Limit:
    """One price limit and what the offer asks. GLM, in the unit that is named."""

    filter: Filter
    what: str
    unit: str
    asked: Decimal
    allowed: Decimal


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an offer is not considered. ``reason`` is the same for all that break one limit; ``asked`` differs."""

    filter: Filter
    reason: str
    asked: Decimal | None = None


class RefusedOfferError(Exception):
    """The offer does not pass."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Screen:
    """What one node type demands of offers in one subnet."""

    config: NodeConfig
    subnet: str

    def read(self, proposal: Proposal) -> Offer:
        """Raises RefusedOfferError."""
        try:
            offer = read_offer(proposal)
        except UnusableOfferError as error:
            raise _refused(Filter.USABLE, str(error)) from error
        for lie in _departures(offer, proposal.properties, self.config.demand, self.subnet):
            raise _refused(Filter.AS_DEMANDED, lie)
        broken = broken_limit(offer, self.config.budget_control)
        if broken is not None:
            raise RefusedOfferError(broken)
        return offer


def filters_of(limits: BudgetControl | None) -> Sequence[Filter]:
    """The filters that are in use."""
    usage = limits.per_cpu_expected_usage if limits else None
    used = {
        Filter.START_PRICE: limits and limits.max_start_price,
        Filter.CPU_PRICE: limits and limits.max_cpu_per_hour_price,
        Filter.ENV_PRICE: limits and limits.max_env_per_hour_price,
        Filter.COST: usage and usage.max_cost,
    }
    return [name for name in Filter if name not in used or used[name] is not None]


def broken_limit(offer: Offer, limits: BudgetControl | None) -> Refusal | None:
    """The first price limit the offer breaks, if any. A price equal to its limit is within it."""
    for limit in _limits(offer, limits) if limits else ():
        if limit.asked > limit.allowed:
            return Refusal(limit.filter, f"{limit.what} above {glm_text(limit.allowed)} {limit.unit}", limit.asked)
    return None


def _limits(offer: Offer, limits: BudgetControl) -> Iterator[Limit]:
    price, usage = offer.price, limits.per_cpu_expected_usage
    if limits.max_start_price is not None:
        yield Limit(Filter.START_PRICE, "start price", "GLM", price.start, limits.max_start_price)
    if limits.max_cpu_per_hour_price is not None:
        asked = price.per_cpu_second * HOUR
        yield Limit(Filter.CPU_PRICE, "CPU price", "GLM/cpu-hour", asked, limits.max_cpu_per_hour_price)
    if limits.max_env_per_hour_price is not None:
        asked = price.per_env_second * HOUR
        yield Limit(Filter.ENV_PRICE, "environment price", "GLM/hour", asked, limits.max_env_per_hour_price)
    if usage is not None and usage.max_cost is not None:
        yield Limit(Filter.COST, "expected cost", "GLM/cpu", cost_per_cpu(offer, usage), usage.max_cost)


def _departures(offer: Offer, properties: Properties, wanted: DemandSpec, subnet: str) -> Iterator[str]:
    """In what the offer is not what the demand's constraints ask for: matching is the provider's word, too."""
    if offer.memory_gib < wanted.min_mem_gib:
        yield f"less than {wanted.min_mem_gib:g} GiB of memory"
    if offer.storage_gib < wanted.min_storage_gib:
        yield f"less than {wanted.min_storage_gib:g} GiB of storage"
    if offer.threads < wanted.min_cpu_threads:
        yield f"fewer than {wanted.min_cpu_threads} CPU threads"
    if wanted.max_cpu_threads is not None and offer.threads > wanted.max_cpu_threads:
        yield f"more than {wanted.max_cpu_threads} CPU threads"
    if properties.get("golem.runtime.name") != wanted.runtime:
        yield f"the runtime is not {wanted.runtime}"
    if properties.get(SUBNET) != subnet:
        yield f"the subnet is not {subnet}"
    offered = properties.get("golem.runtime.capabilities")
    able = {offered} if isinstance(offered, str) else set(offered) if isinstance(offered, Sequence) else set()
    for name in wanted.needed_capabilities:
        if name not in able:
            yield f"the runtime has no {name}"


def _refused(name: Filter, reason: str) -> RefusedOfferError:
    printable = "".join(char if char.isprintable() else " " for char in reason)
    return RefusedOfferError(Refusal(name, printable[:MAX_DETAIL]))
