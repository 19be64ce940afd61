"""ssh's ProxyCommand: the websocket's client side, against a server of the test's own."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ray_on_golem import relay_client
from ray_on_golem.relay_client import BINARY, CLOSE, PING, PONG, RelayError, WebSocket

Serve = Callable[[Callable[["Peer"], None]], int]
"""Starts a server whose one connection a function deals with; its port."""

WELCOME = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"


class Peer:
    """The server's end of one connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self._file = sock.makefile("rb")

    def read_request(self) -> str:
        lines = []
        while (line := self._file.readline().decode()) not in {"\r\n", ""}:
            lines.append(line)
        return "".join(lines)

    def receive(self) -> tuple[int, bytes]:
        """One frame of the client: opcode and unmasked content."""
        first, second = self._file.read(2)
        assert first & 0x80, "one frame is one message"
        assert second & 0x80, "clients mask"
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack(">H", self._file.read(2))
        elif size == 127:
            (size,) = struct.unpack(">Q", self._file.read(8))
        mask, data = self._file.read(4), self._file.read(size)
        return first & 0x0F, bytes(byte ^ mask[index % 4] for index, byte in enumerate(data)) if any(mask) else data

    def send(self, opcode: int, data: bytes) -> None:
        size = len(data)
        if size < 126:
            head = struct.pack(">BB", 0x80 | opcode, size)
        elif size < 1 << 16:
            head = struct.pack(">BBH", 0x80 | opcode, 126, size)
        else:
            head = struct.pack(">BBQ", 0x80 | opcode, 127, size)
        self.socket.sendall(head + data)


@pytest.fixture
def serve() -> Iterator[Serve]:
    threads: list[threading.Thread] = []
    failures: list[Exception] = []

    def start(deal: Callable[[Peer], None]) -> int:
        listener = socket.create_server(("127.0.0.1", 0))

        def run() -> None:
            with listener, listener.accept()[0] as sock:
                sock.settimeout(10)
                try:
                    deal(Peer(sock))
                except (AssertionError, OSError, struct.error) as error:
                    failures.append(error)

        threads.append(threading.Thread(target=run, daemon=True))
        threads[-1].start()
        return int(listener.getsockname()[1])

    yield start
    for thread in threads:
        thread.join(10)
    assert failures == []


def welcome(peer: Peer) -> str:
    request = peer.read_request()
    peer.socket.sendall(WELCOME)
    return request


def opened(port: int, path: str = "/", token: str = "t") -> contextlib.closing[WebSocket]:
    return contextlib.closing(WebSocket.open(port, path, token))


def test_the_handshake_carries_path_host_and_token(serve: Serve) -> None:
    seen: list[str] = []

    def greet(peer: Peer) -> None:
        seen.append(welcome(peer))
        peer.send(CLOSE, b"")

    port = serve(greet)
    with opened(port, "/v1/clusters/one/nodes/n/ssh", "secret") as websocket:
        assert websocket.receive() is None
    assert seen[0].startswith("GET /v1/clusters/one/nodes/n/ssh HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{port}\r\n" in seen[0]
    assert "Authorization: Bearer secret\r\n" in seen[0]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 300_000])
def test_frames_of_all_lengths_go_both_ways(serve: Serve, size: int) -> None:
    def echo(peer: Peer) -> None:
        welcome(peer)
        opcode, data = peer.receive()
        peer.send(opcode, data)

    data = os.urandom(size)
    with opened(serve(echo)) as websocket:
        websocket.send(BINARY, data)
        assert websocket.receive() == data


def test_data_right_behind_the_handshake_is_not_lost(serve: Serve) -> None:
    def eager(peer: Peer) -> None:
        peer.read_request()
        peer.socket.sendall(WELCOME + struct.pack(">BB", 0x82, 3) + b"ssh")

    with opened(serve(eager)) as websocket:
        assert websocket.receive() == b"ssh"


def test_pings_are_answered_and_pongs_ignored(serve: Serve) -> None:
    answers: list[tuple[int, bytes]] = []

    def pinging(peer: Peer) -> None:
        welcome(peer)
        peer.send(PING, b"are you there")
        peer.send(PONG, b"")
        peer.send(BINARY, b"data")
        answers.append(peer.receive())
        peer.send(CLOSE, b"")

    with opened(serve(pinging)) as websocket:
        assert websocket.receive() == b"data"
        assert websocket.receive() is None
    assert answers == [(PONG, b"are you there")]


def test_the_other_sides_end(serve: Serve) -> None:
    def closing(peer: Peer) -> None:
        welcome(peer)
        peer.send(CLOSE, struct.pack(">H", 1000))

    with opened(serve(closing)) as websocket:
        assert websocket.receive() is None


def test_a_cut_within_a_frame(serve: Serve) -> None:
    def cutting(peer: Peer) -> None:
        welcome(peer)
        peer.socket.sendall(struct.pack(">BB", 0x82, 100) + b"half")

    with opened(serve(cutting)) as websocket, pytest.raises(EOFError, match="the bridge closed the connection"):
        websocket.receive()


def test_a_refusal_is_the_bridges_sentence_even_in_pieces(serve: Serve) -> None:
    message = "Node n is terminated — see: ray-on-golem status"
    body = b'{"error":{"code":"node_unreachable","message":"%s"}}' % message.encode()

    def refusing(peer: Peer) -> None:
        peer.read_request()
        peer.socket.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: %d\r\n\r\n" % len(body))
        for start in range(0, len(body), 30):
            peer.socket.sendall(body[start : start + 30])

    with pytest.raises(RelayError) as caught:
        WebSocket.open(serve(refusing), "/", "t")
    assert str(caught.value) == f"the bridge refuses: {message}"


def test_a_refusal_without_a_sentence_is_its_status(serve: Serve) -> None:
    def refusing(peer: Peer) -> None:
        peer.read_request()
        peer.socket.sendall(b"HTTP/1.0 404 Not Found\r\n\r\n<html>")

    with pytest.raises(RelayError, match="404 Not Found"):
        WebSocket.open(serve(refusing), "/", "t")


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(RelayError, match="start the appliance: make up"):
        WebSocket.open(port, "/", "t")


def run_program(port: int | None, token_file: Path, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """As ssh runs it."""
    command = [sys.executable, "-S", "-E", relay_client.__file__]
    if port is not None:
        command += ["--port", str(port)]
    command += ["--cluster", "one", "--token-file", str(token_file), "192.168.0.3"]
    return subprocess.run(command, input=data, capture_output=True, timeout=20, check=False)


def test_the_program_is_a_pipe(serve: Serve, token_file: Path) -> None:
    """What ssh writes comes back, whole and in order, and then both sides end."""
    sent = os.urandom(1 << 20)
    requests: list[str] = []

    def echo(peer: Peer) -> None:
        requests.append(welcome(peer))
        while True:
            opcode, data = peer.receive()
            if opcode == CLOSE:
                peer.send(CLOSE, data)
                return
            peer.send(BINARY, data)

    done = run_program(serve(echo), token_file, sent)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == sent
    assert requests[0].startswith("GET /v1/clusters/one/nodes/192.168.0.3/ssh ")
    assert "Bearer secret" in requests[0]


def test_the_program_finds_the_port_beside_the_token(serve: Serve, token_file: Path) -> None:
    def hello(peer: Peer) -> None:
        welcome(peer)
        peer.send(BINARY, b"SSH-2.0")
        peer.send(CLOSE, b"")

    (token_file.parent / "bridge-port").write_text(str(serve(hello)), encoding="utf-8")
    assert run_program(None, token_file).stdout == b"SSH-2.0"


def test_the_program_says_why_it_cannot(tmp_path: Path, token_file: Path) -> None:
    missing = run_program(1, tmp_path / "missing")
    assert missing.returncode == 1
    assert missing.stderr.decode().startswith(f"ray-on-golem: cannot read the bridge's token from {tmp_path}/missing")
    down = run_program(1, token_file)
    assert down.returncode == 1
    assert b"start the appliance: make up" in down.stderr
