"""What crosses the boundary to yagna, as frozen values.

Amounts are GLM as Decimal, times are aware datetimes in UTC, durations are seconds.
Ids are yagna's own strings; node ids are provider or requestor addresses (``0x`` + 40 hex digits).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

PropertyValue = str | int | float | bool | Sequence[str] | Sequence[float]
Properties = Mapping[str, PropertyValue]


class ProposalState(StrEnum):
    """How far a negotiation has come: INITIAL offers are countered, DRAFT ones can become agreements."""

    INITIAL = "Initial"
    DRAFT = "Draft"


@dataclass(frozen=True, slots=True)
class Demand:
    """What is wanted on the market: properties we state, constraints the offer must meet (LDAP filter)."""

    properties: Properties
    constraints: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """One proposal of a provider, answering a demand of ours; ``made_at`` by yagna, in UTC."""

    proposal_id: str
    previous_id: str | None
    provider_id: str
    state: ProposalState
    properties: Properties
    made_at: datetime


@dataclass(frozen=True, slots=True)
class ProposalRejection:
    """A provider declined our counter-proposal ``proposal_id``."""

    proposal_id: str
    reason: str


ProposalEvent = Proposal | ProposalRejection


class AgreementState(StrEnum):
    PROPOSAL = "Proposal"
    PENDING = "Pending"
    CANCELLED = "Cancelled"
    REJECTED = "Rejected"
    APPROVED = "Approved"
    EXPIRED = "Expired"
    TERMINATED = "Terminated"


@dataclass(frozen=True, slots=True)
class Agreement:
    """A signed (or to-be-signed) contract; the offer's properties hold the agreed prices."""

    agreement_id: str
    provider_id: str
    state: AgreementState
    offer_properties: Properties
    demand_properties: Properties
    app_session_id: str | None


@dataclass(frozen=True, slots=True)
class AgreementSummary:
    """One row of the list of agreements, enough to find what nobody remembers."""

    agreement_id: str
    state: AgreementState
    app_session_id: str | None
    provider_id: str | None = None


@dataclass(frozen=True, slots=True)
class CommandResult:
    """Result of one exe-script command. ``ok`` is the exe-unit's verdict; output may be empty."""

    index: int
    ok: bool
    stdout: str
    stderr: str
    message: str


@dataclass(frozen=True, slots=True)
class Allocation:
    """Funds set aside for one cluster. ``spent`` grows at acceptance of a document, not at payment.

    At ``expires`` yagna releases it by itself; None: never.
    """

    allocation_id: str
    platform: str
    total: Decimal
    spent: Decimal
    remaining: Decimal
    expires: datetime | None


class DocumentKind(StrEnum):
    DEBIT_NOTE = "debit_note"
    INVOICE = "invoice"


class DocumentStatus(StrEnum):
    ISSUED = "ISSUED"
    RECEIVED = "RECEIVED"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    FAILED = "FAILED"
    SETTLED = "SETTLED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class PaymentDocument:
    """A debit note or an invoice as the provider sent it: hostile until validated.

    ``total_due`` is the running total of the activity (debit note) or of the agreement (invoice).
    ``usage`` is the provider's usage vector, for debit notes that carry one, in the offer's order.
    """

    kind: DocumentKind
    document_id: str
    agreement_id: str
    activity_ids: tuple[str, ...]
    total_due: Decimal
    usage: tuple[Decimal, ...]
    issued_at: datetime
    due_at: datetime | None
    status: DocumentStatus


@dataclass(frozen=True, slots=True)
class DocumentEvent:
    """Somebody sent us a document; fetch it with :meth:`GolemPort.document`."""

    kind: DocumentKind
    document_id: str
    at: datetime

    @property
    def key(self) -> str:
        """Tells it from others of its kind."""
        return self.document_id


@dataclass(frozen=True, slots=True)
class Payment:
    """A confirmed on-chain payment and what it was for. ``shares`` maps agreement id to GLM."""

    payment_id: str
    payee: str
    amount: Decimal
    at: datetime
    tx_hash: str
    agreement_shares: Mapping[str, Decimal]
    activity_shares: Mapping[str, Decimal]

    @property
    def key(self) -> str:
        """Tells it from all others."""
        return self.payment_id


@dataclass(frozen=True, slots=True)
class AgreementTotals:
    """Running totals of one agreement as yagna's payment module keeps them."""

    agreement_id: str
    provider_id: str
    due: Decimal
    accepted: Decimal
    paid: Decimal


class PaymentProblem(StrEnum):
    """What keeps yagna's payment driver from paying right now."""

    INSUFFICIENT_GAS = "insufficient_gas"
    INSUFFICIENT_GLM = "insufficient_glm"
    RPC_ERROR = "rpc_error"
    TX_STUCK = "tx_stuck"
    OTHER = "other"
