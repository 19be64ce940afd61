"""What an activity has used: seconds since its beginning and CPU seconds of all its processes."""

from __future__ import annotations

import os
import time
from pathlib import Path

from golem_devnet.sandbox.node import namespace_processes

TICKS = os.sysconf("SC_CLK_TCK")


class UsageMeter:
    """Counters that never run backwards and stand still after :meth:`stop`."""

    def __init__(self) -> None:
        self._begin = time.monotonic()
        self._end: float | None = None
        self._cpu = 0.0

    def read(self, pid: int | None) -> list[float]:
        """[duration, cpu] in seconds, in the order of the offer's usage vector."""
        if self._end is None and pid is not None:
            self._cpu = max(self._cpu, cpu_seconds(pid))
        return [round((self._end or time.monotonic()) - self._begin, 3), round(self._cpu, 3)]

    def stop(self, pid: int | None) -> None:
        """The activity ends now."""
        if self._end is None:
            self.read(pid)
            self._end = time.monotonic()


def cpu_seconds(pid: int) -> float:
    """User and system time of all processes of a node, those that ended included (their parents carry it)."""
    return sum(_ticks(process) for process in namespace_processes(pid)) / TICKS


def _ticks(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0  # ended meanwhile; its parent carries its time
    fields = stat.rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15])  # utime, stime, cutime, cstime
