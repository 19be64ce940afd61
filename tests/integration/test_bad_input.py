"""What cannot be done is refused, in words."""

from __future__ import annotations

import aiohttp
import pytest

from tests.integration.requestor import START, Refused, Requestor, deploy, shell

pytestmark = pytest.mark.usefixtures("honest")


async def test_an_unknown_image(requestor: Requestor) -> None:
    async with requestor.rented("alder", image="hash:sha3:abcd:http://devnet/none") as rental:
        (result,) = await requestor.execute(rental, deploy(), START)
        assert result["message"] == "image abcd is not in the devnet's catalogue"


async def test_commands_out_of_place(requestor: Requestor) -> None:
    async with requestor.rented("birch") as rental:
        for script, said in (
            ([shell("true")], "run needs deploy and start before it"),
            ([START], "start needs deploy before it"),
            ([{"transfer": {"from": "container:/a", "to": "container:/b"}}], "transfer needs deploy before it"),
            ([deploy(), deploy()], "deployed already"),
            ([{"run": {"entry_point": "/no/such/program"}}], "run needs deploy and start before it"),
            ([START, {"run": {"entry_point": "/no/such/program"}}], "exit code 127"),
        ):
            results = await requestor.execute(rental, *script)
            assert (results[-1]["result"], results[-1]["message"]) == ("Error", said)
        with pytest.raises(Refused, match="400"):
            await requestor.execute(rental, {"dance": {}})


async def test_nothing_runs_on_an_ended_activity(requestor: Requestor) -> None:
    async with requestor.rented("cedar") as rental:
        await requestor.end(rental)
        with pytest.raises(Refused):
            await requestor.execute(rental, deploy())


async def test_a_demand_nobody_meets(requestor: Requestor) -> None:
    allocation_id = await requestor.allocate()
    try:
        with pytest.raises(TimeoutError):
            await requestor.draft(allocation_id, "(golem.inf.mem.gib>100000)", patience=6)
    finally:
        await requestor.release(allocation_id)


async def test_a_wrong_app_key(requestor: Requestor) -> None:
    headers = {"Authorization": "Bearer not-the-key"}
    async with aiohttp.ClientSession(headers=headers) as session:
        with pytest.raises(Refused, match="401"):
            await Requestor(session, requestor.url).me()
