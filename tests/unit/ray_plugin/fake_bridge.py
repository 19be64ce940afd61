"""The bridge as an object: the plug-in's calls, counted, on clusters kept in memory."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import Any

from ray_on_golem.bridge import Bridge
from ray_on_golem.place import Place

HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA"
"""Such a node's, in form only."""


def node_view(node_id: str, state: str = "running", **fields: object) -> dict[str, Any]:
    """As the bridge shows a node."""
    view: dict[str, Any] = {
        "node_id": node_id,
        "kind": "head" if "head" in node_id else "worker",
        "node_type": "ray.worker.default",
        "state": state,
        "reason": None,
        "message": f"{state.capitalize()} on alder",
        "tags": {},
        "ip": "192.168.0.3",
        "host_key": HOST_KEY,
        "provider_name": "alder",
        "price_start": "0.001",
        "price_per_hour": "0.018",
        "created_at": 0.0,
        "running_at": None,
        "spent": "0",
    }
    return {**view, **fields}


class FakeBridge(Bridge):
    """Lay out ``nodes``; lay out in ``progress`` what long polls of a node answer.

    ``fail`` makes a call fail, ``fail_once`` only its first.
    """

    def __init__(self) -> None:
        super().__init__(Place(4578, None))
        self.calls: Counter[str] = Counter()
        self.nodes: dict[str, dict[str, Any]] = {}
        self.progress: deque[dict[str, Any] | Exception] = deque()
        self.fail: dict[str, BaseException] = {}
        self.fail_once: dict[str, BaseException] = {}
        self.answer_lost: BaseException | None = None
        """What becomes of the answer to a request for nodes that was heard."""
        self.network = "devnet"
        self.specs: list[Mapping[str, Any]] = []
        self.prices: dict[str, Any] | None = None
        self.named: dict[str, Mapping[str, Any] | None] = {}
        """The last ``node_config`` that came with a request, by node type."""
        self.closed = False
        self._lock = threading.Lock()

    def ready(self) -> dict[str, Any]:
        self._count("ready")
        return {"ready": True, "network": self.network, "wallet": "0xfeed"}

    def open_cluster(self, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
        self._count("open_cluster")
        self.specs.append(spec)
        return self._snapshot(name)

    def cluster(self, name: str) -> dict[str, Any]:
        self._count("cluster")
        return self._snapshot(name)

    def close_cluster(self, name: str) -> dict[str, Any]:
        self._count("close_cluster")
        self.closed = True
        return self._snapshot(name)

    def market(self, name: str) -> dict[str, Any] | None:
        self._count("market")
        return self.prices

    def request_nodes(
        self,
        name: str,
        node_type: str,
        count: int,
        tags: Mapping[str, str],
        node_config: Mapping[str, Any] | None = None,
    ) -> list[dict[str, Any]]:
        self._count("request_nodes")
        self.named[node_type] = node_config
        kind = tags["ray-node-type"]
        made = []
        for _ in range(count):
            node_id = f"{name}-1-{kind}-{len(self.nodes) + 1:04d}"
            made.append(node_view(node_id, "requested", ip=None, tags=dict(tags), node_type=node_type))
            self.nodes[node_id] = made[-1]
        if self.answer_lost is not None:
            raise self.answer_lost
        return made

    def terminate(self, name: str, node_ids: Iterable[str]) -> list[dict[str, Any]]:
        self._count("terminate")
        for node_id in node_ids:
            self.nodes[node_id]["state"] = "terminating"
        return [self.nodes[node_id] for node_id in node_ids]

    def tag(self, name: str, node_id: str, tags: Mapping[str, str]) -> dict[str, Any]:
        self._count("tag")
        node = self.nodes[node_id]
        self.nodes[node_id] = {**node, "tags": {**node["tags"], **tags}}
        return self.nodes[node_id]

    def wait_for_node(self, name: str, node_id: str, *, seconds: float, message_seen: str | None) -> dict[str, Any]:
        self._count("wait_for_node")
        news = self.progress.popleft() if self.progress else {}
        if isinstance(news, Exception):
            raise news
        self.nodes[node_id] = {**self.nodes[node_id], **news}
        return self.nodes[node_id]

    def _count(self, call: str) -> None:
        with self._lock:
            self.calls[call] += 1
        if call in self.fail:
            raise self.fail[call]
        if call in self.fail_once:
            raise self.fail_once.pop(call)

    def _snapshot(self, name: str) -> dict[str, Any]:
        return {
            "name": name,
            "state": "closing" if self.closed else "active",
            "network": self.network,
            "wallet": "0xfeed",
            "budget": "5",
            "committed": "0.25",
            "nodes": list(self.nodes.values()),
        }
