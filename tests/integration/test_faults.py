"""Each switch of the switchboard, as the requestor sees it."""

from __future__ import annotations

import time
from decimal import Decimal
from functools import partial
from typing import Any

import aiohttp
import pytest

from tests.devnet import faults, switch
from tests.integration.requestor import PATIENCE, START, Refused, Rental, Requestor, deploy, shell

pytestmark = pytest.mark.usefixtures("honest")

PER_SECOND = Decimal("0.000003")
"""GLM: more than alder's prices make in a second of one busy CPU."""

SERVE = "nohup python3 -m http.server 8000 >/dev/null 2>&1 & sleep 2"


async def test_agreements_are_refused(requestor: Requestor) -> None:
    with faults("alder", "agreements=refuse"), pytest.raises(Refused, match=r"410|Rejected"):
        async with requestor.rented("alder"):
            pytest.fail("the agreement was signed")


async def test_proposals_are_declined(requestor: Requestor) -> None:
    with faults("alder", "proposals=refuse"), pytest.raises(LookupError, match="declined"):
        async with requestor.rented("alder"):
            pytest.fail("the proposal was answered")


async def test_deploy_fails_or_takes_its_time(requestor: Requestor) -> None:
    async with requestor.rented("alder") as rental:
        with faults("alder", "deploy=false"):
            (result,) = await requestor.execute(rental, deploy(), START)
            assert (result["index"], result["result"]) == (0, "Error")
            assert "switchboard" in result["message"]
        with faults("alder", "deploy_delay=3"):
            begin = time.monotonic()
            results = await requestor.execute(rental, deploy(), START)
            assert [result["result"] for result in results] == ["Ok", "Ok"]
            assert time.monotonic() - begin >= 3


async def test_the_vpn_drops_and_comes_back(requestor: Requestor) -> None:
    async with requestor.network() as network_id, requestor.rented("alder") as rental:
        members = [("192.168.7.2", rental)]
        await requestor.execute(rental, await requestor.join(network_id, members, rental), START, shell(SERVE))

        async def reachable() -> bool:
            try:
                async with requestor.channel(network_id, "192.168.7.2", 8000):
                    return True
            except aiohttp.ClientError:
                return False

        assert await reachable()
        with faults("alder", "vpn=false"):
            assert not await reachable()
        await requestor.until(reachable, "the VPN did not come back")


async def test_an_agreement_is_broken(requestor: Requestor) -> None:
    async with requestor.rented("alder") as rental:
        switch("break", "alder")
        await requestor.until(lambda: over(requestor, rental), "the agreement was not broken")
        assert Decimal((await requestor.invoice(rental))["amount"]) >= Decimal("0.001"), "what was used is billed"


async def test_a_vanished_provider_is_silent_until_it_returns(requestor: Requestor) -> None:
    async with requestor.rented("alder") as rental:
        await requestor.execute(rental, deploy(), START)
        switch("vanish", "alder")
        try:
            with pytest.raises(Refused):
                await requestor.execute(rental, shell("true"))
        finally:
            switch("return", "alder")
    async with requestor.rented("alder") as rental:
        assert len(await requestor.execute(rental, deploy(), START)) == 2


async def test_debit_notes_lie_as_told(requestor: Requestor) -> None:
    with faults("alder", "note_interval=1"):
        async with requestor.rented("alder") as rental:
            begin = time.monotonic()
            honest = (await noted(requestor, rental, 1))[0]
            ceiling = Decimal("0.001") + PER_SECOND * Decimal(time.monotonic() - begin + PATIENCE)
            assert due(honest) < ceiling
            switch("set", "alder", "debit_notes=over-priced")
            assert max(map(due, await noted(requestor, rental, 3))) > ceiling
            switch("set", "alder", "debit_notes=duplicate")

            async def doubled() -> bool:
                found = await requestor.debit_notes(rental.agreement_id)
                return len({(note["activityId"], note["totalAmountDue"]) for note in found}) < len(found)

            await requestor.until(doubled, "no duplicate came")
            switch("set", "alder", "debit_notes=malformed")

            async def malformed() -> bool:
                found = await requestor.debit_notes(rental.agreement_id)
                return any(not isinstance(note["usageCounterVector"], list) for note in found)

            await requestor.until(malformed, "no malformed note came")


async def test_a_note_for_another_agreement(requestor: Requestor) -> None:
    async with requestor.rented("alder") as earlier:
        await requestor.end(earlier)
    with faults("alder", "note_interval=1", "debit_notes=wrong-agreement"):
        async with requestor.rented("alder"):
            await noted(requestor, earlier, 1)


async def test_an_over_priced_and_a_second_invoice(requestor: Requestor) -> None:
    for lie, count, least in (("over-priced", 1, "0.01"), ("duplicate", 2, "0.001")):
        with faults("alder", f"invoices={lie}"):
            async with requestor.rented("alder") as rental:
                await requestor.end(rental)
                look = partial(invoices, requestor, rental, count)
                found = await requestor.until(look, f"not {count} {lie} invoices")
                assert all(Decimal(invoice["amount"]) >= Decimal(least) for invoice in found)


async def test_a_malformed_invoice(requestor: Requestor) -> None:
    """yagna hands it on; what to make of it is the requestor's business."""
    with faults("alder", "invoices=malformed"):
        async with requestor.rented("alder") as rental:
            await requestor.end(rental)
            invoice = await requestor.invoice(rental)
            assert invoice["activityIds"] == []
            assert Decimal(invoice["amount"]) % Decimal("1e-18") != 0, "GLM has eighteen decimals"


async def test_an_invoice_for_another_agreement(requestor: Requestor) -> None:
    async with requestor.rented("alder") as earlier:
        await requestor.end(earlier)
        await requestor.invoice(earlier)
    with faults("alder", "invoices=wrong-agreement"):
        async with requestor.rented("alder") as rental:
            await requestor.end(rental)
            look = partial(invoices, requestor, earlier, 2)
            await requestor.until(look, "the earlier agreement was not billed again")
            assert await invoices(requestor, rental, 1) == [], "its own invoice is not sent"


async def noted(requestor: Requestor, rental: Rental, more: int) -> list[dict[str, Any]]:
    """The agreement's debit notes, once so many more have come."""
    before = len(await requestor.debit_notes(rental.agreement_id))

    async def enough() -> list[dict[str, Any]]:
        notes = await requestor.debit_notes(rental.agreement_id)
        return notes if len(notes) >= before + more else []

    return list(await requestor.until(enough, "no debit note"))


async def invoices(requestor: Requestor, rental: Rental, count: int) -> list[dict[str, Any]]:
    """The agreement's invoices, once there are so many."""
    found = [
        i for i in await requestor.call("GET", "/payment-api/v1/invoices") if i["agreementId"] == rental.agreement_id
    ]
    return found if len(found) >= count else []


async def over(requestor: Requestor, rental: Rental) -> bool:
    agreement = await requestor.call("GET", f"/market-api/v1/agreements/{rental.agreement_id}")
    return bool(agreement["state"] == "Terminated")


def due(note: dict[str, Any]) -> Decimal:
    return Decimal(note["totalAmountDue"])
