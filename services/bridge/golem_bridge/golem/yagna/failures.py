"""What yagna answers when something failed, as errors of the bridge.

Statuses and wording are yagna 0.17.6's, as observed; what is not known here becomes a plain GolemError that
quotes yagna.
"""

from __future__ import annotations

import re

from pydantic import ValidationError

from golem_bridge.errors import (
    GolemError,
    GolemTimeoutError,
    NodeUnreachableError,
    NotFoundError,
    UnsupportedError,
    YagnaUnavailableError,
)

LOGS = "see: docker compose logs yagna"
"""The next command when yagna is to blame."""

NO_ROUTE = "endpoint address not found"
"""What yagna's service bus says of a node, activity or exe-unit that is not (or not yet, or no more) there."""

QUOTED = 300
"""Characters of foreign text a message may carry."""

# 404 is not the only way yagna 0.17.6 says "unknown": ids of another shape are a 400 (or a 500, in the activity API),
# and an unknown activity is a 500 from its database.
_UNKNOWN = re.compile(
    r"invalid (?:Agreement id|format)|non hexadecimal|DAO error: Not found|(?:Proposal|Agreement) \[.*\] not found"
    r"|Allocation \S+ not found",
    re.IGNORECASE,
)
_LATE = re.compile(r"\btime(?:d )?-?out\b", re.IGNORECASE)


def quoted(text: str | None, limit: int = QUOTED) -> str:
    """Foreign text fit for a message: one line, printable, at most ``limit`` characters."""
    flat = " ".join("".join(char if char.isprintable() else " " for char in text or "").split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def first_fault(error: ValidationError) -> str:
    """Where a body departs from its shape, and how; never the foreign values themselves."""
    fault = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, fault["loc"]))
    return quoted(f"{where}: {fault['msg']}" if where else fault["msg"])


def failure(what: str, status: int, message: str) -> GolemError:
    """The error for an answer of yagna's; ``what`` is a sentence saying what failed."""
    answer = ": ".join(filter(None, (str(status), quoted(message))))
    text = f"{what} — yagna answers {answer} — {LOGS}"
    if status == 401:
        return YagnaUnavailableError(
            f"{what} — yagna refuses our app-key (401) — recreate bridge and yagna together: docker compose up -d"
        )
    if status == 404 or (status in {400, 500} and _UNKNOWN.search(message)):
        return NotFoundError(text)
    if no_route(status, message):
        return NodeUnreachableError(
            f"{what} — the provider is out of reach (yagna answers {answer}) — nothing to do if it stays away"
        )
    if status in {408, 504} or (status == 500 and _LATE.search(message)):
        return GolemTimeoutError(text)
    if status == 501:
        return UnsupportedError(text)
    return GolemError(text)


def no_route(status: int, message: str) -> bool:
    """yagna's service bus does not find the provider or its exe-unit: not bound yet, out of reach, or gone."""
    return status == 500 and (NO_ROUTE in message or "GSB failure" in message)
