"""The boundary the rest of the bridge programs against; implemented on yagna and, for unit tests, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from golem_bridge.golem.types import (
    Agreement,
    AgreementSummary,
    AgreementTotals,
    Allocation,
    CommandResult,
    Demand,
    DocumentEvent,
    DocumentKind,
    Payment,
    PaymentDocument,
    PaymentProblem,
    Properties,
    ProposalEvent,
)


class MessageChannel(Protocol):
    """A message-wise, two-way connection to one TCP port of a node, through yagna's VPN.

    yagna 0.17.6 keeps each message whole but may deliver messages sent close together in another order;
    the direction from the node is an ordered byte stream.
    """

    async def send(self, data: bytes) -> None:
        """Send one message. Raises ConnectionError when the channel is closed."""

    async def receive(self) -> bytes:
        """Next piece of the incoming byte stream. Raises ConnectionError when the channel has ended."""

    async def close(self) -> None:
        """Close; never raises."""


class MarketPort(Protocol):
    async def subscribe(self, demand: Demand) -> str:
        """Publish a demand; returns its id."""

    async def unsubscribe(self, demand_id: str) -> None:
        """Withdraw a demand; an unknown or expired one is no error."""

    async def proposals(self, demand_id: str, *, timeout: float) -> Sequence[ProposalEvent]:
        """Long-poll for events of a demand, in no order; [] after ``timeout`` seconds.

        Raises NotFoundError if it expired.
        """

    async def counter(self, demand_id: str, proposal_id: str, demand: Demand) -> str:
        """Answer a proposal with our (completed) demand; returns the id of our counter-proposal."""

    async def reject(self, demand_id: str, proposal_id: str, reason: str) -> None:
        """Decline a proposal."""

    async def create_agreement(self, proposal_id: str, *, valid_for: float) -> str:
        """Turn a draft proposal into an agreement that waits for confirmation; returns its id."""

    async def confirm_agreement(self, agreement_id: str, *, app_session_id: str, timeout: float) -> None:
        """Sign, send and await the provider's approval. Raises AgreementRefusedError or GolemTimeoutError."""

    async def agreement(self, agreement_id: str) -> Agreement:
        """Raises NotFoundError."""

    async def agreements(self, *, app_session_id: str) -> Sequence[AgreementSummary]:
        """All agreements, in any state, that were confirmed under this app-session id."""

    async def terminate_agreement(self, agreement_id: str, reason: str) -> None:
        """End an agreement; one that has ended already is no error.

        Raises NotFoundError; NodeUnreachableError while the provider's yagna is out of reach, which may be for ever:
        yagna 0.17.6 tells the provider first and, when it cannot, keeps the agreement approved until it expires.
        """


class ActivityPort(Protocol):
    async def create_activity(self, agreement_id: str, *, timeout: float) -> str:
        """Start an activity; returns its id. Raises GolemTimeoutError."""

    async def destroy_activity(self, activity_id: str, *, timeout: float) -> None:
        """End an activity; one that has ended already or is unknown is no error.

        Raises GolemTimeoutError or NodeUnreachableError while the provider is out of reach, which may be for ever.
        """

    async def activity_state(self, activity_id: str) -> str:
        """New, Initialized, Deployed, Ready, Terminated or Unresponsive. Raises NotFoundError."""

    async def execute(
        self, activity_id: str, script: Sequence[Mapping[str, object]], *, timeout: float
    ) -> Sequence[CommandResult]:
        """Run an exe-script to its end.

        Raises CommandFailedError (with the provider's message) at the first command that fails or when the provider
        ends the activity meanwhile, GolemTimeoutError after ``timeout`` seconds, NodeUnreachableError when the
        provider stays out of reach.
        """


class NetworkPort(Protocol):
    async def create_network(self, *, address: str, mask: str, requestor_ip: str) -> str:
        """Create a VPN in which we own ``requestor_ip``; returns its id."""

    async def remove_network(self, network_id: str) -> None:
        """Remove a VPN; an unknown one is no error."""

    async def networks(self) -> Sequence[str]:
        """Ids of the VPNs that exist now (yagna forgets them when it restarts)."""

    async def add_node(self, network_id: str, *, provider_id: str, ip: str) -> None:
        """Give a provider's node an address in the VPN."""

    async def remove_node(self, network_id: str, *, provider_id: str) -> None:
        """Take a provider's node out of the VPN; an unknown one is no error."""

    async def open_channel(self, network_id: str, *, ip: str, port: int, timeout: float) -> MessageChannel:
        """Connect to a TCP port of a node.

        Raises NodeUnreachableError (refused, or no answer), NotFoundError (there is no such VPN any more).
        """


class PaymentPort(Protocol):
    async def create_allocation(self, amount: Decimal, *, platform: str, expires: datetime) -> Allocation:
        """Set funds aside. Raises InsufficientFundsError with what is available."""

    async def amend_allocation(self, allocation_id: str, *, total: Decimal) -> Allocation:
        """Change the total. Raises InsufficientFundsError, NotFoundError."""

    async def allocation(self, allocation_id: str) -> Allocation:
        """Raises NotFoundError once released."""

    async def allocations(self) -> Sequence[Allocation]:
        """All live allocations of our identity."""

    async def release_allocation(self, allocation_id: str) -> None:
        """Give the rest back; an unknown one is no error."""

    async def demand_decoration(self, allocation_id: str) -> tuple[Properties, Sequence[str]]:
        """Properties and constraints a demand must carry to be payable from this allocation."""

    async def document_events(
        self, kind: DocumentKind, *, after: datetime, limit: int, timeout: float
    ) -> Sequence[DocumentEvent]:
        """Long-poll for documents received after ``after`` (exclusive): the ``limit`` oldest, oldest first.

        Two documents may carry the same time: read a little overlap and dedupe by document id.
        """

    async def document(self, kind: DocumentKind, document_id: str) -> PaymentDocument:
        """Raises NotFoundError, MalformedDocumentError (amount not a finite, non-negative number, ...)."""

    async def accept(self, kind: DocumentKind, document_id: str, *, amount: Decimal, allocation_id: str) -> None:
        """Accept a document.

        Raises InsufficientFundsError when the allocation cannot carry it, AllocationGoneError when there is none any
        more. After another error the document tells whether it is accepted: the provider may not have listened.
        """

    async def reject_document(self, kind: DocumentKind, document_id: str, *, reason: str) -> None:
        """Reject a document. yagna 0.17.6 rejects invoices; for debit notes it raises UnsupportedError."""

    async def pay_now(self, platform: str) -> None:
        """Pay what is accepted at once, not in yagna's next cycle."""

    async def payments(self, *, after: datetime, limit: int, timeout: float) -> Sequence[Payment]:
        """Long-poll for confirmed payments after ``after`` (exclusive): the ``limit`` oldest, oldest first.

        Two payments may carry the same time: read a little overlap and dedupe by payment id.
        """

    async def agreement_totals(self) -> Sequence[AgreementTotals]:
        """Totals of all agreements of our identity."""

    async def payment_problems(self) -> Sequence[PaymentProblem]:
        """What keeps confirmed payments from being made right now; [] when nothing does."""


class GolemPort(MarketPort, ActivityPort, NetworkPort, PaymentPort, Protocol):
    """Everything the bridge needs of yagna."""

    async def identity(self) -> str:
        """Our node id (and, on the networks used here, wallet address). Raises YagnaUnavailableError."""

    async def close(self) -> None:
        """Close all connections."""
