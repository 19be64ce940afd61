"""The provider itself: one offer, one agreement at a time, until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from golem_devnet.agent.config import AgentConfig
from golem_devnet.agent.deal import Deal
from golem_devnet.agent.offer import answer, build_offer
from golem_devnet.agent.payments import Stranger, send_unsent
from golem_devnet.agent.recovery import close_old_agreements
from golem_devnet.agent.rest import ProviderRest, RestError
from golem_devnet.catalogue.images import Images
from golem_devnet.exeunit.activity import Activity, tell_state
from golem_devnet.exeunit.commands import NodeCommands
from golem_devnet.faults.board import FaultBoard
from golem_devnet.faults.model import Answers
from golem_devnet.net.bus import BusClient, BusError
from golem_devnet.net.line import HubLine
from golem_devnet.sandbox.node import NODES

RETRY = 1.0
"""Seconds after a failed request."""

SEND_AGAIN = 5.0
"""Seconds between looks for invoices that did not reach their requestors."""

FAULT_CHECK = 0.2
"""Seconds between looks at those faults that act by themselves."""

log = logging.getLogger(__name__)


class Provider:
    """Reads the daemon's event streams and acts on them."""

    def __init__(self, config: AgentConfig, *, rest: ProviderRest, bus: BusClient, hub: HubLine) -> None:
        self._config = config
        self._rest = rest
        self._bus = bus
        self._hub = hub
        self._board = FaultBoard(config.faults_file)
        self._offer = build_offer(config, self._board.read())
        self._offer_id: str | None = None
        self._began = datetime.now(UTC)
        self._deals: dict[str, Deal] = {}
        self._image_hashes: dict[str, str] = {}

    async def run(self) -> None:
        """Serve until cancelled or until the daemon's bus breaks (ConnectionError)."""
        await self._withdraw_old_offers()
        await close_old_agreements(self._rest, self._bus)
        loops = [self._market(), self._activities(), self._agreements(), self._debit_notes(), self._housekeeping()]
        more = [self._invoices(), self._obey(), self._offer_anew(), self._bus_breaks()]
        tasks = [asyncio.create_task(loop) for loop in (*loops, *more)]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._stop()

    async def _stop(self) -> None:
        await self._withdraw()
        for deal in self._deals.values():
            if not deal.ended.is_set():
                await deal.abandon()

    async def _bus_breaks(self) -> None:
        await self._bus.closed.wait()
        raise ConnectionResetError("the service bus closed")

    async def _market(self) -> None:
        """Offer, negotiate, sign; while an agreement runs there is no offer."""
        while True:
            if any(not deal.ended.is_set() for deal in self._deals.values()):
                await self._withdraw()
                await asyncio.sleep(0.2)
                continue
            try:
                if self._offer_id is None:
                    self._offer = build_offer(self._config, self._board.read())
                    self._offer_id = await self._rest.call("POST", "/market-api/v1/offers", self._offer)
                    log.info("offered as %s", self._offer_id)
                for event in await self._rest.events(f"/market-api/v1/offers/{self._offer_id}/events"):
                    await self._on_market(event)
            except RestError as error:
                log.info("market: %s", error)
                await self._withdraw()
                await asyncio.sleep(RETRY)

    async def _offer_anew(self) -> None:
        """After the hub was away: yagna sends no proposal twice, so requestors wait for answers to what was lost."""
        while True:
            await self._hub.returns()
            await self._withdraw()

    async def _on_market(self, event: Mapping[str, Any]) -> None:
        if event["eventType"] == "ProposalEvent":
            await self._on_proposal(event["proposal"])
        elif event["eventType"] == "AgreementEvent":
            await self._sign(event["agreement"])

    async def _on_proposal(self, proposal: Mapping[str, Any]) -> None:
        path = f"/market-api/v1/offers/{self._offer_id}/proposals/{proposal['proposalId']}"
        match self._board.read().proposals:
            case Answers.HONEST:
                await self._rest.call("POST", path, answer(self._offer, proposal["properties"]))
            case Answers.REFUSE:
                await self._rest.call("POST", f"{path}/reject", {"message": "not interested"})

    async def _sign(self, agreement: Mapping[str, Any]) -> None:
        agreement_id = agreement["agreementId"]
        manner = self._board.read().agreements
        if manner is Answers.IGNORE:
            return
        is_busy = any(not deal.ended.is_set() for deal in self._deals.values())
        if manner is Answers.REFUSE or is_busy:
            path = f"/market-api/v1/agreements/{agreement_id}/reject"
            await self._rest.call("POST", path, {"message": "busy"})
            return
        self._forget_ended()
        deal = Deal(
            agreement,
            rest=self._rest,
            make_activity=self._make_activity,
            faults=self._board.read,
            stranger=lambda: self._stranger_to(agreement_id),
        )
        self._image_hashes[agreement_id] = _image_hash(agreement["demand"]["properties"])
        self._deals[agreement_id] = deal
        try:
            await self._rest.call("POST", f"/market-api/v1/agreements/{agreement_id}/approve?timeout=10")
            log.info("agreement %s signed", agreement_id[:12])
        except RestError:
            self._forget(agreement_id)
            raise

    def _forget_ended(self) -> None:
        """But the newest one that had an activity: another deal can be billed for it by mistake."""
        ended = [key for key, deal in self._deals.items() if deal.ended.is_set()]
        kept = next((key for key in reversed(ended) if self._deals[key].as_stranger() is not None), None)
        for key in ended:
            if key != kept:
                self._forget(key)

    def _forget(self, agreement_id: str) -> None:
        del self._deals[agreement_id], self._image_hashes[agreement_id]

    def _make_activity(self, activity_id: str, agreement_id: str) -> Activity:
        commands = NodeCommands(
            folder=NODES / self._config.provider.name / activity_id[:12],
            image_hash=self._image_hashes[agreement_id],
            images=Images(),
            hub=self._hub,
            provider_id=self._config.node_id,
            siblings=self._config.siblings,
            faults=self._board.read,
        )
        return Activity(activity_id, agreement_id, bus=self._bus, commands=commands)

    async def _activities(self) -> None:
        # what was wanted while old agreements were closed is wanted still
        await self._follow("/activity-api/v1/events", self._on_activity, since=self._began)

    async def _on_activity(self, event: Mapping[str, Any]) -> None:
        kind, activity_id = event["eventType"], event["activityId"]
        name = kind if isinstance(kind, str) else next(iter(kind))
        deal = self._deals.get(event["agreementId"])
        if name == "DestroyActivity":
            await (deal.destroy_activity(activity_id) if deal else self._bury(activity_id))
        elif deal is None:
            log.warning("activity %s of an unknown agreement", activity_id)
        elif name == "CreateActivity":
            await deal.create_activity(activity_id)

    async def _bury(self, activity_id: str) -> None:
        """Its node ended with an agent before this one; until the daemon knows, the requestor waits for the end."""
        log.info("activity %s ended before the restart", activity_id[:12])
        await tell_state(self._bus, activity_id, "Terminated")

    async def _agreements(self) -> None:
        async def take(event: Mapping[str, Any]) -> None:
            deal = self._deals.get(event["agreementId"])
            if deal is not None and event["eventType"] == "AgreementTerminatedEvent":
                await deal.finish()  # a second, doubled event finds it finished

        await self._follow("/market-api/v1/agreementEvents", take)

    async def _debit_notes(self) -> None:
        async def take(event: Mapping[str, Any]) -> None:
            if event["eventType"] == "DebitNoteAcceptedEvent":
                for deal in self._deals.values():
                    deal.biller.accepted(event["debitNoteId"])

        await self._follow("/payment-api/v1/debitNoteEvents", take)

    async def _follow(
        self, path: str, take: Callable[[Mapping[str, Any]], Awaitable[None]], *, since: datetime | None = None
    ) -> None:
        """Every event of a stream since then, or from now on; a failing one is logged, the stream goes on."""
        after = (since or datetime.now(UTC)).isoformat()
        while True:
            try:
                events = await self._rest.events(path, after=after)
            except RestError as error:
                log.info("%s", error)
                await asyncio.sleep(RETRY)
                continue
            for event in events:
                after = event["eventDate"]
                try:
                    await take(event)
                except (RestError, BusError) as error:
                    log.error("%s: %s", event["eventType"], error)

    async def _invoices(self) -> None:
        while True:
            await asyncio.sleep(SEND_AGAIN)
            try:
                await send_unsent(self._rest, datetime.now(UTC))
            except RestError as error:
                log.info("%s", error)

    async def _housekeeping(self) -> None:
        while True:
            await asyncio.sleep(5)
            for deal in list(self._deals.values()):
                if not deal.ended.is_set():
                    await deal.check_idle()

    async def _obey(self) -> None:
        """Those faults that need no occasion: another subnet, the VPN down, an agreement broken."""
        done = self._board.read()
        self._board.obey(done)
        while True:
            await asyncio.sleep(FAULT_CHECK)
            told = self._board.read()
            if told is done:
                continue
            if (told.subnet, told.note_interval) != (done.subnet, done.note_interval):
                await self._withdraw()
            for deal in [deal for deal in self._deals.values() if not deal.ended.is_set()]:
                await deal.set_vpn(told.vpn)
                if told.breaks > done.breaks:
                    await deal.break_off("told to by the fault switchboard")
            done = told
            self._board.obey(done)

    def _stranger_to(self, agreement_id: str) -> Stranger | None:
        """The newest earlier deal that had an activity."""
        others = [deal.as_stranger() for key, deal in self._deals.items() if key != agreement_id]
        return next((other for other in reversed(others) if other is not None), None)

    async def _withdraw(self) -> None:
        offer_id, self._offer_id = self._offer_id, None
        if offer_id is not None:
            try:
                await self._rest.call("DELETE", f"/market-api/v1/offers/{offer_id}")
            except RestError as error:
                log.info("offer not withdrawn: %s", error)

    async def _withdraw_old_offers(self) -> None:
        """What an agent that was killed left on the market."""
        for offer in await self._rest.call("GET", "/market-api/v1/offers"):
            await self._rest.call("DELETE", f"/market-api/v1/offers/{offer['offerId']}")


def _image_hash(demand: Mapping[str, Any]) -> str:
    """From ``hash:sha3:<hash>:<url>``; "" if the demand names none."""
    parts = str(demand.get("golem.srv.comp.task_package", "")).split(":", 3)
    return parts[2] if len(parts) == 4 and parts[:2] == ["hash", "sha3"] else ""
