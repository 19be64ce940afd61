"""Invoices that did not reach their requestor when they were issued."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from golem_devnet.agent.payments import DUE, UNSENT_FOR, send_unsent
from golem_devnet.agent.rest import ProviderRest, RestError

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OLD = NOW - UNSENT_FOR


class Daemon:
    """Knows invoices by id, with status and time; some have requestors that are away."""

    def __init__(self, **invoices: tuple[str, datetime]) -> None:
        self.invoices = invoices
        self.away: set[str] = set()
        self.sent: list[str] = []

    async def call(self, method: str, path: str, _body: object = None) -> Any:  # noqa: ANN401 - parsed JSON
        if method == "GET":
            assert path.endswith("/invoices?afterTimestamp=2026-01-02T02%3A04%3A05%2B00%3A00")
            return [
                {"invoiceId": key, "status": status, "timestamp": f"{at:%Y-%m-%dT%H:%M:%S}.000Z"}
                for key, (status, at) in self.invoices.items()
            ]
        invoice_id = path.split("/")[-2]
        if invoice_id in self.away:
            raise RestError(f"POST {path}: 500 endpoint address not found")
        self.sent.append(invoice_id)
        return None


async def test_what_was_only_issued_is_sent_again() -> None:
    daemon = Daemon(
        paid=("SETTLED", OLD),
        there=("RECEIVED", OLD),
        one=("ISSUED", OLD),
        two=("ISSUED", OLD - timedelta(minutes=5)),
        just_now=("ISSUED", NOW),
    )
    daemon.away = {"one"}
    await send_unsent(cast(ProviderRest, daemon), NOW)
    assert daemon.sent == ["two"]
    daemon.away = set()
    await send_unsent(cast(ProviderRest, daemon), NOW)
    assert daemon.sent == ["two", "one", "two"]


async def test_a_daemon_that_does_not_tell_is_an_error() -> None:
    class Mute(Daemon):
        async def call(self, method: str, path: str, _body: object = None) -> Any:  # noqa: ANN401 - parsed JSON
            raise RestError("no answer")

    assert timedelta(0) < UNSENT_FOR < DUE
    with pytest.raises(RestError):
        await send_unsent(cast(ProviderRest, Mute()), NOW)
