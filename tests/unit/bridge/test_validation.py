"""What of a provider's document may be accepted."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem_bridge.golem.types import DocumentKind
from golem_bridge.money.price import to_glm, to_wei
from golem_bridge.money.validation import GRACE, ROUNDING, Accepted, Refusal, Refused, examine
from tests.unit.bridge.samples import PRICE, START, contract, document

HOUR_LATER = START + timedelta(hours=1)
HOUR = Decimal(3600)
AMOUNTS = st.decimals(min_value=0, max_value=1000, allow_nan=False, allow_infinity=False, places=18)


def most(seconds: Decimal, threads: int = 2) -> Decimal:
    return PRICE.cost(env_seconds=seconds, cpu_seconds=seconds * threads)


@given(total=AMOUNTS, accepted=AMOUNTS)
def test_nothing_beyond_prices_and_clock_is_ever_accepted(total: Decimal, accepted: Decimal) -> None:
    verdict = examine(document(total), contract(), accepted_wei=to_wei(accepted), now=HOUR_LATER)
    if isinstance(verdict, Accepted):
        assert accepted <= total <= most(HOUR + GRACE) + ROUNDING
        assert all(wei >= 0 for wei in verdict.parts.values())
        assert to_glm(sum(verdict.parts.values())) == total - accepted
    else:
        assert total < accepted or total > most(HOUR + GRACE)


@given(total=AMOUNTS, invoice=AMOUNTS, kind=st.sampled_from(DocumentKind))
def test_after_the_invoice_nothing_more_is_accepted(total: Decimal, invoice: Decimal, kind: DocumentKind) -> None:
    invoiced = contract(invoiced_wei=to_wei(invoice))
    verdict = examine(document(total, kind=kind), invoiced, accepted_wei=to_wei(invoice), now=HOUR_LATER)
    if isinstance(verdict, Accepted):
        assert not any(verdict.parts.values())
        assert total <= invoice
    else:
        assert total > invoice or kind is DocumentKind.INVOICE


def refusal(verdict: Accepted | Refused) -> Refusal:
    assert isinstance(verdict, Refused), verdict
    return verdict.refusal


def test_the_most_that_can_be_is_accepted_and_a_little_more_is_not() -> None:
    limit = most(HOUR + GRACE)
    assert isinstance(examine(document(limit), contract(), accepted_wei=0, now=HOUR_LATER), Accepted)
    too_much = examine(document(limit + Decimal("0.000001")), contract(), accepted_wei=0, now=HOUR_LATER)
    assert refusal(too_much) is Refusal.OVERPRICED


def test_stated_usage_binds_the_provider() -> None:
    usage = (Decimal(100), Decimal(10))
    honest = PRICE.cost(env_seconds=usage[0], cpu_seconds=usage[1])
    assert isinstance(examine(document(honest, usage=usage), contract(), accepted_wei=0, now=HOUR_LATER), Accepted)
    dear = document(honest * 2, usage=usage)
    assert refusal(examine(dear, contract(), accepted_wei=0, now=HOUR_LATER)) is Refusal.OVERPRICED


@pytest.mark.parametrize("usage", [(Decimal(4000), Decimal(1)), (Decimal(10), Decimal(7300))])
def test_usage_that_cannot_be_is_refused(usage: tuple[Decimal, ...]) -> None:
    verdict = examine(document("0.01", usage=usage), contract(), accepted_wei=0, now=HOUR_LATER)
    assert refusal(verdict) is Refusal.IMPOSSIBLE_USAGE


def test_usage_is_matched_by_name_not_by_place() -> None:
    swapped = contract(usage_vector=("golem.usage.cpu_sec", "golem.usage.duration_sec"))
    usage = (Decimal(7000), Decimal(3600))
    total = PRICE.cost(env_seconds=Decimal(3600), cpu_seconds=Decimal(7000))
    assert isinstance(examine(document(total, usage=usage), swapped, accepted_wei=0, now=HOUR_LATER), Accepted)


def test_time_after_the_end_costs_nothing() -> None:
    ended = contract(ended_at=START + timedelta(seconds=10))
    verdict = examine(document(most(HOUR)), ended, accepted_wei=0, now=HOUR_LATER)
    assert refusal(verdict) is Refusal.OVERPRICED


def test_without_an_activity_nothing_is_owed() -> None:
    idle = contract(activity_id=None, activity_since=None)
    invoice = document("0.01", kind=DocumentKind.INVOICE, activity_ids=())
    assert refusal(examine(invoice, idle, accepted_wei=0, now=HOUR_LATER)) is Refusal.OVERPRICED
    free = document("0", kind=DocumentKind.INVOICE, activity_ids=())
    assert isinstance(examine(free, idle, accepted_wei=0, now=HOUR_LATER), Accepted)


def test_somebody_elses_activity_is_refused() -> None:
    verdict = examine(document("0.01", activity_ids=("other",)), contract(), accepted_wei=0, now=HOUR_LATER)
    assert refusal(verdict) is Refusal.WRONG_ACTIVITY
