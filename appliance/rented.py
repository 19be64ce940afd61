"""What must not be done while nodes are rented, or while nobody can tell whether some are."""

from __future__ import annotations

import os

from appliance.bridge import Bridge, LiveNode
from appliance.containers import running_services
from appliance.settings import Settings
from appliance.steps import StepError


def refuse_while_rented(settings: Settings, *, harm: str, anyway: str) -> None:
    """Raises StepError while nodes live and while the bridge does not tell, unless FORCE=1 is set.

    ``harm`` says what would become of them; ``anyway`` is what to do all the same, with its command.
    """
    if os.environ.get("FORCE") == "1" or "bridge" not in running_services(settings):
        return
    try:
        live = Bridge(settings).live_nodes()
    except StepError as error:
        raise StepError(f"Whether nodes are rented is not known: {error} — or {anyway}") from error
    if live:
        raise StepError(
            f"{len(live)} node(s) are still rented, {harm}:\n{listed(live)}\n{_what_to_do_first(live)} — or {anyway}"
        )


def _what_to_do_first(live: list[LiveNode]) -> str:
    if all(node.state == "terminating" for node in live):
        return "They are being ended: wait a minute or two and run this again"
    return "End them first: ray down golem-cluster.yaml (or: .venv/bin/ray-on-golem stop --all)"


def listed(nodes: list[LiveNode]) -> str:
    """One line per node: state, provider, price."""
    return "\n".join(
        f"   {node.node_id}  {node.state} on {node.provider or '?'}  {node.price_per_hour or '?'} GLM/h"
        for node in nodes
    )
