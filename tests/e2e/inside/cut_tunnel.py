"""Kills the sshd session through which the head reaches the bridge."""

from __future__ import annotations

import os
import signal
from pathlib import Path

PORT = 4578
LISTENS = "0A"


def main() -> None:
    rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    sockets = {f"socket:[{row[9]}]" for row in rows if row[1].endswith(f":{PORT:04X}") and row[3] == LISTENS}
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    owners = [pid for pid in pids if sockets & set(open_files(pid))]
    assert owners, f"nobody listens on port {PORT}"
    for pid in owners:
        os.kill(pid, signal.SIGKILL)


def open_files(pid: int) -> list[str]:
    try:
        return [str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:  # it has ended meanwhile
        return []


if __name__ == "__main__":
    main()
