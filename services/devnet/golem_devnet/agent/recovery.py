"""What an agent that was killed owes its requestors: an end of its agreements, and the invoice."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from golem_devnet.agent.payments import API, invoice_body, send_invoice
from golem_devnet.agent.rest import ProviderRest, RestError
from golem_devnet.exeunit.activity import tell_state
from golem_devnet.net.bus import BusClient, BusError

log = logging.getLogger(__name__)


async def close_old_agreements(rest: ProviderRest, bus: BusClient) -> None:
    """Break agreements in force, their activities are over; bill those without an invoice for what their last debit
    notes said.

    Raises RestError if the daemon does not answer; an agreement that cannot be closed is logged and left.
    """
    for agreement in await rest.call("GET", "/market-api/v1/agreements?state=Approved"):
        await _bury_activities(rest, bus, agreement["id"])
        try:
            path = f"/market-api/v1/agreements/{agreement['id']}/terminate"
            await rest.call("POST", path, {"message": "the provider has restarted"})
            log.warning("agreement %s of before the restart is broken", agreement["id"][:12])
        except RestError as error:
            log.error("agreement %s stays: %s", agreement["id"][:12], error)
    notes = await rest.call("GET", f"{API}/debitNotes")
    invoiced = {invoice["agreementId"] for invoice in await rest.call("GET", f"{API}/invoices")}
    for agreement_id, dues in last_dues(notes).items():
        if agreement_id not in invoiced:
            try:
                await send_invoice(rest, invoice_body(agreement_id, list(dues), sum(dues.values(), Decimal(0))))
                log.warning("agreement %s of before the restart is invoiced", agreement_id[:12])
            except RestError as error:
                log.error("no invoice for agreement %s: %s", agreement_id[:12], error)


async def _bury_activities(rest: ProviderRest, bus: BusClient, agreement_id: str) -> None:
    """Their nodes ended with the agent; who asks its daemon for their state shall hear it."""
    try:
        for activity_id in await rest.call("GET", f"/activity-api/v1/activity?agreementId={agreement_id}"):
            await tell_state(bus, activity_id, "Terminated")
    except (RestError, BusError) as error:
        log.error("activities of agreement %s stay: %s", agreement_id[:12], error)


def last_dues(notes: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Decimal]]:
    """Agreement to activity to the most its debit notes asked for, in GLM."""
    dues: dict[str, dict[str, Decimal]] = {}
    for note in notes:
        of_agreement = dues.setdefault(note["agreementId"], {})
        asked = Decimal(note["totalAmountDue"])
        of_agreement[note["activityId"]] = max(asked, of_agreement.get(note["activityId"], Decimal(0)))
    return dues
