"""From our clusters to what the client is told of them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from golem_bridge.clusters.books import Books
from golem_bridge.clusters.model import Cluster, Node
from golem_bridge.clusters.states import EndReason, NodeState
from golem_bridge.errors import InputError
from golem_bridge.settings import Settings

WORTH_A_WARNING = frozenset({EndReason.PROVIDER_LOST, EndReason.BUDGET, EndReason.ORPHAN})


def state(node: Node) -> str:
    """Upstream's four states."""
    return "pending" if node.state.is_pending else node.state.value


def internal_ip(node: Node) -> str | None:
    """None while pending."""
    return None if node.state.is_pending else node.ip


def node_data(node: Node, *, said: Sequence[str], proxy_command: str | None) -> dict[str, object]:
    """Upstream's NodeData; the last line of ``state_log`` is what the client shows."""
    log = list(said)
    if not log or log[-1] != node.message:
        log.append(node.message)
    return {
        "node_id": node.node_id,
        "tags": dict(node.tags or {}),
        "state": state(node),
        "state_log": log,
        "internal_ip": internal_ip(node),
        "ssh_proxy_command": proxy_command,
    }


def proxy_command(settings: Settings, cluster: Cluster, node: Node) -> str | None:
    """What the host's ssh runs to reach the node: our relay client, by the appliance's own files.

    None while the node cannot be reached. Raises InputError if the bridge does not know where the appliance is.
    """
    if node.state is not NodeState.RUNNING:
        return None
    if settings.appliance_dir is None:
        raise InputError(
            "Cannot tell ssh how to reach the node — the bridge does not know the appliance's folder on the host — "
            "start the appliance with: make up, or set APPLIANCE_DIR in .env"
        )
    client = settings.appliance_dir / "services" / "ray_plugin" / "ray_on_golem" / "relay_client.py"
    token = settings.appliance_dir / settings.run_dir / "bridge-token"
    command = ["python3", "-S", "-E", str(client), "--cluster", cluster.name, "--token-file", str(token), node.ip]
    return shlex.join(command)


def warnings(books: Books, clusters: Sequence[Cluster]) -> list[str]:
    """What the client shows before each command: nodes of these clusters that were lost lately."""
    return [
        f"[{cluster.name}] Node `{node.node_id}` was ended: {node.message}"
        for cluster in clusters
        for node in books.nodes.current(cluster.cluster_id)
        if node.reason in WORTH_A_WARNING
    ]
