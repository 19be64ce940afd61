"""One agreement, from its approval to its invoice."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from golem_devnet.agent.billing import Terms
from golem_devnet.agent.payments import Biller, DebitNoteTimeoutError, Stranger
from golem_devnet.agent.rest import ProviderRest, RestError
from golem_devnet.exeunit.activity import Activity
from golem_devnet.faults.model import Faults

IDLE_LIMIT = 120.0
"""Seconds an agreement may stay without an activity before the provider breaks it."""

log = logging.getLogger(__name__)


class Deal:
    """Runs the agreement's activities and bills them."""

    def __init__(
        self,
        agreement: Mapping[str, Any],
        *,
        rest: ProviderRest,
        make_activity: Callable[[str, str], Activity],
        faults: Callable[[], Faults] = Faults,
        stranger: Callable[[], Stranger | None] = lambda: None,
    ) -> None:
        self.agreement_id = str(agreement["agreementId"])
        self._rest = rest
        self._make_activity = make_activity
        terms = Terms.of(agreement["offer"]["properties"])
        self.biller = Biller(rest, self.agreement_id, terms, faults=faults, stranger=stranger)
        self._activities: dict[str, Activity] = {}
        self._billing: dict[str, asyncio.Task[None]] = {}
        self._idle_since = asyncio.get_running_loop().time()
        self.ended = asyncio.Event()

    async def create_activity(self, activity_id: str) -> None:
        """The requestor asks for an activity. Raises BusError."""
        activity = self._make_activity(activity_id, self.agreement_id)
        self._activities[activity_id] = activity
        await activity.start()
        self._billing[activity_id] = asyncio.create_task(self._bill(activity), name=f"bill {activity_id}")

    async def destroy_activity(self, activity_id: str) -> None:
        """The requestor ends an activity."""
        activity = self._activities.get(activity_id)
        if activity is None:
            return
        self._stop_billing(activity_id)
        await activity.stop()
        self._idle_since = asyncio.get_running_loop().time()

    def as_stranger(self) -> Stranger | None:
        """What another deal can be billed for by mistake."""
        activity_id = next(iter(self._activities), None)
        return Stranger(self.agreement_id, activity_id) if activity_id is not None else None

    async def set_vpn(self, up: bool) -> None:
        """Let frames of its nodes pass or not."""
        for activity in self._activities.values():
            await activity.set_vpn(up)

    async def finish(self) -> None:
        """The agreement is over: end what runs, send the invoice."""
        if self.ended.is_set():
            return
        self.ended.set()
        for activity_id in list(self._activities):
            await self.destroy_activity(activity_id)
        try:
            await self.biller.send_invoice([(key, activity.usage()) for key, activity in self._activities.items()])
        except RestError as error:
            log.error("no invoice for agreement %s: %s", self.agreement_id[:12], error)

    async def abandon(self) -> None:
        """The provider stops: nodes end, the requestor is told."""
        for activity_id in list(self._activities):
            await self.destroy_activity(activity_id)
        await self._break("the provider stops")

    async def check_idle(self) -> None:
        """Break the agreement if the requestor does nothing with it. To be called every few seconds."""
        now = asyncio.get_running_loop().time()
        if any(activity.state != "Terminated" for activity in self._activities.values()):
            self._idle_since = now  # an activity can end by itself, which nobody tells the deal
        elif now - self._idle_since > IDLE_LIMIT:
            await self.break_off(f"no activity for {IDLE_LIMIT:.0f} s")

    async def break_off(self, reason: str) -> None:
        """End the agreement from this side; what was used is billed."""
        log.warning("breaking agreement %s: %s", self.agreement_id[:12], reason)
        await self._break(reason)
        await self.finish()

    async def _bill(self, activity: Activity) -> None:
        try:
            await self.biller.bill_activity(activity.activity_id, activity.usage)
        except DebitNoteTimeoutError as error:
            await self.break_off(str(error))

    def _stop_billing(self, activity_id: str) -> None:
        task = self._billing.pop(activity_id, None)
        if task is not None and task is not asyncio.current_task():
            task.cancel()

    async def _break(self, reason: str) -> None:
        try:
            await self._rest.call(
                "POST", f"/market-api/v1/agreements/{self.agreement_id}/terminate", {"message": reason}
            )
        except RestError as error:
            log.info("agreement %s is over already: %s", self.agreement_id[:12], error)
