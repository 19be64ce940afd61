"""A tiny HTTP server that answers what a test has laid out, and remembers what it was asked."""

from __future__ import annotations

import json
import socket
import threading
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One request; ``connection`` is the client's port, so the same on a kept-alive connection."""

    method: str
    path: str
    token: str | None
    body: Any
    connection: int


@dataclass(frozen=True)
class Answer:
    """``hang_up``: None keeps the connection, "after" closes it behind the answer, "instead" does so without one."""

    status: int = 200
    body: bytes = b"{}"
    hang_up: str | None = None

    @classmethod
    def json(cls, value: object, status: int = 200) -> Answer:
        return cls(status, json.dumps(value).encode())

    @classmethod
    def error(cls, status: int, code: str, message: str) -> Answer:
        return cls.json({"error": {"code": code, "message": message}}, status)


class BridgeServer:
    """Answers are used up in order; then everything is answered with {}."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: deque[Answer] = deque()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])

    def __enter__(self) -> BridgeServer:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def connections(self) -> int:
        return len({asked.connection for asked in self.asked})


def _handler(server: BridgeServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10

        def handle_any(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            server.asked.append(
                Asked(
                    method=self.command,
                    path=self.path,
                    token=self.headers.get("Authorization"),
                    body=json.loads(content) if content else None,
                    connection=self.client_address[1],
                )
            )
            answer = server.answers.popleft() if server.answers else Answer()
            if answer.hang_up != "instead":
                self.send_response(answer.status)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)
                self.wfile.flush()
            if answer.hang_up is not None:
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True

        do_GET = do_PUT = do_POST = do_PATCH = handle_any  # noqa: N815 - http.server's names

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: pytest shows what was asked."""

    return Handler
