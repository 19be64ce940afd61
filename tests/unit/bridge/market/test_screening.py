"""An offer has to be what was demanded, whatever the matching said."""

from __future__ import annotations

from decimal import Decimal

import pytest

from golem_bridge.market.requirements import BudgetControl, DemandSpec, ExpectedUsage, NodeConfig
from golem_bridge.market.screening import Filter, RefusedOfferError, Screen, broken_limit, filters_of
from tests.unit.bridge.samples import proposal

WANTED = DemandSpec(
    image_tag="image", min_mem_gib=4, min_cpu_threads=2, min_storage_gib=20, max_cpu_threads=2, capabilities=("vpn",)
)


def screen(**changes: object) -> Screen:
    demand = WANTED.model_copy(update=changes)
    return Screen(NodeConfig(demand=demand, budget_control=BudgetControl(max_start_price=Decimal("0.01"))), "devnet")


def test_an_offer_that_is_just_enough_passes() -> None:
    assert screen().read(proposal()).threads == 2


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("golem.inf.mem.gib", 3.9, "less than 4 GiB of memory"),
        ("golem.inf.storage.gib", 19.9, "less than 20 GiB of storage"),
        ("golem.inf.cpu.threads", 1, "fewer than 2 CPU threads"),
        ("golem.inf.cpu.threads", 3, "more than 2 CPU threads"),
        ("golem.runtime.name", "wasmtime", "the runtime is not vm"),
        ("golem.runtime.capabilities", ["inet"], "the runtime has no vpn"),
        ("golem.runtime.capabilities", 7, "the runtime has no vpn"),
        ("golem.node.debug.subnet", "elsewhere", "the subnet is not devnet"),
        ("golem.node.debug.subnet", None, "the subnet is not devnet"),
    ],
)
def test_a_provider_that_lied_in_matching_is_refused(name: str, value: object, why: str) -> None:
    with pytest.raises(RefusedOfferError) as caught:
        screen().read(proposal(properties={name: value}))
    assert (caught.value.refusal.filter, caught.value.refusal.reason) == (Filter.AS_DEMANDED, why)


def test_a_way_out_needs_runtimes_that_can_give_it() -> None:
    with pytest.raises(RefusedOfferError, match="the runtime has no inet"):
        screen(outbound_urls=("https://downloads.example.org",)).read(proposal())
    able = proposal(properties={"golem.runtime.capabilities": ["vpn", "inet", "manifest-support"]})
    assert screen(outbound_urls=("https://downloads.example.org",)).read(able)


def test_an_absurd_offer_is_unusable_and_its_words_are_cut() -> None:
    with pytest.raises(RefusedOfferError) as caught:
        screen().read(proposal(properties={"golem.com.pricing.model": "\x1b[2J" * 1000}))
    refusal = caught.value.refusal
    assert refusal.filter is Filter.USABLE
    assert refusal.reason.isprintable()
    assert len(refusal.reason) <= 120


def test_a_price_above_its_limit_is_refused_with_what_was_asked() -> None:
    with pytest.raises(RefusedOfferError) as caught:
        screen().read(proposal(properties={"golem.com.pricing.model.linear.coeffs": [0, 0, 0.02]}))
    refusal = caught.value.refusal
    assert (refusal.reason, refusal.asked) == ("start price above 0.01 GLM", Decimal("0.02"))


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (BudgetControl(max_start_price=Decimal("0.009")), "start price above 0.009 GLM"),
        (BudgetControl(max_cpu_per_hour_price=Decimal("0.035")), "CPU price above 0.035 GLM/cpu-hour"),
        (BudgetControl(max_env_per_hour_price=Decimal("0.017")), "environment price above 0.017 GLM/hour"),
    ],
)
def test_each_limit_is_kept(limits: BudgetControl, why: str) -> None:
    refusal = broken_limit(screen().read(proposal()), limits)
    assert refusal is not None
    assert refusal.reason == why


def test_limits_are_inclusive_and_optional() -> None:
    offer = screen().read(proposal())
    assert broken_limit(offer, None) is None
    exact = BudgetControl(
        max_start_price=Decimal("0.01"),
        max_cpu_per_hour_price=Decimal("0.036"),
        max_env_per_hour_price=Decimal("0.018"),
    )
    assert broken_limit(offer, exact) is None


def test_only_limits_that_are_set_are_steps_of_the_funnel() -> None:
    always = [Filter.USABLE, Filter.AS_DEMANDED]
    assert filters_of(None) == filters_of(BudgetControl()) == always
    usage = ExpectedUsage(cpu_load=Decimal(1), duration_hours=Decimal(1), max_cost=Decimal(0))
    limits = BudgetControl(max_start_price=Decimal(0), per_cpu_expected_usage=usage)
    assert filters_of(limits) == [*always, Filter.START_PRICE, Filter.COST]
