"""The bridge and Prometheus as seen from the host: over their published ports, with the token from its file."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from appliance.loopback import open_here
from appliance.paths import shown
from appliance.settings import Settings
from appliance.steps import StepError

TIMEOUT = 15
"""Seconds per request."""


@dataclass(frozen=True)
class Line:
    """One line of the bill. Amounts in GLM."""

    node_id: str
    provider_name: str
    seconds: float
    paid: Decimal
    transactions: tuple[str, ...]

    @classmethod
    def parse(cls, line: dict[str, Any]) -> Line:
        """From the bridge's JSON."""
        return cls(
            node_id=line["node_id"],
            provider_name=line["provider_name"],
            seconds=line["seconds"],
            paid=Decimal(line["paid"]),
            transactions=tuple(payment["tx_hash"] for payment in line["payments"]),
        )


@dataclass(frozen=True)
class Bill:
    """What a cluster cost; ``settled`` once every invoice is paid on the chain."""

    state: str
    settled: bool
    total_accepted: Decimal
    total_paid: Decimal
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class LiveNode:
    """A node that costs money now. ``price_per_hour`` is GLM with all its threads busy, None before an agreement."""

    cluster: str
    node_id: str
    state: str
    provider: str | None
    price_per_hour: str | None


class Bridge:
    """Raises StepError, with the next command, when something does not answer."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def bill(self, cluster: str) -> Bill:
        """The bill of a cluster's newest incarnation."""
        body = self.ask(f"/v1/clusters/{urllib.parse.quote(cluster)}/bill")
        return Bill(
            state=body["state"],
            settled=body["settled"],
            total_accepted=Decimal(body["total_accepted"]),
            total_paid=Decimal(body["total_paid"]),
            lines=tuple(Line.parse(line) for line in body["lines"]),
        )

    def wallet(self) -> str:
        """Address of the wallet that pays."""
        return str(self.ask("/v1/health/ready")["wallet"])

    def live_nodes(self) -> list[LiveNode]:
        """Nodes of all clusters that are not terminated, those of earlier incarnations included."""
        body = self.ask("/v1/clusters")
        nodes = [(cluster["name"], node) for cluster in body["clusters"] for node in cluster["nodes"]]
        for name, ending in body.get("ending", {}).items():  # a bridge of before an upgrade tells only the newest
            nodes += [(name, node) for node in ending]
        return [
            LiveNode(name, node["node_id"], node["state"], node["provider_name"], node["price_per_hour"])
            for name, node in nodes
            if node["state"] != "terminated"
        ]

    def closing_clusters(self) -> list[str]:
        """Names of clusters of which an incarnation, not only the newest, waits for invoices or payments."""
        body = self.ask("/v1/clusters")
        newest = {cluster["name"] for cluster in body["clusters"] if cluster["state"] == "closing"}
        return sorted(newest.union(body.get("closing", ())))  # a bridge of before an upgrade tells only the newest

    def ask(self, path: str) -> dict[str, Any]:
        """The JSON object at a path, such as ``/v1/clusters``, as the bridge gave it."""
        file = self._settings.token_file
        try:
            token = file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise StepError(
                f"The bridge's token cannot be read — {shown(file)}: {error.strerror} — "
                "start the appliance, which writes it: make up"
            ) from error
        return _get(f"http://127.0.0.1:{self._settings.ports.bridge}{path}", token)


def prometheus(settings: Settings, query: str, *, start: float, end: float, step: float) -> list[dict[str, Any]]:
    """A range query: each series with its label set and its values."""
    parameters = urllib.parse.urlencode({"query": query, "start": start, "end": end, "step": step})
    body = _get(f"http://127.0.0.1:{settings.ports.prometheus}/api/v1/query_range?{parameters}", None)
    return list(body["data"]["result"])


def _get(url: str, token: str | None) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - loopback only
    try:
        with open_here(request, timeout=TIMEOUT) as answer:
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        raise StepError(f"{url} answers {error.code} — {error.read().decode(errors='replace')[:300]}") from error
    except OSError as error:
        why = getattr(error, "reason", error)
        raise StepError(f"{url} does not answer — {why} — start it: make up (what runs: docker compose ps)") from error
    except (ValueError, TypeError) as error:
        raise StepError(f"{url} answers nothing of the bridge's — {error} — see: docker compose ps") from error
