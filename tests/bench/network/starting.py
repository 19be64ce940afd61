"""How long things take to begin, and what they take when nobody uses them."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack

import aiohttp

from appliance.devnet import SERVICES
from appliance.steps import StepError
from tests.bench.network.own import PROVIDERS, Devnet
from tests.bench.network.report import MEMORY, SSH, START_UP, Report
from tests.integration.requestor import START, Refused, Rental, shell

IP = "192.168.7.2"
PATIENCE = 120.0
"""Seconds a start may take."""

SSHD = (
    "mkdir -p /run/sshd && rm -f /etc/ssh/ssh_host_* && ssh-keygen -q -t ed25519 -N '' "
    "-f /etc/ssh/ssh_host_ed25519_key && /usr/sbin/sshd -o HostKey=/etc/ssh/ssh_host_ed25519_key"
)


async def first_offer(devnet: Devnet, *, fresh: bool) -> float:
    """Seconds from ``docker compose up`` to the first proposal a requestor gets."""
    if fresh:
        await asyncio.to_thread(devnet.remove)
    else:
        await asyncio.to_thread(devnet.compose, "down")
    begin = time.monotonic()
    await asyncio.to_thread(devnet.compose, "up", "--detach", *SERVICES)
    while True:
        try:
            async with devnet.requestor() as requestor:
                allocation_id = await requestor.allocate()
                await requestor.draft(allocation_id, "(golem.inf.cpu.threads>0)", patience=30)
                took = time.monotonic() - begin
                await requestor.release(allocation_id)
                return took
        except (Refused, StepError, aiohttp.ClientError, OSError):  # not up yet
            if time.monotonic() - begin > PATIENCE:
                raise
            await asyncio.sleep(0.1)


async def start_up(devnet: Devnet, report: Report, runs: int) -> None:
    for fresh in (True, False):
        values = [await first_offer(devnet, fresh=fresh) for _ in range(runs)]
        report.tell(START_UP, values, note="new volumes" if fresh else "second start")


async def ssh_ready(devnet: Devnet, report: Report, runs: int) -> None:
    values = []
    async with devnet.requestor() as requestor:
        for _ in range(runs + 2):
            async with requestor.network() as network_id:
                allocation_id = await requestor.allocate()
                proposal = await requestor.draft(allocation_id, "(golem.node.id.name=alder)")
                agreement_id = await requestor.agree(proposal)
                begin = time.monotonic()
                path = "/activity-api/v1/activity?timeout=20"
                activity = await requestor.call("POST", path, {"agreementId": agreement_id})
                rental = Rental(proposal["issuerId"], agreement_id, activity["activityId"], allocation_id)
                join = await requestor.join(network_id, [(IP, rental)], rental)
                results = await requestor.execute(rental, join, START, shell(SSHD))
                assert results[-1]["result"] == "Ok", results
                async with requestor.channel(network_id, IP, 22) as ws:
                    assert (await ws.receive_bytes(timeout=20)).startswith(b"SSH-2.0")
                values.append(time.monotonic() - begin)
                await requestor.end(rental)
                await requestor.release(allocation_id)
    report.tell(SSH, values)


async def memory(devnet: Devnet, report: Report) -> None:
    async with AsyncExitStack() as stack:
        requestor = await stack.enter_async_context(devnet.requestor())
        network_id = await stack.enter_async_context(requestor.network())
        rentals = [await stack.enter_async_context(requestor.rented(name)) for name in PROVIDERS]
        members = [(f"192.168.7.{number}", rental) for number, rental in enumerate(rentals, start=2)]
        for _, rental in members:
            join = await requestor.join(network_id, members, rental)
            results = await requestor.execute(rental, join, START, shell(SSHD))
            assert results[-1]["result"] == "Ok", results
        await asyncio.sleep(10)
        report.tell(MEMORY, [await asyncio.to_thread(devnet.memory)])
