"""A node from offer to payment, in raw REST."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from tests.devnet import agent_pid, glm_wei, inside, provider_asks
from tests.integration.requestor import START, Refused, Rental, Requestor, deploy, shell

pytestmark = pytest.mark.usefixtures("honest")

WEI = 10**18
CATALOGUE = "http://127.0.0.1:8480/v1/image/info?tag=ray-on-golem/ray-node:local"


async def test_rent_run_and_pay_to_the_wei(requestor: Requestor) -> None:
    async with requestor.rented("alder") as rental:
        before = glm_wei(rental.provider_id)
        results = await requestor.execute(
            rental,
            deploy(hostname="node-of-mine"),
            START,
            shell("hostname; echo oh >&2"),
            shell("exit 3"),
            shell("true"),
        )
        assert [result["result"] for result in results] == ["Ok", "Ok", "Ok", "Error"]
        assert results[2]["stdout"] == "node-of-mine\n"
        assert results[2]["stderr"] == "oh\n"
        assert results[3]["message"] == "exit code 3"
        assert results[3]["isBatchFinished"]
        await requestor.end(rental)
        amount = await requestor.pay(rental)
        assert amount > Decimal("0.001"), "the start price alone is that much"
        assert glm_wei(rental.provider_id) - before == int(amount * WEI)
        await requestor.until(lambda: provider_settled("alder", rental), "the provider's side was not settled")


async def provider_settled(provider: str, rental: Rental) -> bool:
    invoices = await asyncio.to_thread(provider_asks, provider, "/payment-api/v1/invoices")
    (status,) = [item["status"] for item in invoices if item["agreementId"] == rental.agreement_id]
    return bool(status == "SETTLED")


async def test_results_are_streamed(requestor: Requestor) -> None:
    async with requestor.rented("birch") as rental:
        events = await requestor.stream(rental, deploy(), START, shell("echo streamed"))
        kinds = [(event["index"], next(iter(event["kind"]))) for event in events]
        with_output = ["started", "stdout", "finished"]
        expected = [(0, with_output), (1, ["started", "finished"]), (2, with_output)]
        assert kinds == [(index, kind) for index, kinds in expected for kind in kinds]
        assert events[-2]["kind"]["stdout"] == "streamed\n"


async def test_files_move_into_a_node_and_within_it(requestor: Requestor) -> None:
    async with requestor.rented("birch") as rental:
        results = await requestor.execute(
            rental,
            deploy(),
            START,
            {
                "transfer": {
                    "from": "http://127.0.0.1:8480/v1/image/info?tag=ray-on-golem/ray-node:local",
                    "to": "container:/data/info",
                }
            },
            {"transfer": {"from": "container:/data/info", "to": "container:/data/copy"}},
            shell("cat /data/copy"),
            {"transfer": {"from": "container:/nowhere", "to": "container:/data/copy"}},
        )
        assert '"sha3"' in results[4]["stdout"]
        assert results[5]["result"] == "Error"
        assert "No such file" in results[5]["message"]


async def test_terminate_ends_the_activity(requestor: Requestor) -> None:
    """By itself, with its place in a VPN, long before yagna takes it for dead (10 s); the provider goes on."""
    agent = agent_pid("cedar")
    async with requestor.network() as network_id, requestor.rented("cedar") as rental:
        join = await requestor.join(network_id, [("192.168.7.2", rental)], rental)
        await requestor.execute(rental, join, START, {"terminate": {}})

        async def ended() -> bool:
            state = await requestor.call("GET", f"/activity-api/v1/activity/{rental.activity_id}/state")
            return bool(state["state"][0] == "Terminated")

        await requestor.until(ended, "the activity did not end", patience=3)
        with pytest.raises(Refused):
            await requestor.execute(rental, shell("true"))
        await requestor.end(rental)
        await requestor.invoice(rental)
    assert agent_pid("cedar") == agent, "the provider was restarted"


async def test_nodes_are_apart(requestor: Requestor) -> None:
    """No process, file or secret of the provider or of another node is seen."""
    async with requestor.rented("alder") as one, requestor.rented("birch") as other:
        await requestor.execute(one, deploy(), START, shell("touch /tmp/mine; sleep 77777 &"))
        results = await requestor.execute(
            other, deploy(), START, shell("ls /tmp /opt/devnet /run /var/lib/golem-devnet 2>/dev/null; ps ax")
        )
        seen = results[2]["stdout"]
        for hidden in ("mine", "77777", "agent", "golem_devnet", "yagna", "switchboard"):
            assert hidden not in seen


def test_the_catalogue_answers_inside_only() -> None:
    look = "import urllib.request;print(urllib.request.urlopen('http://devnet:8480/v1/image/info?tag={}').status)"
    assert inside("chain", "python3", "-c", look.format("ray-on-golem/ray-node:local")).strip() == "200"
