"""YagnaGolem in front of a yagna that misbehaves; what a well-behaved one does is in tests/contract."""

from __future__ import annotations

import asyncio
import json
import logging
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from aiohttp import WSMsgType, web

from golem_bridge.errors import (
    CommandFailedError,
    GolemError,
    GolemTimeoutError,
    InsufficientFundsError,
    NodeUnreachableError,
    NotFoundError,
    YagnaUnavailableError,
)
from golem_bridge.golem.types import DocumentKind, PaymentProblem, Proposal, ProposalRejection
from golem_bridge.golem.yagna import YagnaGolem
from tests.unit.golem.conftest import KEY, Bench
from tests.unit.golem.fake_yagna import refusal

pytestmark = pytest.mark.filterwarnings("ignore:path is deprecated:DeprecationWarning")

EXEC = "/activity-api/v1/activity/act/exec"
STATE = "GET /activity-api/v1/activity/act/state"
CHANNEL = "GET /net-api/v2/vpn/net/n/tcp/192.168.0.3/22"
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
NO_ROUTE = refusal(500, "GSB error: GSB failure: Bad request: endpoint address not found")
SCRIPT: list[dict[str, object]] = [{"deploy": {}}, {"run": {"entry_point": "/bin/true", "args": []}}]


def result(index: int, *, ok: bool = True, last: bool = False, **more: object) -> dict[str, object]:
    return {"index": index, "result": "Ok" if ok else "Error", "isBatchFinished": last, "eventDate": "x", **more}


async def test_every_request_carries_the_key_and_nothing_else_does(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    bench.yagna.on("GET /payment-api/v1/allocations", refusal(500, "broken"))
    bench.yagna.on("GET /me", web.json_response({"identity": "0x1"}))
    bench.yagna.on(CHANNEL, refusal(400, "refused"))
    assert await bench.golem.identity() == "0x1"
    said = []
    for attempt in (
        bench.golem.allocations(),
        bench.golem.open_channel("n", ip="192.168.0.3", port=22, timeout=5),
        bench.golem.agreement("unknown"),
    ):
        with pytest.raises(GolemError) as failed:
            await attempt
        said += [*traceback.format_exception(failed.value), repr(failed.value)]
    assert all(request.headers["Authorization"] == f"Bearer {KEY}" for request in bench.yagna.requests)
    assert KEY not in "".join([*said, caplog.text, repr(bench.golem), str(vars(bench.golem))])


async def test_a_yagna_that_is_not_there() -> None:
    async with YagnaGolem("http://127.0.0.1:1", KEY) as golem:
        for attempt in (golem.identity(), golem.allocations()):
            with pytest.raises(YagnaUnavailableError, match="docker compose"):
                await attempt
        with pytest.raises(YagnaUnavailableError):
            await golem.open_channel("n", ip="192.168.0.3", port=22, timeout=5)


async def test_a_wrong_key(bench: Bench) -> None:
    bench.yagna.on("GET /me", web.Response(status=401, text="Invalid application key"))
    with pytest.raises(YagnaUnavailableError, match="app-key"):
        await bench.golem.identity()


@pytest.mark.parametrize("body", [b"", b"nonsense", b"{}", b"[1]", b'{"identity": 5}', b"\xff"])
async def test_an_answer_that_is_not_understood(bench: Bench, body: bytes) -> None:
    bench.yagna.on("GET /me", web.Response(body=body))
    with pytest.raises(GolemError, match="not understood"):
        await bench.golem.identity()


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


async def test_results_come_in_pieces(bench: Bench) -> None:
    bench.yagna.on(f"POST {EXEC}", web.json_response("batch"))
    bench.yagna.on(
        f"GET {EXEC}/batch",
        web.json_response([]),
        refusal(408, "Timeout"),
        web.json_response([result(0)]),
        web.json_response([result(0), result(1, last=True, stdout="done")]),
    )
    results = await bench.golem.execute("act", SCRIPT, timeout=60)
    assert [item.stdout for item in results] == ["", "done"]
    assert json.loads(json.loads(bench.yagna.bodies[0])["text"]) == SCRIPT


async def test_an_exe_unit_that_appears_late(bench: Bench) -> None:
    bench.yagna.on(STATE, web.json_response({"state": ["Initialized", None]}))
    bench.yagna.on(f"POST {EXEC}", NO_ROUTE, NO_ROUTE, web.json_response("batch"))
    bench.yagna.on(f"GET {EXEC}/batch", NO_ROUTE, web.json_response([result(0), result(1, last=True)]))
    assert len(await bench.golem.execute("act", SCRIPT, timeout=60)) == 2


async def test_an_exe_unit_that_stays_away(bench: Bench) -> None:
    bench.yagna.on(STATE, refusal(500, "who knows"))
    bench.yagna.on(f"POST {EXEC}", NO_ROUTE)
    with pytest.raises(NodeUnreachableError, match="out of reach"):
        await bench.golem.execute("act", SCRIPT, timeout=600)
    assert len([request for request in bench.yagna.requests if request.method == "POST"]) == 4


async def test_an_activity_that_ends_meanwhile(bench: Bench) -> None:
    bench.yagna.on(STATE, web.json_response({"state": ["Terminated", None]}))
    bench.yagna.on(f"POST {EXEC}", web.json_response("batch"))
    bench.yagna.on(f"GET {EXEC}/batch", NO_ROUTE)
    with pytest.raises(CommandFailedError, match="ended activity"):
        await bench.golem.execute("act", SCRIPT, timeout=60)


async def test_a_command_that_fails(bench: Bench) -> None:
    bench.yagna.on(f"POST {EXEC}", web.json_response("batch"))
    failed = result(1, ok=False, last=True, message="ExeUnit: exit code 3", stderr="line\noops\x1b[31m")
    bench.yagna.on(f"GET {EXEC}/batch", web.json_response([result(0), failed]))
    with pytest.raises(CommandFailedError) as error:
        await bench.golem.execute("act", SCRIPT, timeout=60)
    assert "run (2 of 2)" in error.value.message
    assert "exit code 3; line oops" in error.value.message
    assert error.value.message.isprintable()


async def test_a_script_that_never_ends(bench: Bench) -> None:
    bench.yagna.on(f"POST {EXEC}", web.json_response("batch"))
    bench.yagna.on(f"GET {EXEC}/batch", web.json_response([result(0)]))
    started = bench.clock.monotonic()
    with pytest.raises(GolemTimeoutError, match=r"1 of 2 commands are done, next: run \(2 of 2\)"):
        await bench.golem.execute("act", SCRIPT, timeout=30)
    assert 30 <= bench.clock.monotonic() - started < 31


@pytest.mark.parametrize(
    ("status", "kind"), [(400, NodeUnreachableError), (504, NodeUnreachableError), (403, NotFoundError)]
)
async def test_ports_that_do_not_answer(bench: Bench, status: int, kind: type[GolemError]) -> None:
    bench.yagna.on(CHANNEL, web.Response(status=status))
    with pytest.raises(kind):
        await bench.golem.open_channel("n", ip="192.168.0.3", port=22, timeout=5)


async def test_a_handshake_that_hangs(bench: Bench) -> None:
    async def hang(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(1)
        return web.Response()

    bench.yagna.on(CHANNEL, hang)
    with pytest.raises(NodeUnreachableError, match="no answer"):
        await bench.golem.open_channel("n", ip="192.168.0.3", port=22, timeout=0.05)


async def test_a_channel_carries_messages_of_any_size_until_it_ends(bench: Bench) -> None:
    async def echo(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        await socket.ping(b"are you there")
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                await socket.send_str("noise")
                await socket.send_bytes(b"")
                await socket.send_bytes(message.data)
                if message.data == b"bye":
                    break
        await socket.close()
        return socket

    bench.yagna.on(CHANNEL, echo)
    channel = await bench.golem.open_channel("n", ip="192.168.0.3", port=22, timeout=5)
    big = bytes(8 * 2**20)
    for piece in (b"hello", big, b"bye"):
        await channel.send(piece)
        assert await channel.receive() == piece
    with pytest.raises(ConnectionError, match=r"port 22 of 192\.168\.0\.3"):
        await channel.receive()
    with pytest.raises(ConnectionError):
        await channel.send(b"too late")
    await channel.close()
    await channel.close()


async def test_networks_are_taken_back_when_they_cannot_be_finished(bench: Bench) -> None:
    bench.yagna.on("POST /net-api/v1/net", web.json_response({"id": "n", "ip": "x", "mask": "y", "gateway": "z"}))
    bench.yagna.on("POST /net-api/v1/net/n/addresses", refusal(400, "taken"))
    bench.yagna.on("DELETE /net-api/v1/net/n", web.json_response(None))
    with pytest.raises(GolemError, match="taken"):
        await bench.golem.create_network(address="192.168.0.0", mask="255.255.0.0", requestor_ip="192.168.0.1")
    assert bench.yagna.requests[-1].method == "DELETE"


def poor(available: str) -> Mapping[str, str]:
    """yagna's answer to who wants 5000 GLM set aside."""
    return {
        "type": "/payment-api/v1/allocations/validation-error",
        "detail": "Insufficient funds to create the allocation.",
        "instance": "/payment-api/v1/allocations/validation-error/insufficient-account-funds",
        "availableFunds": available,
        "requestedFunds": "5000",
    }


async def test_a_wallet_that_holds_less_than_is_set_aside_has_nothing_available(bench: Bench) -> None:
    bench.yagna.on("POST /payment-api/v1/allocations", web.json_response(poor("-4.99897"), status=400))
    with pytest.raises(InsufficientFundsError, match="asked for, 0 GLM available") as refused:
        await bench.golem.create_allocation(Decimal(5000), platform="p", expires=SINCE)
    assert refused.value.available == 0


async def test_a_lack_of_funds_names_what_there_is(bench: Bench) -> None:
    wallet = poor("990")
    bench.yagna.on("POST /payment-api/v1/allocations", web.json_response(wallet, status=400))
    with pytest.raises(InsufficientFundsError, match="5000 GLM asked for, 990 GLM available") as refused:
        await bench.golem.create_allocation(Decimal(5000), platform="p", expires=SINCE)
    assert refused.value.available == 990
    lack = refusal(400, "Not enough funds. Allocated: 2 Needed: 50")
    bench.yagna.on("POST /payment-api/v1/invoices/i/accept", lack)
    with pytest.raises(InsufficientFundsError, match="50 GLM needed, 2 GLM left") as refused:
        await bench.golem.accept(DocumentKind.INVOICE, "i", amount=Decimal(50), allocation_id="a")
    assert refused.value.available == 2


async def test_a_released_allocation_carries_nothing(bench: Bench) -> None:
    bench.yagna.on("POST /payment-api/v1/invoices/i/accept", refusal(410, "Allocation a has been already released"))
    with pytest.raises(NotFoundError, match="already released"):
        await bench.golem.accept(DocumentKind.INVOICE, "i", amount=Decimal(1), allocation_id="a")


async def test_amounts_are_sent_without_exponents(bench: Bench) -> None:
    bench.yagna.on("POST /payment-api/v1/debitNotes/d/accept", web.json_response(None))
    await bench.golem.accept(DocumentKind.DEBIT_NOTE, "d", amount=Decimal("1E-15"), allocation_id="a")
    assert json.loads(bench.yagna.bodies[0])["totalAmountAccepted"] == "0.000000000000001"


async def test_events_of_other_kinds_are_stepped_over(bench: Bench) -> None:
    cancelled = {"invoiceId": "i1", "eventDate": "2026-01-01T01:00:00Z", "eventType": "InvoiceCancelledEvent"}
    received = {"invoiceId": "i2", "eventDate": "2026-01-01T02:00:00.5Z", "eventType": "InvoiceReceivedEvent"}
    bench.yagna.on("GET /payment-api/v1/invoiceEvents", web.json_response([cancelled]), web.json_response([received]))
    (event,) = await bench.golem.document_events(DocumentKind.INVOICE, after=SINCE, timeout=10)
    assert event.document_id == "i2"
    assert event.at == datetime(2026, 1, 1, 2, 0, 0, 500_000, tzinfo=UTC)
    asked = [request.query["afterTimestamp"] for request in bench.yagna.requests]
    assert asked == ["2026-01-01T00:00:00.000000Z", "2026-01-01T01:00:00.000000Z"]


async def test_an_allocation_says_when_it_ends_if_ever(bench: Bench) -> None:
    allocation = {
        "allocationId": "a",
        "paymentPlatform": "erc20-hoodi-tglm",
        "totalAmount": "5",
        "spentAmount": "1.5",
        "remainingAmount": "3.5",
    }
    timeouts = ("2026-01-01T02:00:00+02:00", None, "9999-12-31T23:59-01:00")
    ending, endless, absurd = ({**allocation, "timeout": timeout} for timeout in timeouts)
    answers = ([ending, endless, allocation], [absurd])
    bench.yagna.on("GET /payment-api/v1/allocations", *map(web.json_response, answers))
    assert [known.expires for known in await bench.golem.allocations()] == [SINCE, None, None]
    with pytest.raises(GolemError, match="timeout"):
        await bench.golem.allocations()


async def test_payments_are_split_by_what_they_are_for(bench: Bench) -> None:
    payment = {
        "paymentId": "p",
        "payeeId": "0x2",
        "amount": "1.5",
        "timestamp": "2026-11-22T20:59:14.225Z",
        "agreementPayments": [{"agreementId": "a", "amount": "0.75"}, {"agreementId": "a", "amount": "0.25"}],
        "activityPayments": [{"activityId": "c", "amount": "0.5", "allocationId": None}],
        "details": "Tx4eG0v2+TctV1hVn95ABp9UYGHDN3N4xy6/afJMDb4=",
        "signedBytes": [1, 2, 3],
    }
    bench.yagna.on("GET /payment-api/v1/payments", web.json_response([payment, {**payment, "details": "not base64!"}]))
    known, odd = await bench.golem.payments(after=SINCE, limit=250, timeout=1)
    assert known.tx_hash == "0x4f1e1e1b4bf6f9372d5758559fde40069f546061c3377378c72ebf69f24c0dbe"
    assert known.agreement_shares == {"a": Decimal(1)}
    assert known.activity_shares == {"c": Decimal("0.5")}
    assert odd.tx_hash == "0x" + b"not base64!".hex()
    assert bench.yagna.requests[0].query["maxEvents"] == "250"


async def test_every_call_is_observed_with_its_name_and_whether_yagna_failed(bench: Bench) -> None:
    seen: list[tuple[str, bool]] = []

    def observe(operation: str, seconds: float, failed: bool) -> None:
        assert seconds >= 0
        seen.append((operation, failed))

    bench.golem.observed_by(observe)
    bench.yagna.on("GET /payment-api/v1/payments/status", web.json_response([]), refusal(500, "broken"))
    await bench.golem.payment_problems()
    with pytest.raises(GolemError):
        await bench.golem.payment_problems()
    bench.yagna.on("DELETE /market-api/v1/demands/d", refusal(404, "gone"))
    await bench.golem.unsubscribe("d")
    assert seen == [("get", False), ("get", True), ("unsubscribe_demand", False)]


async def test_yagna_is_asked_to_pay_now(bench: Bench) -> None:
    done = web.json_response({"resolve_time_ms": 1.0, "send_time_ms": 2.0})
    bench.yagna.on("POST /payment-api/v1/batchCycle/erc20-polygon-glm/now", done, refusal(500, "PoisonError"))
    await bench.golem.pay_now("erc20-polygon-glm")
    with pytest.raises(GolemError, match=r"Cannot have accepted amounts paid now .* PoisonError"):
        await bench.golem.pay_now("erc20-polygon-glm")


async def test_what_keeps_yagna_from_paying_is_told(bench: Bench) -> None:
    kinds = ("InsufficientGas", "RpcError", "SomethingNew")
    bench.yagna.on("GET /payment-api/v1/payments/status", web.json_response([{"kind": kind} for kind in kinds]))
    assert await bench.golem.payment_problems() == [
        PaymentProblem.INSUFFICIENT_GAS,
        PaymentProblem.RPC_ERROR,
        PaymentProblem.OTHER,
    ]


async def test_totals_are_those_in_which_we_pay(bench: Bench) -> None:
    row = {
        "id": "a",
        "role": "R",
        "peerId": "0x2",
        "totalAmountDue": "3",
        "totalAmountAccepted": "2",
        "totalAmountPaid": "1",
    }
    bench.yagna.on("GET /payment-api/v1/payAgreements", web.json_response([row, {**row, "role": "P"}]))
    (totals,) = await bench.golem.agreement_totals()
    assert (totals.agreement_id, totals.provider_id) == ("a", "0x2")
    assert (totals.due, totals.accepted, totals.paid) == (Decimal(3), Decimal(2), Decimal(1))
