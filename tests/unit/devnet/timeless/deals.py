"""A deal with a daemon that remembers what it was asked for."""

from __future__ import annotations

from typing import Any, cast

from golem_devnet.agent.deal import Deal
from golem_devnet.agent.offer import ACCEPT_TIMEOUT, NOTE_INTERVAL, PAYMENT_TIMEOUT
from golem_devnet.agent.rest import ProviderRest
from golem_devnet.exeunit.activity import Activity
from tests.unit.devnet.timeless.exeunit import Unit

OFFER = {
    "golem.com.pricing.model.linear.coeffs": [0.001, 0.0, 1.0],
    NOTE_INTERVAL: 3600,
    ACCEPT_TIMEOUT: 3600,
    PAYMENT_TIMEOUT: 3600,
}


def agreement(agreement_id: str = "agreement") -> dict[str, Any]:
    """As the daemon shows it."""
    return {"agreementId": agreement_id, "offer": {"properties": OFFER}, "demand": {"properties": {}}}


class FakeRest:
    """Says yes to everything."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []

    async def call(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - parsed JSON
        self.asked.append((method, path, body))
        return {"invoiceId": "invoice", "debitNoteId": "note"}

    def broken(self) -> list[str]:
        """Reasons given for ending agreements."""
        return [body["message"] for _, path, body in self.asked if path.endswith("/terminate")]


class DealBench:
    """One signed agreement and the exe-units of its activities, by id."""

    def __init__(self) -> None:
        self.rest = FakeRest()
        self.units: dict[str, Unit] = {}
        self.deal = Deal(agreement(), rest=cast(ProviderRest, self.rest), make_activity=self.make_activity)

    def make_activity(self, activity_id: str, agreement_id: str) -> Activity:
        self.units[activity_id] = Unit(activity_id, agreement_id)
        return self.units[activity_id].activity
