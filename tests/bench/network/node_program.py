"""Runs in a node, and beside it for comparison: a far end that costs as little as Python can. Standard library only.

``HOST`` is where it listens. Port 7001 echoes; 7002 gives as many bytes as a line asks for; 7003 takes as many bytes as
a line before them announces, and says so.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable

ECHOES, GIVES, TAKES = 7001, 7002, 7003
BLOCK = 1024 * 1024


def echo(peer: socket.socket) -> None:
    while data := peer.recv(BLOCK):
        peer.sendall(data)


def give(peer: socket.socket) -> None:
    left, block = int(peer.makefile("rb").readline()), os.urandom(BLOCK)
    while left > 0:
        peer.sendall(block[:left])
        left -= BLOCK
    peer.settimeout(20)
    peer.recv(1)


def take(peer: socket.socket) -> None:
    line, _, first = peer.recv(BLOCK).partition(b"\n")
    left, place = int(line) - len(first), bytearray(BLOCK)
    while left > 0 and (got := peer.recv_into(place)):
        left -= got
    peer.sendall(b"%d\n" % (int(line) - left))


def serve(host: str, port: int, work: Callable[[socket.socket], None]) -> None:
    server = socket.create_server((host, port), backlog=64)
    while True:
        peer = server.accept()[0]
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=attend, args=(peer, work)).start()


def attend(peer: socket.socket, work: Callable[[socket.socket], None]) -> None:
    with peer:
        try:
            work(peer)
        except OSError:  # the other end has what it wanted
            return


if __name__ == "__main__":
    host = sys.argv[1] if sys.argv[1:] else ""
    for where, what in ((ECHOES, echo), (GIVES, give)):
        threading.Thread(target=serve, args=(host, where, what)).start()
    serve(host, TAKES, take)
