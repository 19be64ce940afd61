"""Allocations, documents and payments as yagna tells them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from aiohttp import web

from golem_bridge.errors import AllocationGoneError, GolemError, InsufficientFundsError
from golem_bridge.golem.types import DocumentKind, PaymentProblem
from tests.unit.golem.conftest import Bench
from tests.unit.golem.fake_yagna import refusal

pytestmark = pytest.mark.filterwarnings("ignore:path is deprecated:DeprecationWarning")

SINCE = datetime(2026, 1, 1, tzinfo=UTC)


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
    bench.yagna.on("POST /payment-api/v1/allocations", web.json_response(poor("990"), status=400))
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
    with pytest.raises(AllocationGoneError, match="already released"):
        await bench.golem.accept(DocumentKind.INVOICE, "i", amount=Decimal(1), allocation_id="a")


async def test_amounts_are_sent_without_exponents(bench: Bench) -> None:
    bench.yagna.on("POST /payment-api/v1/debitNotes/d/accept", web.json_response(None))
    await bench.golem.accept(DocumentKind.DEBIT_NOTE, "d", amount=Decimal("1E-15"), allocation_id="a")
    assert json.loads(bench.yagna.bodies[0])["totalAmountAccepted"] == "0.000000000000001"


async def test_events_of_other_kinds_are_stepped_over(bench: Bench) -> None:
    cancelled = {"invoiceId": "i1", "eventDate": "2026-01-01T01:00:00Z", "eventType": "InvoiceCancelledEvent"}
    received = {"invoiceId": "i2", "eventDate": "2026-01-01T02:00:00.5Z", "eventType": "InvoiceReceivedEvent"}
    bench.yagna.on("GET /payment-api/v1/invoiceEvents", web.json_response([cancelled]), web.json_response([received]))
    (event,) = await bench.golem.document_events(DocumentKind.INVOICE, after=SINCE, limit=100, timeout=10)
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
