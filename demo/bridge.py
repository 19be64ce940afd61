"""The bridge and Prometheus as the demo asks them: over their published ports, with the token from its file."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from demo.paths import TOKEN
from demo.steps import StepError

TIMEOUT = 15
"""Seconds per request."""


@dataclass(frozen=True)
class Line:
    """One line of the bill. Amounts in GLM."""

    node_id: str
    kind: str
    provider_id: str
    provider_name: str
    seconds: float
    accepted: Decimal
    paid: Decimal
    transactions: tuple[str, ...]


@dataclass(frozen=True)
class Bill:
    """What a cluster cost; ``settled`` once every invoice is paid on the chain."""

    state: str
    settled: bool
    total_accepted: Decimal
    total_paid: Decimal
    lines: tuple[Line, ...]


def bill(port: int, cluster: str) -> Bill:
    """The bill of a cluster's newest incarnation."""
    body = _get(f"http://127.0.0.1:{port}/v1/clusters/{urllib.parse.quote(cluster)}/bill", _token())
    return Bill(
        state=body["state"],
        settled=body["settled"],
        total_accepted=Decimal(body["total_accepted"]),
        total_paid=Decimal(body["total_paid"]),
        lines=tuple(_line(line) for line in body["lines"]),
    )


def wallet(port: int) -> str:
    """Address of the wallet that pays."""
    return str(_get(f"http://127.0.0.1:{port}/v1/health/ready", _token())["wallet"])


def prometheus(port: int, query: str, *, start: float, end: float, step: float) -> list[dict[str, Any]]:
    """A range query: each series with its label set and its values."""
    parameters = urllib.parse.urlencode({"query": query, "start": start, "end": end, "step": step})
    body = _get(f"http://127.0.0.1:{port}/api/v1/query_range?{parameters}", None)
    return list(body["data"]["result"])


def _line(line: dict[str, Any]) -> Line:
    return Line(
        node_id=line["node_id"],
        kind=line["kind"],
        provider_id=line["provider_id"],
        provider_name=line["provider_name"],
        seconds=line["seconds"],
        accepted=Decimal(line["accepted"]),
        paid=Decimal(line["paid"]),
        transactions=tuple(payment["tx_hash"] for payment in line["payments"]),
    )


def _token() -> str:
    return TOKEN.read_text(encoding="utf-8").strip()


def _get(url: str, token: str | None) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - loopback only
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        raise StepError(f"{url} answers {error.code} — {error.read().decode(errors='replace')[:300]}") from error
    except OSError as error:
        raise StepError(f"{url} does not answer — {error} — see: docker compose ps") from error
