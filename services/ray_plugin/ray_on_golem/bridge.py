"""Client of the bridge's API: standard library, one kept-alive connection per thread."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import urllib.parse
from collections.abc import Iterable, Mapping
from typing import Any

from ray_on_golem.errors import BridgeDownError, RayOnGolemError
from ray_on_golem.place import Place

TIMEOUT = 30.0
"""Seconds a request may take beyond what it asks to be held back."""

TRIES = 2
"""A kept-alive connection may have been closed by the other side meanwhile."""


class Bridge:
    """The calls the plug-in makes. All raise RayOnGolemError with a sentence for the user."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._local = threading.local()

    def ready(self) -> dict[str, Any]:
        """``{"ready", "network", "wallet"}``."""
        return self._call("GET", "/v1/health/ready")

    def clusters(self) -> list[dict[str, Any]]:
        return list(self._call("GET", "/v1/clusters")["clusters"])

    def open_cluster(self, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
        """Open a cluster, or bring a live one to new limits; its snapshot."""
        return self._call("PUT", _path(name), spec)

    def cluster(self, name: str) -> dict[str, Any]:
        return self._call("GET", _path(name))

    def close_cluster(self, name: str) -> dict[str, Any]:
        return self._call("POST", _path(name, "close"), {})

    def bill(self, name: str) -> dict[str, Any]:
        return self._call("GET", _path(name, "bill"))

    def request_nodes(self, name: str, node_type: str, count: int, tags: Mapping[str, str]) -> list[dict[str, Any]]:
        body = {"node_type": node_type, "count": count, "tags": dict(tags)}
        return list(self._call("POST", _path(name, "nodes"), body)["nodes"])

    def terminate(self, name: str, node_ids: Iterable[str]) -> list[dict[str, Any]]:
        body = {"node_ids": list(node_ids)}
        return list(self._call("POST", _path(name, "nodes", "terminate"), body)["nodes"])

    def tag(self, name: str, node_id: str, tags: Mapping[str, str]) -> dict[str, Any]:
        return self._call("PATCH", _path(name, "nodes", node_id, "tags"), {"tags": dict(tags)})

    def wait_for_node(self, name: str, node_id: str, *, seconds: float, message_seen: str | None) -> dict[str, Any]:
        """The node, held back until it runs, ends or says something new."""
        query: dict[str, str] = {"wait": str(seconds), "until": "running"}
        if message_seen is not None:
            query["message_after"] = message_seen
        path = f"{_path(name, 'nodes', node_id)}?{urllib.parse.urlencode(query)}"
        return self._call("GET", path, timeout=seconds + TIMEOUT)

    def _call(self, method: str, path: str, body: object = None, timeout: float = TIMEOUT) -> dict[str, Any]:
        for attempt in range(TRIES):
            fresh = self._connection(timeout)
            try:
                return self._exchange(method, path, body)
            except (http.client.HTTPException, OSError) as error:
                self._drop()
                # only a request on an old connection may be sent again: the other side has not seen it
                if fresh or attempt + 1 == TRIES:
                    raise self._down(error) from error
        raise AssertionError("the loop ends by return or raise")

    def _connection(self, timeout: float) -> bool:
        """Make sure there is a connection; True if it is a new one."""
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is not None and connection.sock is not None:
            connection.sock.settimeout(timeout)
            return False
        connection = http.client.HTTPConnection("127.0.0.1", self.place.port, timeout=timeout)
        try:
            connection.connect()
        except OSError as error:
            raise self._down(error) from error
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._local.connection = connection
        return True

    def _exchange(self, method: str, path: str, body: object) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"}
        token = self.place.token()
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        connection: http.client.HTTPConnection = self._local.connection
        data = None if body is None else json.dumps(body)
        connection.request(method, path, body=data, headers=headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status >= 400:
            raise self._refusal(answer.status, content)
        return dict(json.loads(content))

    def _refusal(self, status: int, content: bytes) -> RayOnGolemError:
        try:
            error = json.loads(content)["error"]
            message, code = str(error["message"]), str(error["code"])
        except (ValueError, KeyError, TypeError):
            shown = content.decode(errors="replace")[:200]
            message, code = f"The bridge answers {status} — {shown!r} — see: docker compose logs bridge", "bridge"
        if status == 401:
            message = f"{message} (used: {self.place.token_file})"
        return RayOnGolemError(message, code)

    def _down(self, error: Exception) -> BridgeDownError:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or "no answer"
        where = f"127.0.0.1:{self.place.port}"
        if self.place.is_head:
            return BridgeDownError(f"The tunnel to the bridge at {where} does not answer ({reason.lower()})")
        return BridgeDownError(
            f"The bridge at {where} does not answer ({reason.lower()}) — start the appliance: make up"
        )

    def _drop(self) -> None:
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
        self._local.connection = None


def _path(name: str, *parts: str) -> str:
    return "/".join(["/v1/clusters", *(urllib.parse.quote(part, safe="") for part in (name, *parts))])
