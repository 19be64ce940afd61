"""An ordinary golem-core 0.7.8 requestor: one node in a VPN, a channel to its ssh port, then the end and the bill."""

from __future__ import annotations

import asyncio
import os

import aiohttp
from golem.managers import (
    DefaultAgreementManager,
    DefaultPaymentManager,
    DefaultProposalManager,
    LinearCoeffsCost,
    NegotiatingPlugin,
    PaymentPlatformNegotiator,
    RefreshingDemandManager,
    RejectIfCostsExceeds,
    SequentialWorkManager,
    SingleNetworkManager,
    SingleUseActivityManager,
    WorkContext,
)
from golem.node import GolemNode
from golem.payload import VmPayload

SSHD = "mkdir -p /run/sshd && ssh-keygen -A >/dev/null && /usr/sbin/sshd && echo hello from $(hostname)"


async def main() -> None:
    golem = GolemNode()
    networks = SingleNetworkManager(golem, "192.168.99.0/24")
    payments = DefaultPaymentManager(golem, budget=1.0)
    payload = VmPayload(package_url=os.environ["IMAGE"], capabilities=["vpn"])
    demands = RefreshingDemandManager(golem, payments.get_allocation, [payload])
    negotiating = NegotiatingPlugin(proposal_negotiators=[PaymentPlatformNegotiator()])
    affordable = RejectIfCostsExceeds(1, LinearCoeffsCost("price_initial"))
    proposals = DefaultProposalManager(golem, demands.get_initial_proposal, plugins=[affordable, negotiating])
    agreements = DefaultAgreementManager(golem, proposals.get_draft_proposal)

    async def provider_of(context: WorkContext) -> str:
        return str(context._activity.parent.parent.data.issuer_id)

    async def on_start(context: WorkContext) -> None:
        batch = await context.create_batch()
        batch.deploy({"net": [await networks.get_deploy_args(await provider_of(context))]})
        batch.start()
        await batch()

    async def work(context: WorkContext) -> str:
        batch = await context.create_batch()
        batch.run(["/bin/sh", "-c", SSHD])
        results = await batch()
        print("STDOUT", results[0].stdout, flush=True)
        provider = await provider_of(context)
        url = await networks.get_provider_uri(provider, "ws")
        headers = {"Authorization": f"Bearer {os.environ['YAGNA_APPKEY']}"}
        async with aiohttp.ClientSession(headers=headers) as session, session.ws_connect(url) as ws:
            print("SSH", (await ws.receive(10)).data, flush=True)
        print("PROVIDER", provider, flush=True)
        return "done"

    activities = SingleUseActivityManager(golem, agreements.get_agreement, on_activity_start=on_start)
    workers = SequentialWorkManager(golem, activities.get_activity)
    async with golem, networks, payments, demands, proposals, agreements:
        await workers.do_work(work)
    print("CLOSED", flush=True)


if __name__ == "__main__":
    asyncio.run(asyncio.wait_for(main(), 150))
