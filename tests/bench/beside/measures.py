"""What is measured on each side, always in the same way."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.bench.beside.side import BenchError, Side

WINDOW = 30
"""Seconds over which an autoscaler at rest is watched."""

SIZE = 8 * 1024 * 1024
"""Bytes of one way through the relay."""

ECHOES = 100
TRIES = 2
"""Of each transfer and round; what arrives damaged ends ssh."""

FIRST_TASK = """
import json, time, ray
ray.init(address="auto", log_to_driver=False, logging_level="ERROR")
@ray.remote(num_cpus=0, resources={"far": 1})
def task():
    return 1
begin = time.monotonic()
ray.get(task.remote())
print(json.dumps(time.monotonic() - begin))
"""
"""Only a worker has "far", and none is there yet."""

TICKS = """
import glob, json, os, sys, time
def monitors():
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            words = open(path, "rb").read().split(b"\\0")
        except OSError:
            continue
        if any(word.endswith(b"/monitor.py") for word in words):
            yield path.rpartition("/")[0]
def cpu():
    used = 0
    for folder in monitors():
        fields = open(folder + "/stat").read().rpartition(")")[2].split()
        used += int(fields[11]) + int(fields[12])
    return used / 100
def version():
    try:
        from ray.autoscaler.v2.sdk import GcsClient, GetClusterStatusReply
    except ImportError:
        return None
    reply = GetClusterStatusReply()
    reply.ParseFromString(GcsClient(sys.argv[1]).get_cluster_status(timeout_s=10))
    return reply.cluster_resource_state.cluster_resource_state_version
before, used = version(), cpu()
time.sleep(float(sys.argv[2]))
after, used = version(), cpu() - used
print(json.dumps({"ticks": after - before - 1 if after is not None else None, "cpu": used}))
"""
"""On the head: the autoscaler's processor time and ticks.

The second autoscaler asks Ray for the cluster's state once per tick, and Ray numbers its answers; its dashboard asks
now and then, too, so that a tick more in ten may be counted.
"""


@dataclass
class Figures:
    """Of one side, one value per round. Seconds, unless the name says something else."""

    up: list[float] = field(default_factory=list)
    first_task: list[float] = field(default_factory=list)
    down: list[float] = field(default_factory=list)
    calls_per_tick: list[float] = field(default_factory=list)
    ticks_per_minute: list[float] = field(default_factory=list)
    cpu_per_tick: list[float] = field(default_factory=list)
    """The autoscaler's on the head and the server's together."""
    upload: list[float] = field(default_factory=list)
    """MB/s."""
    download: list[float] = field(default_factory=list)
    """MB/s."""
    round_trip: list[float] = field(default_factory=list)
    """Milliseconds."""
    worker_gone: list[float] = field(default_factory=list)
    """From the request to end a worker until Ray hears that it is no more."""
    broken: list[str] = field(default_factory=list)
    """Transfers that failed, with the reason."""


def measure(side: Side, figures: Figures, say: Callable[[str], None]) -> None:
    """One cluster's life, from `ray up` to `ray down`. Raises BenchError; the cluster is taken down all the same."""
    try:
        figures.up.append(side.run("up", "--yes"))
        say(f"{side.name}: ray up {figures.up[-1]:.1f} s")
        figures.first_task.append(float(side.on_head(FIRST_TASK)))
        say(f"{side.name}: first task on a worker {figures.first_task[-1]:.1f} s")
        _tick(side, figures)
        say(f"{side.name}: {figures.calls_per_tick[-1]:.1f} calls per tick")
        figures.worker_gone.append(_end_worker(side))
        say(f"{side.name}: a worker is gone for Ray after {figures.worker_gone[-1]:.2f} s")
        _relay(side, figures)
        say(f"{side.name}: relay up {figures.upload}, down {figures.download} MB/s")
    finally:
        down = side.run("down", "--yes")
    figures.down.append(down)
    say(f"{side.name}: ray down {down:.1f} s")


def _tick(side: Side, figures: Figures) -> None:
    """Head and one worker, nothing to do."""
    time.sleep(10)  # what the worker's start has set going
    requests, cpu = side.server.requests(), side.server.cpu()
    watched: dict[str, Any] = side.on_head(TICKS, "192.168.0.3:6379", str(WINDOW))
    requests, cpu = side.server.requests() - requests, side.server.cpu() - cpu
    ticks = watched["ticks"] or WINDOW / 5  # the first autoscaler does not number them: one in five seconds
    figures.calls_per_tick.append(requests / ticks)
    figures.ticks_per_minute.append(ticks * 60 / WINDOW)
    figures.cpu_per_tick.append((watched["cpu"] + cpu) / ticks)


def _relay(side: Side, figures: Figures) -> None:
    content = os.urandom(SIZE)
    for _ in range(TRIES):
        for rates, command, given, expected in (
            (figures.upload, "wc -c", content, str(SIZE).encode()),
            (figures.download, f"head -c {SIZE} /dev/urandom", b"", None),
        ):
            begin = time.monotonic()
            try:
                done = subprocess.run(side.ssh(command), input=given, capture_output=True, timeout=120, check=False)
            except subprocess.TimeoutExpired:
                figures.broken.append(f"{command}: not done in 120 s")
                continue
            seconds = time.monotonic() - begin
            whole = done.stdout.strip() == expected if expected is not None else len(done.stdout) == SIZE
            if done.returncode == 0 and whole:
                rates.append(SIZE / 1e6 / seconds)
            else:
                figures.broken.append(f"{command}: {done.stderr.decode(errors='replace').strip()[-200:]}")
    figures.round_trip.append(1000 * _echo(side))


def _end_worker(side: Side) -> float:
    """By the routes that both sides serve."""
    workers = {"cluster_name": side.cluster, "tags": {"ray-node-type": "worker"}}
    worker, *_ = side.ask("/non_terminated_nodes", **workers)["nodes_ids"] or [None]
    if worker is None:
        raise BenchError(f"{side.name}: there is no worker to end")
    begin = time.monotonic()
    side.ask("/terminate", cluster_name=side.cluster, node_id=worker)
    while worker in side.ask("/non_terminated_nodes", **workers)["nodes_ids"]:
        time.sleep(0.02)
    return time.monotonic() - begin


def _echo(side: Side) -> float:
    """Median of single bytes there and back through an open session."""
    with subprocess.Popen(side.ssh("cat"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as session:
        assert session.stdin is not None
        assert session.stdout is not None
        times = []
        for _ in range(ECHOES + 1):
            begin = time.monotonic()
            session.stdin.write(b"x")
            if session.stdout.read(1) != b"x":
                raise BenchError(f"{side.name}: the session broke")
            times.append(time.monotonic() - begin)
        session.stdin.close()
    return statistics.median(times[1:])  # the first one waits for the log-in
