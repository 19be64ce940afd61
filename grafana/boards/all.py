"""The list of dashboards, and their JSON."""

from __future__ import annotations

from collections.abc import Mapping

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from grafana.boards.bridge import bridge
from grafana.boards.cost import cost
from grafana.boards.nodes import nodes
from grafana.boards.overview import overview

BOARDS = {"overview.json": overview, "cost.json": cost, "nodes.json": nodes, "bridge.json": bridge}


def rendered() -> Mapping[str, str]:
    """File name to content, the same at every call."""
    encoder = JSONEncoder(sort_keys=True, indent=2)
    return {name: encoder.encode(board().build()) + "\n" for name, board in BOARDS.items()}
