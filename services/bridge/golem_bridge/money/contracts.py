"""Contracts: the agreements we signed, with what was agreed, kept for ever."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Row, insert, or_, select, update

from golem_bridge.money.price import Price
from golem_bridge.store.database import Database, contracts


@dataclass(frozen=True, slots=True)
class Contract:
    """One agreement for one node.

    Written before the agreement is confirmed. ``activity_since`` is set before the activity is created, so
    our clock never runs behind the provider's; ``ended_at`` once activity and agreement are known to be over;
    ``invoiced_wei`` is the total of the accepted invoice.
    """

    agreement_id: str
    cluster_id: str
    node_id: str
    provider_id: str
    provider_name: str
    price: Price
    usage_vector: tuple[str, ...]
    threads: int
    created_at: datetime
    activity_id: str | None = None
    activity_since: datetime | None = None
    ended_at: datetime | None = None
    invoiced_wei: int | None = None

    def activity_seconds(self, now: datetime) -> Decimal:
        """Seconds the activity can have lasted by our own clock; 0 if there never was one."""
        if self.activity_since is None:
            return Decimal(0)
        return Decimal(str(max(0.0, ((self.ended_at or now) - self.activity_since).total_seconds())))

    def most_it_can_cost(self, now: datetime) -> Decimal:
        """GLM: start price and all threads busy all the time; 0 without an activity."""
        if self.activity_since is None:
            return Decimal(0)
        seconds = self.activity_seconds(now)
        return self.price.cost(env_seconds=seconds, cpu_seconds=seconds * self.threads)


@dataclass(frozen=True, slots=True)
class Standing:
    """A cluster's contracts as its budget sees them.

    Unfinished are those that are not over and, if there was an activity, those whose invoice was not accepted yet: what
    they cost can still change. Of the others, of which a cluster of weeks has thousands, only the accepted invoices
    are told, added up: for an agreement without an activity nothing is accepted.
    """

    invoiced_wei: int
    unfinished: Sequence[Contract]


class Contracts:
    """The table of contracts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, contract: Contract) -> None:
        with self._database.write() as connection:
            connection.execute(insert(contracts).values(**_to_row(contract)))

    def get(self, agreement_id: str) -> Contract | None:
        with self._database.read() as connection:
            row = connection.execute(select(contracts).where(contracts.c.agreement_id == agreement_id)).one_or_none()
        return None if row is None else _from_row(row)

    def by_activity(self, activity_id: str) -> Contract | None:
        with self._database.read() as connection:
            row = connection.execute(select(contracts).where(contracts.c.activity_id == activity_id)).one_or_none()
        return None if row is None else _from_row(row)

    def open(self) -> Sequence[Contract]:
        """Those not known to be over."""
        with self._database.read() as connection:
            rows = connection.execute(select(contracts).where(contracts.c.ended_at.is_(None))).all()
        return [_from_row(row) for row in rows]

    def all(self) -> Sequence[Contract]:
        """Every contract ever made, oldest first."""
        with self._database.read() as connection:
            rows = connection.execute(select(contracts).order_by(contracts.c.created_at)).all()
        return [_from_row(row) for row in rows]

    def of_cluster(self, cluster_id: str) -> Sequence[Contract]:
        """All contracts the incarnation ever had, oldest first. There can be thousands: see the narrower questions."""
        query = select(contracts).where(contracts.c.cluster_id == cluster_id).order_by(contracts.c.created_at)
        with self._database.read() as connection:
            return [_from_row(row) for row in connection.execute(query).all()]

    def by_agreement(self, agreement_ids: Iterable[str]) -> Mapping[str, Contract]:
        """The contracts of agreements; of those that have one."""
        query = select(contracts).where(contracts.c.agreement_id.in_(list(agreement_ids)))
        with self._database.read() as connection:
            return {row.agreement_id: _from_row(row) for row in connection.execute(query).all()}

    def standing(self, cluster_id: str) -> Standing:
        """What a cluster's budget carries."""
        own = contracts.c.cluster_id == cluster_id
        invoiced = select(contracts.c.invoiced_wei).where(own, _FINISHED, contracts.c.invoiced_wei.is_not(None))
        with self._database.read() as connection:
            return Standing(
                invoiced_wei=sum(connection.execute(invoiced).scalars()),
                unfinished=[_from_row(row) for row in connection.execute(select(contracts).where(own, ~_FINISHED))],
            )

    def invoices(self, cluster_id: str) -> Sequence[tuple[str, int]]:
        """Agreement and wei of the accepted invoices for a cluster's activities that are over."""
        query = select(contracts.c.agreement_id, contracts.c.invoiced_wei).where(
            contracts.c.cluster_id == cluster_id,
            contracts.c.ended_at.is_not(None),
            contracts.c.activity_since.is_not(None),
            contracts.c.invoiced_wei.is_not(None),
        )
        with self._database.read() as connection:
            return [(row.agreement_id, row.invoiced_wei) for row in connection.execute(query)]

    def activity_begins(self, agreement_id: str, at: datetime) -> None:
        """An activity is about to be created."""
        self._update(agreement_id, activity_since=at)

    def activity_is(self, agreement_id: str, activity_id: str) -> None:
        self._update(agreement_id, activity_id=activity_id)

    def ended(self, agreement_id: str, at: datetime) -> bool:
        """Nothing is owed for the time after ``at``; the first end stands. Whether this is it."""
        unended = (contracts.c.agreement_id == agreement_id) & contracts.c.ended_at.is_(None)
        with self._database.write() as connection:
            return connection.execute(update(contracts).where(unended).values(ended_at=at)).rowcount > 0

    def invoiced(self, agreement_id: str, wei: int) -> None:
        self._update(agreement_id, invoiced_wei=wei)

    def _update(self, agreement_id: str, **columns: object) -> None:
        with self._database.write() as connection:
            connection.execute(update(contracts).where(contracts.c.agreement_id == agreement_id).values(**columns))


_FINISHED = contracts.c.ended_at.is_not(None) & or_(
    contracts.c.invoiced_wei.is_not(None), contracts.c.activity_since.is_(None)
)


def _to_row(contract: Contract) -> dict[str, object]:
    price = contract.price
    return {
        "agreement_id": contract.agreement_id,
        "cluster_id": contract.cluster_id,
        "node_id": contract.node_id,
        "provider_id": contract.provider_id,
        "provider_name": contract.provider_name,
        "price": json.dumps([str(price.start), str(price.per_cpu_second), str(price.per_env_second)]),
        "usage_vector": json.dumps(contract.usage_vector),
        "threads": contract.threads,
        "activity_id": contract.activity_id,
        "created_at": contract.created_at,
        "activity_since": contract.activity_since,
        "ended_at": contract.ended_at,
        "invoiced_wei": contract.invoiced_wei,
    }


def _from_row(row: Row[tuple[object, ...]]) -> Contract:
    columns = dict(row._mapping)
    columns["price"] = Price(*(Decimal(part) for part in json.loads(columns["price"])))
    columns["usage_vector"] = tuple(json.loads(columns["usage_vector"]))
    return Contract(**columns)
