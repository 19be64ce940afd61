"""Market events that make no sense, and agreements that are hard to end."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from aiohttp import web

from golem_bridge.errors import GolemError, NodeUnreachableError
from golem_bridge.golem.types import Proposal, ProposalRejection
from tests.unit.golem.conftest import Bench
from tests.unit.golem.fake_yagna import refusal

pytestmark = pytest.mark.filterwarnings("ignore:path is deprecated:DeprecationWarning")

NO_ROUTE = refusal(500, "GSB error: GSB failure: Bad request: endpoint address not found")


async def test_market_events_that_make_no_sense_are_left_out(bench: Bench) -> None:
    good = {
        "eventType": "ProposalEvent",
        "proposal": {
            "proposalId": "p1",
            "prevProposalId": None,
            "issuerId": "0x1",
            "state": "Initial",
            "timestamp": "2026-01-02T03:04:05.181526299Z",
            "properties": {"a": 1, "list": ["x"], "prices": [1, 0.5], "null": None, "mixed": [1, "x"], "nested": {}},
        },
    }
    good["proposal"]["properties"]["huge"] = [10**400, -(10**400)]  # type: ignore[index]
    rejected = {"eventType": "ProposalRejectedEvent", "proposalId": "c1", "reason": {"message": "no\n\x1bthanks"}}
    silly = [{}, {"eventType": "ProposalEvent"}, {"eventType": {"Odd": {}}}, {"eventType": "PropertyQueryEvent"}]
    bench.yagna.on("GET /market-api/v1/demands/d/events", web.json_response([*silly, good, rejected]))
    events = await bench.golem.proposals("d", timeout=1)
    assert [type(event) for event in events] == [Proposal, ProposalRejection]
    proposal, rejection = events
    assert isinstance(proposal, Proposal)
    huge = [float("inf"), float("-inf")]
    assert proposal.properties == {"a": 1, "list": ["x"], "prices": [1.0, 0.5], "huge": huge}
    assert proposal.made_at == datetime(2026, 1, 2, 3, 4, 5, 181526, tzinfo=UTC)
    assert isinstance(rejection, ProposalRejection)
    assert rejection.reason == "no thanks"


@pytest.mark.parametrize(
    ("terminate", "cancel", "calls"),
    [
        ([refusal(410, "Can't update Agreement state from Terminated to Terminated.")], [], ["terminate"]),
        ([refusal(409, "Can't update Agreement state from Proposal to Terminated.")], [], ["terminate"]),
        (
            [refusal(410, "Can't update Agreement state from Pending to Terminated.")],
            [web.Response(status=200)],
            ["terminate", "cancel"],
        ),
        (
            [refusal(410, "Can't update Agreement state from Pending to Terminated."), web.Response(status=200)],
            [refusal(410, "Can't update Agreement state from Approved to Cancelled.")],
            ["terminate", "cancel", "terminate"],
        ),
    ],
)
async def test_ways_to_end_an_agreement(
    bench: Bench, terminate: list[web.Response], cancel: list[web.Response], calls: list[str]
) -> None:
    bench.yagna.on("POST /market-api/v1/agreements/a/terminate", *terminate)
    bench.yagna.on("POST /market-api/v1/agreements/a/cancel", *cancel)
    await bench.golem.terminate_agreement("a", "done")
    assert [request.path.rsplit("/", 1)[1] for request in bench.yagna.requests] == calls


async def test_an_agreement_that_will_not_end(bench: Bench) -> None:
    bench.yagna.on("POST /market-api/v1/agreements/a/terminate", refusal(500, "disk full"))
    with pytest.raises(GolemError, match="disk full"):
        await bench.golem.terminate_agreement("a", "done")


async def test_a_provider_whose_yagna_is_gone_keeps_its_agreement(bench: Bench) -> None:
    bench.yagna.on("DELETE /activity-api/v1/activity/act", NO_ROUTE)
    bench.yagna.on("POST /market-api/v1/agreements/a/terminate", NO_ROUTE)
    with pytest.raises(NodeUnreachableError):
        await bench.golem.destroy_activity("act", timeout=5)
    with pytest.raises(NodeUnreachableError):
        await bench.golem.terminate_agreement("a", "gone")
