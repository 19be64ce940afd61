"""Runs in a node: gives and takes bytes that both ends can make from a seed. Standard library only.

Port 7001, on all addresses: a line ``seed size`` comes, so many bytes go back. Port 7002, on the loopback, where the
relay's node end connects: bytes come until their end, then a line ``count sha256`` goes back.
"""

from __future__ import annotations

import hashlib
import random
import socket
import threading
from collections.abc import Callable

GIVES, TAKES = 7001, 7002


def give(peer: socket.socket) -> None:
    seed, size = peer.makefile("rb").readline().split()
    peer.sendall(random.Random(int(seed)).randbytes(int(size)))
    peer.shutdown(socket.SHUT_WR)
    peer.settimeout(20)
    peer.recv(1)


def take(peer: socket.socket) -> None:
    digest, count = hashlib.sha256(), 0
    while data := peer.recv(65536):
        digest.update(data)
        count += len(data)
    peer.sendall(f"{count} {digest.hexdigest()}\n".encode())


def serve(host: str, port: int, work: Callable[[socket.socket], None]) -> None:
    server = socket.create_server((host, port), backlog=128)
    while True:
        peer = server.accept()[0]
        threading.Thread(target=attend, args=(peer, work)).start()


def attend(peer: socket.socket, work: Callable[[socket.socket], None]) -> None:
    with peer:
        try:
            work(peer)
        except OSError:  # the other end left; it says what it missed
            return


if __name__ == "__main__":
    threading.Thread(target=serve, args=("", GIVES, give)).start()
    serve("127.0.0.1", TAKES, take)
