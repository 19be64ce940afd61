"""Who failed lately is tried last, or not at all for a while."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem_bridge.errors import (
    AgreementRefusedError,
    CommandFailedError,
    GolemError,
    GolemTimeoutError,
    InsufficientFundsError,
    YagnaUnavailableError,
)
from golem_bridge.market.reputation import HALF_LIFE, MAX_REMEMBERED, Failure, Reputation, failure_of


def test_a_failed_start_puts_a_provider_last_but_not_out() -> None:
    reputation = Reputation()
    reputation.failed("0xa", Failure.START, at=0)
    assert reputation.doubt("0xa", at=1) > reputation.doubt("0xb", at=1) == 0
    assert not reputation.is_benched("0xa", at=1)


def test_two_failed_starts_bench_a_provider_for_minutes() -> None:
    reputation = Reputation()
    reputation.failed("0xa", Failure.START, at=0)
    reputation.failed("0xa", Failure.START, at=60)
    assert reputation.is_benched("0xa", at=120)
    assert not reputation.is_benched("0xa", at=600)


def test_a_provider_that_vanished_is_benched_for_a_minute() -> None:
    reputation = Reputation()
    reputation.failed("0xa", Failure.VANISHED, at=0)
    assert reputation.is_benched("0xa", at=30)
    assert not reputation.is_benched("0xa", at=90)


def test_one_declined_proposal_is_forgotten_in_a_quarter_of_an_hour() -> None:
    reputation = Reputation()
    reputation.failed("0xa", Failure.NEGOTIATION, at=0)
    assert reputation.doubt("0xa", at=60) > 0
    assert reputation.doubt("0xa", at=900) == 0


def test_good_service_is_remembered_instead() -> None:
    reputation = Reputation()
    reputation.failed("0xa", Failure.VANISHED, at=0)
    reputation.served("0xa")
    assert reputation.doubt("0xa", at=1) == 0


@given(st.lists(st.tuples(st.sampled_from(Failure), st.floats(0, 10_000)), min_size=1, max_size=30))
def test_doubt_only_fades_with_time(history: list[tuple[Failure, float]]) -> None:
    reputation, now = Reputation(), 0.0
    for failure, pause in history:
        now += pause
        before = reputation.doubt("0xa", at=now)
        reputation.failed("0xa", failure, at=now)
        assert reputation.doubt("0xa", at=now) > before
    doubts = [reputation.doubt("0xa", at=now + step * HALF_LIFE) for step in range(30)]
    assert doubts == sorted(doubts, reverse=True)
    assert doubts[-1] == 0


def test_memory_is_bounded_and_keeps_the_latest() -> None:
    reputation = Reputation()
    for number in range(MAX_REMEMBERED + 1):
        reputation.failed(f"0x{number}", Failure.START, at=0)
    assert reputation.doubt("0x0", at=0) == 0
    assert reputation.doubt(f"0x{MAX_REMEMBERED}", at=0) > 0


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (AgreementRefusedError("no"), Failure.AGREEMENT),
        (CommandFailedError("deploy"), Failure.START),
        (GolemTimeoutError("late"), Failure.START),
        (YagnaUnavailableError("down"), None),
        (InsufficientFundsError("poor"), None),
    ],
)
def test_only_providers_are_blamed_for_what_providers_did(error: GolemError, failure: Failure | None) -> None:
    assert failure_of(error) is failure
