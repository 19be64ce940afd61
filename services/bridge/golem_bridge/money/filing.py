"""Every payment document that came, with what was made of it; kept for ever."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert

from golem_bridge.clock import Clock
from golem_bridge.golem.types import DocumentKind, PaymentDocument
from golem_bridge.store.database import Database, documents, verdicts

RECEIVED = "received"
"""What stands for the verdict until there is one."""

ACCEPTED = "accepted"

RETRIED = ("insufficient_funds", "no_allocation", "not_found", "node_unreachable", "timeout", "golem")
"""Verdicts that may turn out better later: after the budget was raised or set aside anew, or when yagna is in a better
mood."""


class Filed(NamedTuple):
    """Which document it is, and whose."""

    kind: DocumentKind
    document_id: str
    agreement_id: str


class Filing:
    """The table of documents."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def received(self, document: PaymentDocument) -> bool:
        """File a document that is to be judged. False if that was done, for good, before."""
        columns = self._columns(document.kind, document.agreement_id, str(document.total_due), RECEIVED, "")
        statement = insert(documents).values(document_id=document.document_id, **columns)
        verdict = select(documents.c.verdict).where(documents.c.document_id == document.document_id)
        with self._database.write() as connection:
            connection.execute(statement.on_conflict_do_nothing(index_elements=["document_id"]))
            return connection.execute(verdict).scalar_one() in {RECEIVED, *RETRIED}

    def judged(self, document: PaymentDocument, verdict: str, detail: str) -> None:
        """The newest verdict stands."""
        self._put(document.document_id, document.kind, document.agreement_id, str(document.total_due), verdict, detail)

    def unreadable(self, kind: DocumentKind, document_id: str, verdict: str, detail: str) -> None:
        """Nobody can tell what it is about."""
        self._put(document_id, kind, "", "", verdict, detail)

    def unjudged(self) -> Sequence[Filed]:
        """In the order in which they came."""
        return self._with_verdict((RECEIVED,))

    def unaccepted(self) -> Sequence[Filed]:
        """The last one of each agreement and kind of those that may be accepted later."""
        newest = {(one.agreement_id, one.kind): one for one in self._with_verdict(RETRIED)}
        return list(newest.values())

    def _with_verdict(self, verdicts: Sequence[str]) -> list[Filed]:
        query = select(documents).where(documents.c.verdict.in_(verdicts)).order_by(documents.c.at)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [Filed(DocumentKind(row.kind), row.document_id, row.agreement_id) for row in rows]

    def _put(
        self, document_id: str, kind: DocumentKind, agreement_id: str, total: str, verdict: str, detail: str
    ) -> None:
        columns = self._columns(kind, agreement_id, total, verdict, detail)
        statement = insert(documents).values(document_id=document_id, **columns)
        with self._database.write() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["document_id"], set_=columns))
            connection.execute(
                insert(verdicts).values(document_id=document_id, verdict=verdict).on_conflict_do_nothing()
            )

    def _columns(
        self, kind: DocumentKind, agreement_id: str, total: str, verdict: str, detail: str
    ) -> dict[str, str | datetime]:
        return {
            "kind": kind.value,
            "agreement_id": agreement_id,
            "at": self._clock.now(),
            "total": total,
            "verdict": verdict,
            "detail": detail,
        }
