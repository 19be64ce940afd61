"""Parts of the devnet end and come back: within 30 s a node can be rented again, and what is owed is paid."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import aiohttp
import pytest

from tests.devnet import compose, switch
from tests.integration.requestor import START, Refused, Requestor, connected, deploy, shell

pytestmark = pytest.mark.usefixtures("honest")

LIMIT = 30.0
"""Seconds."""

RESTARTS: dict[str, Callable[[], object]] = {
    "hub": lambda: switch("restart", "hub"),
    "provider's yagna": lambda: switch("restart", "yagna"),
    "agent killed": lambda: switch("crash", "alder"),
    "requestor's yagna": lambda: compose("restart", "yagna"),
    "chain": lambda: compose("restart", "chain"),
}


@pytest.mark.parametrize("part", RESTARTS)
async def test_a_node_can_be_rented_again(part: str) -> None:
    RESTARTS[part]()
    begin = time.monotonic()
    while not await rents():
        assert time.monotonic() - begin < LIMIT, f"nothing can be rented {LIMIT:.0f} s after the restart"
        await asyncio.sleep(0.5)


async def rents() -> bool:
    """One try."""
    try:
        async with connected() as requestor, asyncio.timeout(LIMIT), requestor.rented("alder") as rental:
            results = await requestor.execute(rental, deploy(), START, shell("echo up"))
            return bool(results[-1]["stdout"] == "up\n")
    except (Refused, TimeoutError, aiohttp.ClientError, ValueError):
        return False


@pytest.mark.parametrize("part", ["provider's yagna", "requestor's yagna", "chain"])
async def test_money_owed_is_paid_all_the_same(requestor: Requestor, part: str) -> None:
    async with requestor.rented("birch") as rental:
        await requestor.end(rental)
        invoice = await requestor.invoice(rental)
        body = {"totalAmountAccepted": invoice["amount"], "allocationId": rental.allocation_id}
        await requestor.call("POST", f"/payment-api/v1/invoices/{invoice['invoiceId']}/accept", body)
        RESTARTS[part]()
        await settled(invoice["invoiceId"])


async def settled(invoice_id: str) -> None:
    """Asks anew every time: yagna may be starting."""
    begin = time.monotonic()
    status = None
    while status != "SETTLED":
        assert time.monotonic() - begin < 2 * LIMIT, f"the invoice is {status}"
        await asyncio.sleep(0.5)
        try:
            async with connected() as requestor:
                status = (await requestor.call("GET", f"/payment-api/v1/invoices/{invoice_id}"))["status"]
        except (Refused, aiohttp.ClientError, ValueError) as error:
            status = str(error)


async def test_a_killed_agent_ends_its_agreement_and_bills_it(requestor: Requestor) -> None:
    switch("set", "alder", "note_interval=1")
    try:
        async with requestor.rented("alder") as rental:
            await requestor.until(lambda: requestor.debit_notes(rental.agreement_id), "no debit note")
            switch("crash", "alder")
            assert await requestor.pay(rental) > 0
    finally:
        switch("clear", "alder")
