"""ssh's ProxyCommand: standard input and output to and from a node's sshd, over a websocket to the bridge.

Standard library only and quick to start (``python -S -E``): it runs once for every ssh connection.
"""

from __future__ import annotations

import argparse
import os
import socket
import struct
import sys
import threading

DEFAULT_PORT = 4578
CHUNK = 16 * 1024
MOST_SHOWN = 16 * 1024
"""Bytes of a refusal that are read."""

CONNECT_TIMEOUT = 30.0
"""Seconds."""

BINARY, CLOSE, PING, PONG = 2, 8, 9, 10


class RelayError(Exception):
    """Told to the user in one line."""


class WebSocket:
    """The client's side of RFC 6455, as far as a byte pipe needs it."""

    def __init__(self, sock: socket.socket, rest: bytes) -> None:
        self._socket = sock
        self._buffer = bytearray(rest)
        self._lock = threading.Lock()

    @classmethod
    def open(cls, port: int, path: str, token: str) -> WebSocket:
        """Raises RelayError with what the bridge said."""
        try:
            sock = socket.create_connection(("127.0.0.1", port), timeout=CONNECT_TIMEOUT)
        except OSError as error:
            raise RelayError(
                "the bridge at 127.0.0.1:{} does not answer ({}) — start the appliance: make up".format(port, error)
            ) from error
        try:
            return cls._shake_hands(sock, port, path, token)
        except BaseException:
            sock.close()
            raise

    @classmethod
    def _shake_hands(cls, sock: socket.socket, port: int, path: str, token: str) -> WebSocket:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request = (
            "GET {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: Bearer {}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: cmF5LW9uLWdvbGVtLXNzaA==\r\n\r\n"
        )
        sock.sendall(request.format(path, port, token).encode())
        head, rest = _read_head(sock)
        status = head.split(b" ", 2)[1:2]
        if status != [b"101"]:
            raise RelayError("the bridge refuses: {}".format(_reason(head, _read_body(sock, head, rest))))
        sock.settimeout(None)
        return cls(sock, rest)

    def close(self) -> None:
        self._socket.close()

    def send(self, opcode: int, data: bytes) -> None:
        """One message; masked, as clients must, with the key 0, which changes nothing."""
        size = len(data)
        if size < 126:
            head = struct.pack(">BB", 0x80 | opcode, 0x80 | size)
        elif size < 1 << 16:
            head = struct.pack(">BBH", 0x80 | opcode, 0xFE, size)
        else:
            head = struct.pack(">BBQ", 0x80 | opcode, 0xFF, size)
        with self._lock:
            self._socket.sendall(head + bytes(4) + data)

    def receive(self) -> bytes | None:
        """The next piece of data; None when the other side has closed."""
        while True:
            first, second = self._exactly(2)
            size = second & 0x7F
            if size == 126:
                size = struct.unpack(">H", self._exactly(2))[0]
            elif size == 127:
                size = struct.unpack(">Q", self._exactly(8))[0]
            data = self._exactly(size)
            opcode = first & 0x0F
            if opcode == CLOSE:
                return None
            if opcode == PING:
                self.send(PONG, data)
            elif opcode != PONG:
                return data

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            data = self._socket.recv(1 << 16)
            if not data:
                raise EOFError("the bridge closed the connection")
            self._buffer += data
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data


def main() -> int:
    """Exit code 0 when either side ended in order."""
    options = _arguments()
    try:
        token = _token(options.token_file)
        path = "/v1/clusters/{}/nodes/{}/ssh".format(options.cluster, options.node)
        websocket = WebSocket.open(options.port or _published_port(options.token_file), path, token)
    except (OSError, RelayError) as error:
        print("ray-on-golem: {}".format(error), file=sys.stderr)
        return 1
    threading.Thread(target=_upload, args=(websocket,), daemon=True).start()
    return _download(websocket)


def _token(token_file: str) -> str:
    try:
        with open(token_file, encoding="utf-8") as file:
            return file.read().strip()
    except OSError as error:
        raise RelayError(
            "cannot read the bridge's token from {} ({}) — start the appliance: make up".format(
                token_file, error.strerror
            )
        ) from error


def _published_port(token_file: str) -> int:
    try:
        with open(os.path.join(os.path.dirname(token_file), "bridge-port"), encoding="utf-8") as file:
            return int(file.read())
    except (OSError, ValueError):
        return DEFAULT_PORT


def _upload(websocket: WebSocket) -> None:
    """Standard input to the node; its end ends the program, as ssh has gone."""
    try:
        while True:
            data = os.read(0, CHUNK)
            if not data:
                break
            websocket.send(BINARY, data)
        websocket.send(CLOSE, struct.pack(">H", 1000))
    except OSError:
        os._exit(1)


def _download(websocket: WebSocket) -> int:
    try:
        while True:
            data = websocket.receive()
            if data is None:
                return 0
            view = memoryview(data)
            while view:
                view = view[os.write(1, view) :]
    except (OSError, EOFError) as error:
        print("ray-on-golem: {}".format(error), file=sys.stderr)
        return 1


def _read_head(sock: socket.socket) -> tuple[bytes, bytes]:
    buffer = b""
    while b"\r\n\r\n" not in buffer:
        data = sock.recv(4096)
        if not data:
            raise RelayError("the bridge closed the connection")
        buffer += data
    head, _, rest = buffer.partition(b"\r\n\r\n")
    return head, rest


def _read_body(sock: socket.socket, head: bytes, body: bytes) -> bytes:
    """The rest of a refusal, which may come in several pieces."""
    length = MOST_SHOWN
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = min(length, int(line.partition(b":")[2]))
    while len(body) < length:
        data = sock.recv(4096)
        if not data:
            break
        body += data
    return body


def _reason(head: bytes, rest: bytes) -> str:
    """The bridge's sentence out of its JSON error, without importing a parser; else the status line."""
    marker = b'"message":"'
    _, found, tail = rest.partition(marker)
    text = tail.partition(b'"}')[0] if found else head.partition(b"\r\n")[0]
    return text.decode(errors="replace")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, help="default: as noted beside the token")
    parser.add_argument("--cluster", required=True)
    parser.add_argument("--token-file", required=True)
    parser.add_argument("node", help="node id or address")
    return parser.parse_args()


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
