"""Asks the head's own door, as a program on a stranger's machine may: ``ask_door.py METHOD PATH [BODY]``.

Prints one line: the status and what was answered. METHOD may be WEBSOCKET: the handshake of one.
"""

from __future__ import annotations

import http.client
import sys
import urllib.error
import urllib.request

DOOR = "http://127.0.0.1:4578"
HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}
"""The key is the example of RFC 6455."""


def main() -> None:
    method, path, *body = sys.argv[1:]
    if method == "WEBSOCKET":
        print("door says", *shake_hands(path))
        return
    request = urllib.request.Request(DOOR + path, method=method, data="".join(body).encode() or None)
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:
            print("door says", answer.status, answer.read().decode())
    except urllib.error.HTTPError as error:
        print("door says", error.code, error.read().decode())
    except OSError as error:
        print("door is shut:", error)


def shake_hands(path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", 4578, timeout=15)
    connection.request("GET", path, headers=HANDSHAKE)
    answer = connection.getresponse()
    return answer.status, "switched" if answer.status == 101 else answer.read().decode()


if __name__ == "__main__":
    main()
