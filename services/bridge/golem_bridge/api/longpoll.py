"""Holding a request back until there is news."""

from __future__ import annotations

from collections.abc import Callable

from golem_bridge.clusters.books import Books
from golem_bridge.clusters.model import Cluster, Node


async def wait_for_news(books: Books, node: Node, *, seconds: float, message_seen: str | None) -> Node:
    """The node once it is no longer starting or its message differs from ``message_seen``, or after ``seconds``."""
    deadline = books.clock.monotonic() + seconds
    while node.state.is_pending and (message_seen is None or node.message == message_seen):
        left = deadline - books.clock.monotonic()
        if left <= 0 or not await books.changes.wait(node.cluster_id, left):
            break
        node = books.nodes.get(node.node_id)
    return books.nodes.get(node.node_id)


async def wait_for_change(
    books: Books,
    load: Callable[[], Cluster],
    *,
    seconds: float,
    version_seen: str,
    version: Callable[[Cluster], str],
) -> Cluster:
    """The cluster once its version is another one, or after ``seconds``."""
    deadline = books.clock.monotonic() + seconds
    cluster = load()
    while version(cluster) == version_seen:
        left = deadline - books.clock.monotonic()
        if left <= 0 or not await books.changes.wait(cluster.cluster_id, left):
            break
        cluster = load()
    return load()
