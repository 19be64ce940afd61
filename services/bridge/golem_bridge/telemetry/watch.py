"""Looks at yagna now and then, so that no scrape has to wait for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from golem_bridge.clusters.books import Books
from golem_bridge.errors import BridgeError
from golem_bridge.golem.port import GolemPort
from golem_bridge.golem.types import AgreementState, AgreementSummary, Allocation, PaymentProblem

INTERVAL = 15.0
"""Seconds between two looks."""


@dataclass(frozen=True, slots=True)
class YagnaView:
    """What the last look saw. Amounts in GLM; ``orphans`` by resource: what no live cluster needs.

    ``expiries`` by allocation id: when yagna releases it by itself.
    """

    up: bool = False
    problems: Mapping[PaymentProblem, int] = field(default_factory=dict)
    allocated: Decimal = Decimal(0)
    allocated_left: Decimal = Decimal(0)
    expiries: Mapping[str, datetime] = field(default_factory=dict)
    orphans: Mapping[str, int] = field(default_factory=dict)


class YagnaWatch:
    """Keeps the last view; when yagna does not answer, the view says only that."""

    def __init__(self, *, golem: GolemPort, books: Books, app_session_id: str) -> None:
        self._golem = golem
        self._books = books
        self._app_session_id = app_session_id
        self.view = YagnaView()

    async def look(self) -> None:
        """One look. Raises BridgeError when yagna does not answer."""
        try:
            problems = await self._golem.payment_problems()
            allocations = await self._golem.allocations()
            agreements = await self._golem.agreements(app_session_id=self._app_session_id)
        except BridgeError:
            self.view = YagnaView()
            raise
        self.view = YagnaView(
            up=True,
            problems=Counter(problems),
            allocated=sum((allocation.total for allocation in allocations), Decimal(0)),
            allocated_left=sum((allocation.remaining for allocation in allocations), Decimal(0)),
            expiries={
                allocation.allocation_id: allocation.expires
                for allocation in allocations
                if allocation.expires is not None
            },
            orphans={
                "agreement": self._orphaned_agreements(agreements),
                "allocation": self._orphaned_allocations(allocations),
            },
        )

    def _orphaned_agreements(self, agreements: Sequence[AgreementSummary]) -> int:
        """Approved at yagna, over or unknown by the books."""
        known = {contract.agreement_id for contract in self._books.contracts.open()}
        approved = {row.agreement_id for row in agreements if row.state is AgreementState.APPROVED}
        return len(approved - known)

    def _orphaned_allocations(self, allocations: Sequence[Allocation]) -> int:
        """Set aside at yagna for no cluster that is not closed."""
        needed = {cluster.allocation_id for cluster in self._books.clusters.unfinished()}
        return sum(allocation.allocation_id not in needed for allocation in allocations)
