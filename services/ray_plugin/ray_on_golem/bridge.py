"""Client of the bridge's API: standard library, one kept-alive connection per thread."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
import urllib.parse
from collections.abc import Iterable, Mapping
from typing import Any, Callable

from ray_on_golem.errors import BridgeDownError, RayOnGolemError
from ray_on_golem.place import Place

TIMEOUT = 30.0
"""Seconds a request may take beyond what it asks to be held back."""

NOT_FOUND = 404

HEAD_PATIENCE = 25.0
"""Seconds a head's request may wait for its tunnel to be back; the bridge mends it within 20."""

PAUSE = 0.5
"""Seconds between two such tries."""


class _Connection(http.client.HTTPConnection):
    """Closed with the thread, or the client, that used it."""

    def __del__(self) -> None:
        self.close()


class Bridge:
    """The calls the plug-in makes. All raise RayOnGolemError with a sentence for the user."""

    def __init__(
        self,
        place: Place,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.place = place
        self._clock = clock
        self._sleep = sleep
        self._local = threading.local()

    def ready(self) -> dict[str, Any]:
        """``{"ready", "network", "wallet"}``."""
        return self._call("GET", "/v1/health/ready")

    def clusters(self) -> dict[str, Any]:
        """``clusters``: the newest incarnation of each; ``closing``: names of those of which one is not settled."""
        return self._call("GET", "/v1/clusters")

    def open_cluster(self, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
        """Open a cluster, or bring a live one to new limits; its snapshot."""
        return self._call("PUT", _path(name), spec)

    def cluster(self, name: str) -> dict[str, Any]:
        return self._call("GET", _path(name))

    def close_cluster(self, name: str) -> dict[str, Any]:
        return self._call("POST", _path(name, "close"), {})

    def bill(self, name: str) -> dict[str, Any]:
        return self._call("GET", _path(name, "bill"))

    def market(self, name: str) -> dict[str, Any] | None:
        """Offers and prices by node type; None from a bridge that does not tell."""
        try:
            return self._call("GET", _path(name, "market"))
        except RayOnGolemError as error:
            if error.status == NOT_FOUND:
                return None
            raise

    def request_nodes(
        self,
        name: str,
        node_type: str,
        count: int,
        tags: Mapping[str, str],
        node_config: Mapping[str, Any] | None = None,
    ) -> list[dict[str, Any]]:
        """Never sent twice: that would rent twice. ``node_config`` is for a type the bridge may not know yet."""
        body: dict[str, Any] = {"node_type": node_type, "count": count, "tags": dict(tags)}
        if node_config is not None:
            body["node_config"] = node_config
        return list(self._call("POST", _path(name, "nodes"), body, repeatable=False)["nodes"])

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

    def _call(
        self, method: str, path: str, body: object = None, *, timeout: float = TIMEOUT, repeatable: bool = True
    ) -> dict[str, Any]:
        """One request. On a head, whose tunnel may be down for some seconds, repeatable ones are tried again."""
        give_up_at = self._clock() + (HEAD_PATIENCE if self.place.is_head and repeatable else 0)
        while True:
            try:
                return self._request(method, path, body, timeout, repeatable=repeatable)
            except BridgeDownError:
                if self._clock() >= give_up_at:
                    raise
            self._sleep(PAUSE)

    def _request(self, method: str, path: str, body: object, timeout: float, *, repeatable: bool) -> dict[str, Any]:
        if not repeatable:
            self._drop()
        kept = self._connect(timeout)
        try:
            return self._exchange(method, path, body)
        except (http.client.HTTPException, OSError) as error:
            self._drop()
            # the other side may have closed a kept-alive connection meanwhile; one that is slow has not
            if not kept or isinstance(error, socket.timeout):
                raise self._down(error) from error
        self._connect(timeout)
        try:
            return self._exchange(method, path, body)
        except (http.client.HTTPException, OSError) as error:
            self._drop()
            raise self._down(error) from error

    def _connect(self, timeout: float) -> bool:
        """Make sure there is a connection; True if it is one kept from before."""
        connection: _Connection | None = getattr(self._local, "connection", None)
        if connection is not None and connection.sock is not None:
            connection.sock.settimeout(timeout)
            return True
        connection = _Connection("127.0.0.1", self.place.port, timeout=timeout)
        try:
            connection.connect()
        except OSError as error:
            raise self._down(error) from error
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._local.connection = connection
        return False

    def _exchange(self, method: str, path: str, body: object) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"}
        token = self.place.token()
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        connection: _Connection = self._local.connection
        data = None if body is None else json.dumps(body)
        connection.request(method, path, body=data, headers=headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status >= 400:
            raise self._refusal(answer.status, content)
        try:
            return dict(json.loads(content))
        except (ValueError, TypeError) as error:
            raise RayOnGolemError(
                f"What answers at 127.0.0.1:{self.place.port} is not the bridge — {_shown(content)} — "
                "see which program has the port: docker compose ps"
            ) from error

    def _refusal(self, status: int, content: bytes) -> RayOnGolemError:
        try:
            error = json.loads(content)["error"]
            message, code = str(error["message"]), str(error["code"])
        except (ValueError, KeyError, TypeError):
            message, code = (
                f"The bridge answers {status} — {_shown(content)} — see: docker compose logs bridge",
                "bridge",
            )
        if status == 401:
            message = f"{message} (used: {self.place.token_file})"
        return RayOnGolemError(message, code, status)

    def _down(self, error: Exception) -> BridgeDownError:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or "no answer"
        where = f"127.0.0.1:{self.place.port}"
        if self.place.is_head:
            return BridgeDownError(f"The tunnel to the bridge at {where} does not answer ({reason.lower()})")
        return BridgeDownError(
            f"The bridge at {where} does not answer ({reason.lower()}) — start the appliance: make up"
        )

    def _drop(self) -> None:
        connection: _Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
        self._local.connection = None


def _shown(content: bytes) -> str:
    return repr(content.decode(errors="replace")[:200])


def _path(name: str, *parts: str) -> str:
    return "/".join(["/v1/clusters", *(urllib.parse.quote(part, safe="") for part in (name, *parts))])
