"""What of a provider's document may be accepted: pure rules over the contract and our own clock.

A document is accepted whole or not at all. It may ask for at most what the agreed prices make of the time that
passed by our clock with every offered thread busy; where it states its usage, for at most what that usage costs;
and never for less than was accepted before (totals only grow). The accepted invoice of an agreement is the last
word: a debit note that comes later adds nothing (yagna 0.17.6 says yes to it and does nothing).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from golem_bridge.golem.types import DocumentKind, PaymentDocument
from golem_bridge.money.contracts import Contract
from golem_bridge.money.ledger import EntryKind
from golem_bridge.money.price import glm_text, to_glm, to_wei

GRACE = Decimal(5)
"""Seconds: our clock starts before the provider's and stops after it; this covers steps of either."""

ROUNDING = Decimal("1e-12")
"""GLM: providers compute with binary floating point (ya-provider does), so totals may be off by that much."""

DURATION = "golem.usage.duration_sec"
CPU_TIME = "golem.usage.cpu_sec"


class Refusal(StrEnum):
    """Why a document is not accepted."""

    OVERPRICED = "overpriced"
    DECREASING = "decreasing"
    WRONG_ACTIVITY = "wrong_activity"
    IMPOSSIBLE_USAGE = "impossible_usage"
    ALREADY_INVOICED = "already_invoiced"


@dataclass(frozen=True, slots=True)
class Accepted:
    """Accept the document's total; ``parts`` is the wei it adds, by kind."""

    parts: Mapping[EntryKind, int]


@dataclass(frozen=True, slots=True)
class Refused:
    """Do not accept; ``detail`` names the observed and the allowed value."""

    refusal: Refusal
    detail: str


def examine(document: PaymentDocument, contract: Contract, *, accepted_wei: int, now: datetime) -> Accepted | Refused:
    """Judge one document; ``accepted_wei`` is what was accepted for the agreement before."""
    foreign = [activity for activity in document.activity_ids if activity != contract.activity_id]
    if foreign and document.total_due > 0:
        return Refused(Refusal.WRONG_ACTIVITY, f"activity {foreign[0]} is not of this agreement")
    if contract.invoiced_wei is not None and to_wei(document.total_due) > contract.invoiced_wei:
        invoice = glm_text(to_glm(contract.invoiced_wei))
        return Refused(
            Refusal.ALREADY_INVOICED, f"total {glm_text(document.total_due)} GLM after an invoice of {invoice} GLM"
        )
    if contract.invoiced_wei is not None and document.kind is DocumentKind.DEBIT_NOTE:
        return Accepted({})
    if to_wei(document.total_due) < accepted_wei:
        return Refused(
            Refusal.DECREASING,
            f"total {glm_text(document.total_due)} GLM is below the {glm_text(to_glm(accepted_wei))} GLM accepted",
        )
    return _too_much(document, contract, now) or Accepted(_parts(document, contract, accepted_wei))


def _too_much(document: PaymentDocument, contract: Contract, now: datetime) -> Refused | None:
    if contract.activity_since is None:
        limit, why = Decimal(0), "there was no activity"
    else:
        seconds = contract.activity_seconds(now) + GRACE
        usage = _usage(document, contract)
        if usage and (usage[0] > seconds or usage[1] > seconds * contract.threads):
            return Refused(
                Refusal.IMPOSSIBLE_USAGE,
                f"usage {usage[0]:.1f} s and {usage[1]:.1f} cpu-s in {seconds:.1f} s on {contract.threads} threads",
            )
        env, cpu = usage or (seconds, seconds * contract.threads)
        limit = contract.price.cost(env_seconds=env, cpu_seconds=cpu)
        why = f"agreed prices × {env:.1f} s and {cpu:.1f} cpu-s"
    if document.total_due > limit + ROUNDING:
        return Refused(
            Refusal.OVERPRICED,
            f"total {glm_text(document.total_due)} GLM, at most {glm_text(limit)} GLM ({why})",
        )
    return None


def _usage(document: PaymentDocument, contract: Contract) -> tuple[Decimal, Decimal] | None:
    """Seconds of environment and of CPU the document states, aligned by the agreed names; None without any."""
    if document.kind is not DocumentKind.DEBIT_NOTE or len(document.usage) != len(contract.usage_vector):
        return None
    stated = dict(zip(contract.usage_vector, document.usage, strict=True))
    return stated.get(DURATION, Decimal(0)), stated.get(CPU_TIME, Decimal(0))


def _parts(document: PaymentDocument, contract: Contract, accepted_wei: int) -> dict[EntryKind, int]:
    """Split what the document adds: the start price first, the rest by the cost of what was used."""
    total, start = to_wei(document.total_due), to_wei(contract.price.start)
    start_part = min(total, start) - min(accepted_wei, start)
    rest = total - accepted_wei - start_part
    env, cpu = _usage(document, contract) or (Decimal(1), Decimal(contract.threads))
    env_cost = contract.price.per_env_second * env
    cpu_cost = contract.price.per_cpu_second * cpu
    if env_cost + cpu_cost == 0:
        return {EntryKind.START: start_part, EntryKind.OTHER: rest}
    env_part = int(rest * env_cost / (env_cost + cpu_cost))
    return {EntryKind.START: start_part, EntryKind.ENV: env_part, EntryKind.CPU: rest - env_part}
