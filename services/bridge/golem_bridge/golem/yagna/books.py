"""Reading what yagna itself computed: allocations, payments, totals.

A fault in it is no hostile document but a yagna we do not understand: GolemError.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, TypeAdapter

from golem_bridge.golem.types import AgreementTotals, Allocation, Payment, PaymentProblem
from golem_bridge.golem.yagna.amounts import Amount, utc
from golem_bridge.golem.yagna.rest import Answer

MAX_HASH = 64
"""Bytes of a transaction's name."""


def parse_transaction(value: object) -> str:
    """``0x`` + hex of a transaction hash, which comes as base64 of its bytes; of the text itself where it does not."""
    text = value if isinstance(value, str) else ""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raw = text.encode(errors="replace")
    return "0x" + raw[:MAX_HASH].hex()


class _WireAllocation(BaseModel):
    allocation_id: str = Field(alias="allocationId")
    platform: str = Field(alias="paymentPlatform")
    total: Amount = Field(alias="totalAmount")
    spent: Amount = Field(alias="spentAmount")
    remaining: Amount = Field(alias="remainingAmount")
    expires: Annotated[datetime, AfterValidator(utc)] | None = Field(alias="timeout", default=None)

    def value(self) -> Allocation:
        return Allocation(self.allocation_id, self.platform, self.total, self.spent, self.remaining, self.expires)


class _WireAgreementShare(BaseModel):
    id: str = Field(alias="agreementId")
    amount: Amount


class _WireActivityShare(BaseModel):
    id: str = Field(alias="activityId")
    amount: Amount


class _WirePayment(BaseModel):
    payment_id: str = Field(alias="paymentId")
    payee: str = Field(alias="payeeId")
    amount: Amount
    timestamp: datetime
    agreements: list[_WireAgreementShare] = Field(alias="agreementPayments", default_factory=list)
    activities: list[_WireActivityShare] = Field(alias="activityPayments", default_factory=list)
    transaction: Annotated[str, BeforeValidator(parse_transaction)] = Field(alias="details")

    def value(self) -> Payment:
        return Payment(
            payment_id=self.payment_id,
            payee=self.payee,
            amount=self.amount,
            at=utc(self.timestamp),
            tx_hash=self.transaction,
            agreement_shares=_summed((share.id, share.amount) for share in self.agreements),
            activity_shares=_summed((share.id, share.amount) for share in self.activities),
        )


class _WireTotals(BaseModel):
    id: str
    role: str
    peer: str = Field(alias="peerId")
    due: Amount = Field(alias="totalAmountDue")
    accepted: Amount = Field(alias="totalAmountAccepted")
    paid: Amount = Field(alias="totalAmountPaid")


_ALLOCATION = TypeAdapter(_WireAllocation)
_ALLOCATIONS = TypeAdapter(list[_WireAllocation])
_PAYMENTS = TypeAdapter(list[_WirePayment])
_TOTALS = TypeAdapter(list[_WireTotals])


def _summed(shares: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    """yagna splits shares by allocation as well: the same key may come more than once."""
    sums: dict[str, Decimal] = {}
    for key, amount in shares:
        sums[key] = sums.get(key, Decimal(0)) + amount
    return sums


def read_allocation(answer: Answer) -> Allocation:
    return answer.read(_ALLOCATION).value()


def read_allocations(answer: Answer) -> list[Allocation]:
    return [wire.value() for wire in answer.read(_ALLOCATIONS)]


def read_payments(answer: Answer) -> list[Payment]:
    return [wire.value() for wire in answer.read(_PAYMENTS)]


def read_totals(answer: Answer) -> list[AgreementTotals]:
    """Of the agreements in which we are the requestor."""
    return [
        AgreementTotals(wire.id, wire.peer, wire.due, wire.accepted, wire.paid)
        for wire in answer.read(_TOTALS)
        if wire.role == "R"
    ]


class _WireStatus(BaseModel):
    kind: str


_STATUS = TypeAdapter(list[_WireStatus])
_PROBLEMS = {
    "InsufficientGas": PaymentProblem.INSUFFICIENT_GAS,
    "InsufficientToken": PaymentProblem.INSUFFICIENT_GLM,
    "RpcError": PaymentProblem.RPC_ERROR,
    "TxStuck": PaymentProblem.TX_STUCK,
}


def read_problems(answer: Answer) -> list[PaymentProblem]:
    """What the payment driver says of itself; OTHER for what it may say in later releases."""
    return [_PROBLEMS.get(status.kind, PaymentProblem.OTHER) for status in answer.read(_STATUS)]
