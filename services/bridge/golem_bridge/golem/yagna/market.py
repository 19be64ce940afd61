"""Market API: demands, proposals, agreements."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from pydantic import BaseModel, Field, JsonValue, TypeAdapter

from golem_bridge.clock import Clock
from golem_bridge.errors import TRY_ANOTHER, AgreementRefusedError, GolemTimeoutError
from golem_bridge.golem.types import (
    Agreement,
    AgreementState,
    AgreementSummary,
    Demand,
    Properties,
    PropertyValue,
    Proposal,
    ProposalEvent,
    ProposalRejection,
    ProposalState,
)
from golem_bridge.golem.yagna.amounts import utc
from golem_bridge.golem.yagna.failures import quoted
from golem_bridge.golem.yagna.rest import MARGIN, Answer, Rest

MAX_EVENTS = 50
"""Market events of one answer."""

log = structlog.get_logger(__name__)


class _WireProposal(BaseModel):
    proposal_id: str = Field(alias="proposalId", max_length=256)
    previous_id: str | None = Field(alias="prevProposalId", default=None, max_length=256)
    issuer_id: str = Field(alias="issuerId", max_length=64)
    state: ProposalState
    properties: dict[str, JsonValue]
    timestamp: datetime


class _WireProposalEvent(BaseModel):
    proposal: _WireProposal


class _WireReason(BaseModel):
    message: str = ""


class _WireRejectionEvent(BaseModel):
    proposal_id: str = Field(alias="proposalId", max_length=256)
    reason: _WireReason | None = None


class _WireOffer(BaseModel):
    provider_id: str = Field(alias="providerId")
    properties: dict[str, JsonValue]


class _WireDemand(BaseModel):
    properties: dict[str, JsonValue]


class _WireAgreement(BaseModel):
    agreement_id: str = Field(alias="agreementId")
    state: AgreementState
    offer: _WireOffer
    demand: _WireDemand
    app_session_id: str | None = Field(alias="appSessionId", default=None)


class _WireListed(BaseModel):
    id: str
    role: str


_TEXT = TypeAdapter(str)
_EVENTS = TypeAdapter(list[dict[str, JsonValue]])
_AGREEMENT = TypeAdapter(_WireAgreement)
_LIST = TypeAdapter(list[_WireListed])


class Market:
    """The market half of GolemPort."""

    def __init__(self, rest: Rest, clock: Clock) -> None:
        self._rest = rest
        self._clock = clock

    async def subscribe(self, demand: Demand) -> str:
        """Publish a demand; returns its id.

        yagna takes any properties and constraints (an unreadable constraint simply never matches) and lets a demand
        live for an hour, if not told otherwise. What has to be in it for agreements that work:

        * ``golem.srv.comp.expiration`` (milliseconds since 1970): providers demand it, agreements end then;
        * ``golem.com.payment.chosen-platform``: else the provider cannot issue documents (its yagna answers 400);
        * the decoration of an allocation (:meth:`GolemPort.demand_decoration`): its constraints ask for
          ``golem.com.payment.protocol.version`` > 1, which offers must carry to match.
        """
        answer = await self._rest.call("Cannot publish a demand", self._rest.market.subscribe_demand, _wire(demand))
        return answer.read(_TEXT)

    async def unsubscribe(self, demand_id: str) -> None:
        """Withdraw a demand; an unknown or expired one is no error."""
        answer = await self._rest.call("Cannot withdraw a demand", self._rest.market.unsubscribe_demand, demand_id)
        answer.check(gone_is_fine=True)

    async def proposals(self, demand_id: str, *, timeout: float) -> Sequence[ProposalEvent]:
        """Long-poll for events of a demand; [] after ``timeout`` seconds. Raises NotFoundError if it expired.

        Each event is delivered once, those of one answer in no order (yagna 0.17.6). Events that make no sense are
        logged and left out.
        """
        answer = await self._rest.call(
            "Cannot read proposals",
            self._rest.market.collect_offers,
            demand_id,
            max_events=MAX_EVENTS,
            timeout=timeout,
            within=timeout + MARGIN,
        )
        events = (_event(raw) for raw in answer.read(_EVENTS))
        return [event for event in events if event is not None]

    async def counter(self, demand_id: str, proposal_id: str, demand: Demand) -> str:
        """Answer a proposal with our (completed) demand; returns the id of our counter-proposal.

        A proposal can be countered once (yagna answers 410 to a second try).
        """
        answer = await self._rest.call(
            "Cannot answer a proposal",
            self._rest.market.counter_proposal_demand,
            demand_id,
            proposal_id,
            _wire(demand),
        )
        return answer.read(_TEXT)

    async def reject(self, demand_id: str, proposal_id: str, reason: str) -> None:
        """Decline a proposal."""
        answer = await self._rest.call(
            "Cannot decline a proposal",
            self._rest.market.reject_proposal_offer,
            demand_id,
            proposal_id,
            request_body={"message": reason},
        )
        answer.check()

    async def create_agreement(self, proposal_id: str, *, valid_for: float) -> str:
        """Turn a draft proposal into an agreement that waits for confirmation; returns its id.

        ``valid_for`` (seconds) is how long the provider may take to approve it.
        """
        valid_to = self._clock.now() + timedelta(seconds=valid_for)
        answer = await self._rest.call(
            "Cannot make an agreement",
            self._rest.market.create_agreement,
            {"proposalId": proposal_id, "validTo": valid_to.isoformat()},
        )
        return answer.read(_TEXT)

    async def confirm_agreement(self, agreement_id: str, *, app_session_id: str, timeout: float) -> None:
        """Sign, send and await the provider's approval. Raises AgreementRefusedError or GolemTimeoutError.

        Repeating it is harmless. After a timeout the provider may still approve: terminate the agreement.
        """
        started = self._clock.monotonic()
        market = self._rest.market
        confirmed = await self._rest.call(
            "Cannot confirm an agreement",
            market.confirm_agreement,
            agreement_id,
            app_session_id=app_session_id,
            within=timeout,
        )
        if confirmed.status != 410:  # 410: it was confirmed (or is over) already; waiting tells
            confirmed.check()
        left = max(0.0, timeout - (self._clock.monotonic() - started))
        answer = await self._rest.call(
            "Cannot await an agreement",
            market.wait_for_approval,
            agreement_id,
            timeout=left,
            within=left + MARGIN,
        )
        if answer.status == 410:
            raise AgreementRefusedError(
                f"The provider did not sign agreement {agreement_id} — its state: {quoted(answer.message)} — "
                f"{TRY_ANOTHER}"
            )
        if answer.status == 408:
            raise GolemTimeoutError(
                f"The provider did not sign agreement {agreement_id} — no answer in {timeout:.0f} s — {TRY_ANOTHER}"
            )
        answer.check()

    async def agreement(self, agreement_id: str) -> Agreement:
        """Raises NotFoundError."""
        answer = await self._rest.call(
            f"Cannot look up agreement {agreement_id}", self._rest.market.get_agreement, agreement_id
        )
        wire = answer.read(_AGREEMENT)
        return Agreement(
            agreement_id=wire.agreement_id,
            provider_id=wire.offer.provider_id,
            state=wire.state,
            offer_properties=_properties(wire.offer.properties),
            demand_properties=_properties(wire.demand.properties),
            app_session_id=wire.app_session_id,
        )

    async def agreements(self, *, app_session_id: str) -> Sequence[AgreementSummary]:
        """All agreements, in any state, that were confirmed under this app-session id.

        yagna 0.17.6 lists neither states nor providers, but selects by state: one request per state, in the order in
        which agreements pass through them, so that one that changes meanwhile is not missed (the later state counts).
        """
        found: dict[str, AgreementSummary] = {}
        for state in AgreementState:
            answer = await self._rest.get(
                "Cannot list agreements",
                "/market-api/v1/agreements",
                state=state.value,
                appSessionId=app_session_id,
            )
            for listed in answer.read(_LIST):
                if listed.role == "Requestor":
                    found[listed.id] = AgreementSummary(listed.id, state, app_session_id)
        return list(found.values())

    async def terminate_agreement(self, agreement_id: str, reason: str) -> None:
        """End an agreement; one that has ended already is no error. Raises NotFoundError, GolemError (see GolemPort).

        One that waits for the provider is cancelled; one that was never confirmed binds nobody and is left to expire.
        """
        market, body = self._rest.market, {"message": reason}
        for end in (market.terminate_agreement, market.cancel_agreement, market.terminate_agreement):
            # the middle try is for one still pending, the last for one that got approved between the two
            answer = await self._rest.call(f"Cannot end agreement {agreement_id}", end, agreement_id, request_body=body)
            state = _state_in_the_way(answer)
            if state not in {AgreementState.PENDING, AgreementState.APPROVED}:
                break
        if state is None:
            answer.check()


def _state_in_the_way(answer: Answer) -> AgreementState | None:
    """The state because of which yagna did not end an agreement: "Can't update Agreement state from X to Y."."""
    match = re.search(r"state from (\w+) to", answer.message) if answer.status in {409, 410} else None
    return AgreementState(match[1]) if match and match[1] in set(AgreementState) else None


def _event(raw: Mapping[str, JsonValue]) -> ProposalEvent | None:
    kind = raw.get("eventType")
    try:
        if kind == "ProposalEvent":
            wire = _WireProposalEvent.model_validate(raw).proposal
            properties = _properties(wire.properties)
            return Proposal(
                proposal_id=wire.proposal_id,
                previous_id=wire.previous_id,
                provider_id=wire.issuer_id,
                state=wire.state,
                properties=properties,
                made_at=utc(wire.timestamp),
            )
        if kind == "ProposalRejectedEvent":
            rejection = _WireRejectionEvent.model_validate(raw)
            reason = rejection.reason.message if rejection.reason else ""
            return ProposalRejection(rejection.proposal_id, quoted(reason))
    except ValueError as error:  # pydantic's, too
        log.warning("market event ignored", kind=quoted(str(kind)), reason=quoted(str(error)))
        return None
    log.warning("market event ignored", kind=quoted(str(kind)), reason="unknown kind")
    return None


def _properties(raw: Mapping[str, JsonValue]) -> Properties:
    """Properties of the shapes we deal in; others (nested ones, nulls, mixed lists) are nobody's business here."""
    return {name: value for name, raw_value in raw.items() if (value := _property(raw_value)) is not None}


def _property(value: JsonValue) -> PropertyValue | None:
    if isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, list):
        texts = [item for item in value if isinstance(item, str)]
        if len(texts) == len(value):
            return texts
        numbers = [_float(item) for item in value if isinstance(item, int | float) and not isinstance(item, bool)]
        if len(numbers) == len(value):
            return numbers
    return None


def _float(value: float) -> float:
    """JSON's integers know no bound; one that no float can hold is as good as endless."""
    try:
        return float(value)
    except OverflowError:
        return math.copysign(math.inf, value > 0 or -1)


def _wire(demand: Demand) -> dict[str, object]:
    return {"properties": dict(demand.properties), "constraints": demand.constraints}
