"""The Docker engine behind a socket of our own, which can be taken away at a chosen moment: an engine that stops."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

ENGINE = Path("/var/run/docker.sock")
BLOCK = 65536


class EngineProxy:
    """Passes bytes on until a client has sent ``last_words``; from then on nobody is there. Use as a context."""

    def __init__(self, path: Path, *, last_words: bytes) -> None:
        self.address = f"unix://{path}"
        self.has_stopped = threading.Event()
        self._path = path
        self._last_words = last_words
        self._open: set[socket.socket] = set()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(128)

    def __enter__(self) -> EngineProxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _accept(self) -> None:
        while not self.has_stopped.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed: we have stopped
            engine = socket.socket(socket.AF_UNIX)
            engine.connect(str(ENGINE))
            self._open |= {client, engine}
            threading.Thread(target=self._pass_on, args=(client, engine, self._last_words), daemon=True).start()
            threading.Thread(target=self._pass_on, args=(engine, client, None), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, last_words: bytes | None) -> None:
        tail = b""
        try:
            while block := source.recv(BLOCK):
                if last_words and last_words in tail + block:
                    self._stop()
                    return
                tail = block[-len(last_words or b"") :]
                target.sendall(block)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return  # the other half was closed

    def _stop(self) -> None:
        """No new connection, no old one."""
        self.has_stopped.set()
        self._path.unlink(missing_ok=True)
        for one in (self._listener, *self._open):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # was closed already
            finally:
                one.close()
