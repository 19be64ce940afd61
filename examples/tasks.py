"""Many small tasks, and where they ran. Runs unchanged on a local Ray and on a cluster.

python examples/tasks.py
ray submit golem-cluster.yaml examples/tasks.py -- --min-nodes 3
"""

from __future__ import annotations

import argparse
import collections
import socket
import sys
import time

import ray


@ray.remote(num_cpus=1)
def where(seconds: float) -> str:
    """Keep one CPU busy for a while and tell the node."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(10_000))
    return f"{socket.gethostname()} ({ray.util.get_node_ip_address()})"


def run(count: int, seconds: float, counts: collections.Counter[str]) -> None:
    """Run so many tasks and count them by node."""
    pending = [where.options(scheduling_strategy="SPREAD").remote(seconds) for _ in range(count)]
    while pending:
        done, pending = ray.wait(pending, num_returns=min(10, len(pending)), timeout=10)
        counts.update(ray.get(done))
        print(f"{counts.total():4d} tasks done on {len(counts)} node(s)", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=60, help="number of tasks")
    parser.add_argument("--seconds", type=float, default=0.5, help="how long one task computes")
    parser.add_argument("--min-nodes", type=int, default=1, help="go on with more tasks until so many nodes took part")
    parser.add_argument("--patience", type=float, default=180, help="seconds to go on for --min-nodes")
    options = parser.parse_args()

    ray.init()
    begin = time.monotonic()
    counts: collections.Counter[str] = collections.Counter()
    run(options.count, options.seconds, counts)
    while len(counts) < options.min_nodes and time.monotonic() - begin < options.patience:
        run(options.count // 2 + 1, options.seconds, counts)

    print(f"\n{counts.total()} tasks in {time.monotonic() - begin:.1f} s:")
    for node, count in counts.most_common():
        print(f"  {count:4d}  {node}")
    if len(counts) < options.min_nodes:
        print(f"only {len(counts)} node(s) took part, {options.min_nodes} were asked for", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
