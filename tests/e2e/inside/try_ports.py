"""Which of the addresses given as ``IP:PORT`` can be connected to."""

from __future__ import annotations

import socket
import sys


def main() -> None:
    for address in sys.argv[1:]:
        ip, _, port = address.partition(":")
        try:
            socket.create_connection((ip, int(port)), 3).close()
        except OSError:
            print("shut:", address)
        else:
            print("open:", address)


if __name__ == "__main__":
    main()
