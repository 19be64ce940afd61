"""yagna's answers as errors; wording and statuses are those of yagna 0.17.6."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem_bridge.errors import (
    GolemError,
    GolemTimeoutError,
    NodeUnreachableError,
    NotFoundError,
    UnsupportedError,
    YagnaUnavailableError,
)
from golem_bridge.golem.yagna.failures import failure, no_route, quoted

GSB = (
    "GSB error: Remote service at `/net/0x5d5c/exeunit/e001/Exec` error: "
    "GSB failure: Bad request: endpoint address not found"
)


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (401, "Invalid application key", YagnaUnavailableError),
        (404, "", NotFoundError),
        (400, "Invalid Agreement id. Id [nope] contains non hexadecimal characters.", NotFoundError),
        (400, "Path deserialize error: Subscription id [nope] has invalid format.", NotFoundError),
        (400, "Allocation nope not found", NotFoundError),
        (400, "Can't create Agreement for Proposal [R-ab]. Proposal [R-ab] not found.", NotFoundError),
        (500, "DAO error: Not found: agreement id for activity: abab", NotFoundError),
        (500, "Service error: Id [nope] contains non hexadecimal characters.", NotFoundError),
        (408, "Timeout", GolemTimeoutError),
        (504, "", GolemTimeoutError),
        (500, "GSB error: timed out", GolemTimeoutError),
        (501, "", UnsupportedError),
        (400, "Invalid amount accepted", GolemError),
        (410, "Proposal [R-c4] already has counter proposal. Can't counter for the second time.", GolemError),
        (500, GSB, NodeUnreachableError),
    ],
)
def test_kinds_of_failures(status: int, message: str, kind: type[GolemError]) -> None:
    error = failure("Cannot do it", status, message)
    assert type(error) is kind
    assert error.message.startswith("Cannot do it — ")
    assert str(status) in error.message
    assert ("docker compose" in error.message) == (kind is not NodeUnreachableError)


def test_an_exe_unit_out_of_reach() -> None:
    assert no_route(500, GSB)
    assert not no_route(500, "DAO error: Not found: agreement id for activity: abab")
    assert not no_route(404, GSB)


@given(st.text(), st.integers(min_value=2, max_value=100))
def test_quotes_are_short_and_printable(text: str, limit: int) -> None:
    quote = quoted(text, limit)
    assert len(quote) <= limit
    assert quote.isprintable()
