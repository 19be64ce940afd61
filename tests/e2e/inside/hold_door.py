"""Opens connections to the head's own door and says nothing: ``hold_door.py COUNT SECONDS``.

Prints how many of them the other side had closed at once, and how many were open after the seconds.
"""

from __future__ import annotations

import socket
import sys
import time

DOOR = ("127.0.0.1", 4578)

AT_ONCE = 5.0
"""Seconds in which those that are refused are."""


def main() -> None:
    count, seconds = int(sys.argv[1]), float(sys.argv[2])
    connections = [socket.create_connection(DOOR, 15) for _ in range(count)]
    time.sleep(AT_ONCE)
    refused = [connection for connection in connections if is_closed(connection)]
    print("refused at once:", len(refused), flush=True)
    time.sleep(seconds)
    print("open after a while:", sum(not is_closed(connection) for connection in connections))


def is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


if __name__ == "__main__":
    main()
