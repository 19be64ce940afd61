"""The funnel counts each provider once and never grows downwards."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from golem_bridge.market.funnel import KEPT, MAX_PROVIDERS, MAX_REASONS, Funnel, FunnelView, Reason
from golem_bridge.market.offer import Offer, read_offer
from golem_bridge.market.requirements import BudgetControl
from golem_bridge.market.screening import Filter, Refusal
from tests.unit.bridge.samples import ManualClock, proposal

LIMITS = BudgetControl(max_start_price=Decimal("0.1"), max_cpu_per_hour_price=Decimal("0.1"))
STEPS = ["seen", "usable", "as demanded", Filter.START_PRICE, Filter.CPU_PRICE, "within all limits"]
OFFER = read_offer(proposal())


def counts(view: FunnelView) -> dict[str, int]:
    return {step.name: step.count for step in view.steps}


def refused(asked: str) -> Refusal:
    return Refusal(Filter.START_PRICE, "start price above 0.1 GLM", Decimal(asked))


def look(funnel: Funnel) -> FunnelView:
    return funnel.view(free=0, in_use=0, benched=0)


OUTCOMES: st.SearchStrategy[Offer | Refusal] = st.one_of(
    st.just(OFFER),
    st.builds(
        Refusal,
        st.sampled_from([Filter.USABLE, Filter.AS_DEMANDED, Filter.START_PRICE, Filter.CPU_PRICE]),
        st.sampled_from(["this", "that"]),
    ),
)


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), OUTCOMES)))
def test_steps_never_grow_and_refusals_explain_the_difference(seen: list[tuple[str, Offer | Refusal]]) -> None:
    funnel = Funnel(limits=LIMITS, clock=ManualClock())
    for provider_id, outcome in seen:
        funnel.saw(provider_id, outcome)
    view = look(funnel)
    steps = [counts(view)[name] for name in STEPS]
    assert steps == sorted(steps, reverse=True)
    assert steps[0] == len({provider_id for provider_id, _ in seen})
    assert steps[0] - steps[-1] == sum(reason.count for reason in view.refused)


def test_reasons_say_how_near_the_nearest_is() -> None:
    funnel = Funnel(limits=LIMITS, clock=ManualClock())
    for provider_id, asked in (("a", "0.5"), ("b", "0.1200000001"), ("c", "3")):
        funnel.saw(provider_id, refused(asked))
    view = look(funnel)
    assert "3 refused (start price above 0.1 GLM, the lowest is 0.12)" in view.sentence
    assert view.advice == "raise the limits under budget_control or try again later"


@given(
    st.decimals(0, allow_nan=False, allow_infinity=False) | st.integers(-(10**11), 40).map(lambda e: Decimal(f"1E{e}"))
)
def test_no_price_is_too_small_or_too_large_to_be_told(asked: Decimal) -> None:
    reason = Reason("start price above 0 GLM", 1, asked)
    assert len(str(reason)) < 110 + max(0, asked.adjusted())


def test_the_cheapest_price_is_known_while_its_provider_is_busy() -> None:
    funnel = Funnel(limits=LIMITS, clock=ManualClock())
    assert funnel.cheapest() is None
    funnel.saw("a", refused("0.5"))
    assert funnel.cheapest() is None
    funnel.saw("b", OFFER)
    assert funnel.cheapest() == OFFER


def test_who_offers_nothing_new_is_not_counted_for_ever() -> None:
    clock = ManualClock()
    funnel = Funnel(limits=LIMITS, clock=clock)
    funnel.saw("a", OFFER)
    clock.advance(KEPT)
    funnel.saw("b", OFFER)
    assert counts(look(funnel))["seen"] == 2
    clock.advance(1)
    assert counts(look(funnel))["seen"] == 1


def test_what_providers_say_cannot_fill_the_memory() -> None:
    funnel = Funnel(limits=LIMITS, clock=ManualClock())
    for number in range(MAX_PROVIDERS + 10):
        funnel.saw(f"0x{number}", OFFER)
        funnel.negotiation_failed(f"reason {number}")
    view = look(funnel)
    assert counts(view)["seen"] == MAX_PROVIDERS
    assert len(view.failed) == MAX_REASONS + 1
    assert sum(reason.count for reason in view.failed) == MAX_PROVIDERS + 10


def test_negotiations_and_agreements_are_counted() -> None:
    funnel = Funnel(limits=None, clock=ManualClock())
    funnel.negotiated()
    funnel.negotiated()
    funnel.agreed()
    assert (counts(look(funnel))["negotiated"], counts(look(funnel))["agreed"]) == (2, 1)
