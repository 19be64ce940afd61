"""What ``ray up`` tells about money and progress, within Ray's own output."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any, Callable, Optional

from ray.autoscaler._private.cli_logger import cli_logger

FIRST_OFFERS = 1.0
"""Seconds to wait for offers whose prices can be shown; the bridge looks around for as long before it picks one."""

LOOK_AGAIN = 0.1
"""Seconds."""

Market = Optional[Mapping[str, Any]]


def first_offers(
    ask: Callable[[], Market],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Market:
    """The market's answer once it has an offer for each node type, or after FIRST_OFFERS; None if it does not tell."""
    deadline = clock() + FIRST_OFFERS
    while True:
        market = ask()
        if market is None or all(found.get("cheapest") for found in market.get("node_types", {}).values()):
            return market
        if clock() >= deadline:
            return market
        sleep(LOOK_AGAIN)


def show_plan(snapshot: Mapping[str, Any], spec: Mapping[str, Any], market: Market) -> None:
    """Network, wallet, budget, and what each node type may cost."""
    markets = (market or {}).get("node_types", {})
    with cli_logger.group("Golem"):
        cli_logger.labeled_value("network", snapshot["network"])
        cli_logger.labeled_value("wallet", snapshot["wallet"])
        cli_logger.labeled_value("budget", f"{snapshot['budget']} GLM, {snapshot['committed']} GLM in use")
        for node_type, config in spec["node_types"].items():
            parts = [limits_text(config["budget_control"]), *_market_texts(markets.get(node_type))]
            # apart from the format: a provider names itself, and braces in a name would be taken for Ray's
            cli_logger.labeled_value(node_type, "{}", "; ".join(parts))


def limits_text(limits: Mapping[str, Any]) -> str:
    """The price limits of a node type."""
    shown = {key: value for key, value in limits.items() if key.startswith("max_")}
    most = (limits.get("per_cpu_expected_usage") or {}).get("max_cost")
    if most is not None:
        shown["max_cost"] = most
    return ", ".join(f"{key} {value}" for key, value in shown.items()) + " (GLM)" if shown else "no price limits"


def price_text(node: Mapping[str, Any]) -> str:
    """What a rented node costs."""
    return f"start {node['price_start']} GLM, at most {node['price_per_hour']} GLM/h"


def left_over(node: Mapping[str, Any]) -> str:
    """For a head whose set-up failed: Ray says why, and not that it stays rented."""
    return (
        f"{node['node_id']} goes on, and costs — {price_text(node)} — correct what failed and run ray up again, "
        "or end it: ray down"
    )


class Progress:
    """Says each thing about a node once, and nothing of one that ran before. ``clock`` is monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._said: dict[str, str] = {}
        self._since: dict[str, float] = {}

    def expect(self, node_id: str) -> None:
        """The node has been asked for just now."""
        with self._lock:
            self._since[node_id] = self._clock()

    def tell(self, node: Mapping[str, Any]) -> None:
        """Print the node's message if it is new, else how long it has been the same."""
        node_id, message = node["node_id"], node["message"]
        with self._lock:
            now = self._clock()
            ran_before = node["state"] == "running" and node_id not in self._since
            since = self._since.setdefault(node_id, now)
            repeated = self._said.get(node_id) == message
            self._said[node_id] = message
        if ran_before:
            return
        if node["state"] != "running":
            again = f" (still, after {now - since:.0f} s)" if repeated else ""
            cli_logger.print("{}: {}{}", node_id, message, again)
        elif not repeated:
            cli_logger.print("{}: {} — {}, after {} s", node_id, message, price_text(node), f"{now - since:.0f}")


def _market_texts(market: Mapping[str, Any] | None) -> list[str]:
    """The best price known, or what became of the offers seen; nothing where there are none yet."""
    if not market:
        return []
    cheapest = market["cheapest"]
    if cheapest is None:
        return [market["summary"]]
    return [f"from {cheapest['start']} GLM + {cheapest['per_hour']} GLM/h ({cheapest['provider_name']})"]
