"""Ends agreements that nobody wants: those the books do not know, and those they hold for over.

An agreement that is over in the books can still be in force at yagna: its provider was out of reach when it was
ended, or approved it after the bridge had given up waiting.
"""

from __future__ import annotations

import structlog

from golem_bridge.clusters.books import Books
from golem_bridge.errors import GolemError
from golem_bridge.golem.port import GolemPort
from golem_bridge.golem.types import AgreementState

DESTROY_TIMEOUT = 15.0
"""Seconds a provider may take to end an activity."""

log = structlog.get_logger(__name__)


class Sweeper:
    """One :meth:`step` looks at all agreements in force that carry this installation's mark."""

    def __init__(self, *, golem: GolemPort, books: Books, app_session_id: str) -> None:
        self._golem = golem
        self._contracts = books.contracts
        self._app_session_id = app_session_id

    async def step(self) -> None:
        """End what is not wanted; what cannot be ended now is tried again by the next step."""
        for summary in await self._golem.agreements(app_session_id=self._app_session_id):
            if summary.state is AgreementState.APPROVED:
                await self._look_at(summary.agreement_id)

    async def _look_at(self, agreement_id: str) -> None:
        contract = self._contracts.get(agreement_id)
        if contract is not None and contract.ended_at is None:
            return
        if contract is not None and contract.activity_id is not None:
            await self._destroy_activity(contract.activity_id)
        try:
            await self._golem.terminate_agreement(agreement_id, "Nobody needs it any more")
        except GolemError as error:
            log.info("unwanted agreement not ended yet", agreement=agreement_id, reason=error.message)
            return
        log.warning("agreement nobody wants is ended", agreement=agreement_id)

    async def _destroy_activity(self, activity_id: str) -> None:
        """A provider that refuses keeps its agreement from ending no more than one out of reach."""
        try:
            await self._golem.destroy_activity(activity_id, timeout=DESTROY_TIMEOUT)
        except GolemError as error:
            log.info("unwanted activity not ended", activity=activity_id, reason=error.message)
