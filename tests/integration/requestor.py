"""A requestor in raw REST, for tests: rents, runs, pays. Knows nothing of the bridge."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import aiohttp

from golem_devnet.catalogue.images import NODE_IMAGE, image_hash
from tests.devnet import SUBNET, app_key, yagna_url

PLATFORM = "erc20-hoodi-tglm"
PATIENCE = 30.0
"""Seconds."""

NET = {"ip": "192.168.7.0", "mask": "255.255.255.0"}
IMAGE = f"hash:sha3:{image_hash(NODE_IMAGE)}:http://devnet/image"


class Refused(Exception):  # noqa: N818 - an answer, which may be the wanted one
    """yagna answered with an error status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text[:500]}")
        self.status = status


@dataclass(frozen=True)
class Rental:
    """An agreement, its activity and the money set aside for it."""

    provider_id: str
    agreement_id: str
    activity_id: str
    allocation_id: str


class Requestor:
    """One session with yagna."""

    def __init__(self, session: aiohttp.ClientSession, url: str, key: str = "") -> None:
        self._session = session
        self.url = url
        self.key = key

    async def call(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - parsed JSON
        """Raises Refused."""
        async with self._session.request(method, self.url + path, json=body) as answer:
            text = await answer.text()
            if answer.status >= 400:
                raise Refused(answer.status, text)
            return json.loads(text) if text else None

    async def me(self) -> str:
        return str((await self.call("GET", "/me"))["identity"])

    async def allocate(self, amount: str = "1") -> str:
        """An allocation's id."""
        until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        body = {"paymentPlatform": PLATFORM, "totalAmount": amount, "makeDeposit": False, "timeout": until}
        return str((await self.call("POST", "/payment-api/v1/allocations", body))["allocationId"])

    async def release(self, allocation_id: str) -> None:
        await self.call("DELETE", f"/payment-api/v1/allocations/{allocation_id}")

    async def draft(
        self,
        allocation_id: str,
        constraints: str,
        *,
        subnet: str = SUBNET,
        image: str = IMAGE,
        patience: float = PATIENCE,
    ) -> dict[str, Any]:
        """A negotiated proposal. Raises TimeoutError, Refused; LookupError if the provider declines."""
        path = f"/payment-api/v1/demandDecorations?allocationIds={allocation_id}"
        decoration = await self.call("GET", path)
        properties = {item["key"]: item["value"] for item in decoration["properties"]}
        wanted = [
            constraints,
            f"(golem.node.debug.subnet={subnet})",
            "(golem.runtime.name=vm)",
            *decoration["constraints"],
        ]
        demand = {
            "properties": {
                **properties,
                "golem.node.debug.subnet": subnet,
                "golem.srv.comp.expiration": int((time.time() + 3600) * 1000),
                "golem.srv.caps.multi-activity": True,
                "golem.srv.comp.task_package": image,
                "golem.com.payment.chosen-platform": PLATFORM,
                "golem.com.payment.debit-notes.accept-timeout?": 60,
            },
            "constraints": f"(&{''.join(wanted)})",
        }
        demand_id = await self.call("POST", "/market-api/v1/demands", demand)
        try:
            async with asyncio.timeout(patience):
                return await self._negotiate(demand_id, demand)
        finally:
            await self.call("DELETE", f"/market-api/v1/demands/{demand_id}")

    async def agree(self, proposal: dict[str, Any], *, timeout: float = 15) -> str:
        """A signed agreement's id. Raises Refused."""
        valid = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        body = {"proposalId": proposal["proposalId"], "validTo": valid}
        agreement_id = str(await self.call("POST", "/market-api/v1/agreements", body))
        await self.call("POST", f"/market-api/v1/agreements/{agreement_id}/confirm")
        await self.call("POST", f"/market-api/v1/agreements/{agreement_id}/wait?timeout={timeout}")
        return agreement_id

    @asynccontextmanager
    async def rented(self, provider: str, *, subnet: str = SUBNET, image: str = IMAGE) -> AsyncIterator[Rental]:
        """An activity of a provider by its name; ended afterwards, and its money released."""
        allocation_id = await self.allocate()
        agreement_id = ""
        try:
            proposal = await self.draft(allocation_id, f"(golem.node.id.name={provider})", subnet=subnet, image=image)
            agreement_id = await self.agree(proposal)
            created = await self.call("POST", "/activity-api/v1/activity?timeout=20", {"agreementId": agreement_id})
            rental = Rental(proposal["issuerId"], agreement_id, created["activityId"], allocation_id)
            yield rental
        finally:
            if agreement_id:
                await self._quietly("POST", f"/market-api/v1/agreements/{agreement_id}/terminate", {"message": "done"})
            await self._quietly("DELETE", f"/payment-api/v1/allocations/{allocation_id}")

    async def end(self, rental: Rental) -> None:
        """End the activity and the agreement."""
        await self.call("DELETE", f"/activity-api/v1/activity/{rental.activity_id}?timeout=20")
        await self.call(
            "POST", f"/market-api/v1/agreements/{rental.agreement_id}/terminate", {"message": "the test is over"}
        )

    async def execute(self, rental: Rental, *script: dict[str, Any]) -> list[dict[str, Any]]:
        """Results of a script. Raises Refused."""
        return await self.results(rental, await self.begin(rental, *script))

    async def begin(self, rental: Rental, *script: dict[str, Any]) -> str:
        """Start a script; its batch's id. Raises Refused."""
        path = f"/activity-api/v1/activity/{rental.activity_id}/exec"
        return str(await self.call("POST", path, {"text": json.dumps(script)}))

    async def results(self, rental: Rental, batch_id: str) -> list[dict[str, Any]]:
        """Results of a script once it has ended. Raises Refused."""
        path = f"/activity-api/v1/activity/{rental.activity_id}/exec/{batch_id}?timeout={PATIENCE:.0f}"
        return list(await self.call("GET", path))

    async def stream(self, rental: Rental, *script: dict[str, Any]) -> list[dict[str, Any]]:
        """Events of a script, streamed."""
        path = f"/activity-api/v1/activity/{rental.activity_id}/exec"
        batch_id = await self.call("POST", path, {"text": json.dumps(script)})
        events: list[dict[str, Any]] = []
        headers = {"Accept": "text/event-stream"}
        async with self._session.get(f"{self.url}{path}/{batch_id}", headers=headers) as answer:
            async for line in answer.content:
                if line.startswith(b"data:"):
                    events.append(json.loads(line.removeprefix(b"data:")))
                    if "finished" in events[-1]["kind"] and events[-1]["index"] == len(script) - 1:
                        break
        return events

    async def invoice(self, rental: Rental) -> dict[str, Any]:
        """The agreement's invoice, once it is there."""
        return dict(await self.until(lambda: self._invoice(rental.agreement_id), "no invoice"))

    async def pay(self, rental: Rental) -> Decimal:
        """Accept the invoice and wait until it is settled; its amount in GLM."""
        invoice = await self.invoice(rental)
        body = {"totalAmountAccepted": invoice["amount"], "allocationId": rental.allocation_id}
        await self.call("POST", f"/payment-api/v1/invoices/{invoice['invoiceId']}/accept", body)

        async def settled() -> bool:
            found = await self.call("GET", f"/payment-api/v1/invoices/{invoice['invoiceId']}")
            return bool(found["status"] == "SETTLED")

        await self.until(settled, "the invoice was not settled")
        return Decimal(invoice["amount"])

    async def debit_notes(self, agreement_id: str) -> list[dict[str, Any]]:
        """Received so far."""
        notes = await self.call("GET", "/payment-api/v1/debitNotes")
        return [note for note in notes if note["agreementId"] == agreement_id]

    async def until(self, look: Callable[[], Any], failure: str, *, patience: float = PATIENCE) -> Any:  # noqa: ANN401
        """What ``look`` finds, once it finds something. Raises AssertionError."""
        deadline = time.monotonic() + patience
        while not (found := await look()):
            assert time.monotonic() < deadline, f"{failure} in {patience:.0f} s"
            await asyncio.sleep(0.25)
        return found

    @asynccontextmanager
    async def network(self) -> AsyncIterator[str]:
        """A VPN's id; this requestor has its first address."""
        network_id = str((await self.call("POST", "/net-api/v2/vpn/net", NET))["id"])
        await self.call("POST", f"/net-api/v2/vpn/net/{network_id}/addresses", {"ip": "192.168.7.1"})
        try:
            yield network_id
        finally:
            await self.call("DELETE", f"/net-api/v2/vpn/net/{network_id}")

    async def join(self, network_id: str, members: Sequence[tuple[str, Rental]], rental: Rental) -> dict[str, Any]:
        """The deploy command of a node; ``members`` are addresses and rentals of all nodes."""
        nodes = {"192.168.7.1": await self.me(), **{ip: member.provider_id for ip, member in members}}
        (own,) = [ip for ip, member in members if member is rental]
        body = {"id": rental.provider_id, "ip": own}
        await self.call("POST", f"/net-api/v2/vpn/net/{network_id}/nodes", body)
        return deploy(net=[{"id": network_id, **NET, "nodeIp": own, "nodes": nodes}])

    def channel(
        self, network_id: str, ip: str, port: int, *, autoping: bool = True
    ) -> aiohttp.client._WSRequestContextManager:
        """A websocket to a node's TCP port."""
        url = f"{self.url}/net-api/v2/vpn/net/{network_id}/tcp/{ip}/{port}"
        return self._session.ws_connect(url, autoping=autoping)

    async def _negotiate(self, demand_id: str, demand: dict[str, Any]) -> dict[str, Any]:
        while True:
            for event in await self.call("GET", f"/market-api/v1/demands/{demand_id}/events?timeout=5&maxEvents=5"):
                if event["eventType"] == "ProposalRejectedEvent":
                    raise LookupError(f"declined: {event.get('reason')}")
                proposal = event["proposal"]
                if proposal["state"] == "Draft":
                    return dict(proposal)
                path = f"/market-api/v1/demands/{demand_id}/proposals/{proposal['proposalId']}"
                try:
                    await self.call("POST", path, demand)
                except Refused as refusal:  # an offer that was withdrawn just now; the next one comes
                    assert "unsubscribed" in str(refusal), refusal

    async def _invoice(self, agreement_id: str) -> dict[str, Any] | None:
        invoices = await self.call("GET", "/payment-api/v1/invoices")
        return next((invoice for invoice in invoices if invoice["agreementId"] == agreement_id), None)

    async def _quietly(self, method: str, path: str, body: object = None) -> None:
        """What may have been done before."""
        try:
            await self.call(method, path, body)
        except Refused as refusal:
            assert refusal.status in {400, 404, 409, 410}, refusal


@asynccontextmanager
async def connected() -> AsyncIterator[Requestor]:
    """A session with the appliance's yagna as it is now."""
    key = app_key()
    headers = {"Authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(90)) as session:
        yield Requestor(session, yagna_url(), key)


def deploy(**arguments: object) -> dict[str, Any]:
    return {"deploy": arguments}


START: dict[str, Any] = {"start": {"args": []}}


def shell(command: str) -> dict[str, Any]:
    """Run a command line in the node."""
    capture = {"stdout": {"atEnd": {"format": "string"}}, "stderr": {"atEnd": {"format": "string"}}}
    return {"run": {"entry_point": "/bin/sh", "args": ["-c", command], "capture": capture}}
