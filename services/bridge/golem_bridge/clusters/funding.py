"""A cluster's budget at yagna: one allocation per incarnation, equal to ``total_budget``."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import structlog

from golem_bridge.clusters.books import Books
from golem_bridge.clusters.model import Cluster
from golem_bridge.errors import BudgetError, InsufficientFundsError, NotFoundError
from golem_bridge.golem.port import PaymentPort
from golem_bridge.money.price import glm_text

ALLOCATION_LIFE = timedelta(days=90)

log = structlog.get_logger(__name__)


class Funding:
    """Sets budgets (GLM) aside and changes them; ``platform`` is yagna's name of chain and token."""

    def __init__(self, *, golem: PaymentPort, books: Books, platform: str) -> None:
        self._golem = golem
        self._books = books
        self._platform = platform

    async def set_aside(self, cluster: Cluster, budget: Decimal) -> Cluster:
        """A new allocation, in the books. Raises BudgetError when the wallet cannot carry it."""
        expires = self._books.clock.now() + ALLOCATION_LIFE
        try:
            allocation = await self._golem.create_allocation(budget, platform=self._platform, expires=expires)
        except InsufficientFundsError as error:
            raise _too_poor(budget, error) from error
        return self._books.clusters.change(
            cluster.cluster_id, lambda row: replace(row, allocation_id=allocation.allocation_id)
        )

    async def amend(self, cluster: Cluster, allocation_id: str, budget: Decimal) -> Cluster:
        """The allocation with this total; a new one where yagna has lost it, as with a chain that began anew.

        Raises BudgetError.
        """
        try:
            # not the budget in the books: a change may have been made and never booked
            if (await self._golem.allocation(allocation_id)).total != budget:
                await self._golem.amend_allocation(allocation_id, total=budget)
        except NotFoundError:
            log.warning("allocation is lost, setting the budget aside anew", cluster=cluster.name)
            return await self.set_aside(cluster, budget)
        except InsufficientFundsError as error:
            raise _too_poor(budget, error) from error
        return cluster


def _too_poor(budget: Decimal, error: InsufficientFundsError) -> BudgetError:
    available = "unknown" if error.available is None else f"{glm_text(error.available)} GLM"
    return BudgetError(
        f"The wallet cannot set {budget} GLM aside — available: {available} — "
        "lower total_budget in the cluster file or fund the wallet"
    )
