"""Asks the head's own door, as a program on a stranger's machine may: ``ask_door.py METHOD PATH [BODY]``.

Prints one line: the status and what was answered.
"""

from __future__ import annotations

import sys
import urllib.error
import urllib.request

DOOR = "http://127.0.0.1:4578"


def main() -> None:
    method, path, *body = sys.argv[1:]
    request = urllib.request.Request(DOOR + path, method=method, data="".join(body).encode() or None)
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:
            print("door says", answer.status, answer.read().decode())
    except urllib.error.HTTPError as error:
        print("door says", error.code, error.read().decode())
    except OSError as error:
        print("door is shut:", error)


if __name__ == "__main__":
    main()
