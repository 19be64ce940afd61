"""Parts of the devnet end and come back: within 30 s a node can be rented again, and what is owed is paid.

A restart of the hub or of the requestor's yagna leaves the nodes that run as they are.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from tests.devnet import compose, faults, provider_asks, switch
from tests.integration.requestor import START, Refused, Rental, Requestor, connected, deploy, shell

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


ECHO = """
import socket, threading
def serve(peer):
    while data := peer.recv(65536):
        peer.sendall(data)
server = socket.create_server(("", 7000))
while True:
    threading.Thread(target=serve, args=(server.accept()[0],)).start()
"""


@pytest.mark.parametrize("part", ["hub", "requestor's yagna"])
async def test_nodes_and_activities_go_on(part: str) -> None:
    async with connected() as requestor, requestor.rented("alder") as rental:
        stay = shell("nohup sleep 98765 >/dev/null 2>&1 & echo $! | tee /tmp/pid")
        pid = (await requestor.execute(rental, deploy(), START, stay))[-1]["stdout"]
        batch_id = await requestor.begin(rental, shell("sleep 4; echo woke"))
        begin = time.monotonic()
        RESTARTS[part]()

        async def looks() -> list[dict[str, Any]] | None:
            try:
                async with connected() as anew:
                    return await anew.execute(rental, shell("cat /tmp/pid; kill -0 $(cat /tmp/pid) && echo lives"))
            except (Refused, aiohttp.ClientError, ValueError):
                return None

        (result,) = await requestor.until(looks, f"the node was not reached after the restart of the {part}")
        assert result["stdout"] == f"{pid}lives\n"
        async with connected() as anew:
            (result,) = await anew.results(rental, batch_id)
            assert result["stdout"] == "woke\n", "what ran during the restart has its result"
            body = {"agreementId": rental.agreement_id}
            created = await anew.call("POST", "/activity-api/v1/activity?timeout=20", body)
            second = replace(rental, activity_id=created["activityId"])
            results = await anew.execute(second, deploy(), START, shell("echo up; cat /tmp/pid"))
            assert (results[-1]["stdout"], results[-1]["result"]) == ("up\n", "Error"), "it is another node"
            assert time.monotonic() - begin < LIMIT
            for activity_id in (rental.activity_id, second.activity_id):
                path = f"/activity-api/v1/activity/{activity_id}/state"
                assert (await anew.call("GET", path))["state"][0] == "Ready"
            agreement = await anew.call("GET", f"/market-api/v1/agreements/{rental.agreement_id}")
            assert agreement["state"] == "Approved"


async def test_an_open_connection_survives_a_restart_of_the_hub(requestor: Requestor) -> None:
    async with requestor.network() as network_id, requestor.rented("alder") as rental:
        join = await requestor.join(network_id, [("192.168.7.2", rental)], rental)
        serve = shell(f"nohup python3 -c '{ECHO}' >/dev/null 2>&1 & sleep 1")
        results = await requestor.execute(rental, join, START, serve)
        assert results[-1]["result"] == "Ok", results
        async with requestor.channel(network_id, "192.168.7.2", 7000) as ws:
            for word in (b"before", b"after"):
                await ws.send_bytes(word)
                heard = b""
                while len(heard) < len(word):
                    heard += await ws.receive_bytes(timeout=LIMIT)
                assert heard == word
                if word == b"before":
                    switch("restart", "hub")


@pytest.mark.parametrize("part", RESTARTS)
async def test_a_node_can_be_rented_again(part: str) -> None:
    await rented_in_time("before the restart")  # so that nothing is under way of a test before
    RESTARTS[part]()
    await rented_in_time("after the restart")


async def rented_in_time(when: str) -> None:
    begin = time.monotonic()
    while not await rents():
        assert time.monotonic() - begin < LIMIT, f"nothing can be rented in {LIMIT:.0f} s {when}"
        await asyncio.sleep(0.5)


async def rents() -> bool:
    """One try: short, as what is sent while a part is away is lost, and yagna does not send it again."""
    try:
        async with connected() as requestor, asyncio.timeout(LIMIT / 3), requestor.rented("alder") as rental:
            results = await requestor.execute(rental, deploy(), START, shell("echo up"))
            return bool(results[-1]["stdout"] == "up\n")
    except (Refused, TimeoutError, aiohttp.ClientError, ValueError):
        return False


@pytest.mark.parametrize("part", ["hub", "provider's yagna", "requestor's yagna", "chain"])
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


@pytest.fixture
async def billed(requestor: Requestor) -> AsyncIterator[Rental]:
    """An activity of alder's, which sends debit notes every second and has sent one."""
    with faults("alder", "note_interval=1"):
        async with requestor.rented("alder") as rental:
            await requestor.until(lambda: requestor.debit_notes(rental.agreement_id), "no debit note")
            yield rental


async def test_a_killed_agent_ends_its_agreement_and_bills_it(requestor: Requestor, billed: Rental) -> None:
    switch("crash", "alder")
    assert await requestor.pay(billed) > 0


async def test_an_invoice_waits_for_a_requestor_that_is_away(requestor: Requestor, billed: Rental) -> None:
    """As after a power cut, when the providers are back before it is."""
    compose("stop", "yagna")
    switch("crash", "alder")

    async def issued() -> bool:
        invoices = provider_asks("alder", "/payment-api/v1/invoices")
        return any(invoice["agreementId"] == billed.agreement_id for invoice in invoices)

    await requestor.until(issued, "no invoice")
    compose("start", "yagna")
    async with connected() as anew:
        await anew.until(lambda: answers(anew), "yagna does not answer")
        assert await anew.pay(billed) > 0


async def answers(requestor: Requestor) -> bool:
    try:
        return bool(await requestor.me())
    except (Refused, aiohttp.ClientError, ValueError):
        return False
