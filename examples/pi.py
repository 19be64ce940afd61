"""Pi by throwing darts: the more tasks, the more digits. Runs unchanged on a local Ray and on a cluster.

python examples/pi.py
ray submit golem-cluster.yaml examples/pi.py -- --tasks 40
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import time

import ray


def hits(samples: int, seed: int) -> int:
    """How many of the points thrown into the unit square fall into the quarter circle."""
    random_source = random.Random(seed)  # noqa: S311 - no secret depends on it
    return sum(math.hypot(random_source.random(), random_source.random()) <= 1 for _ in range(samples))


def estimate(inside: int, thrown: int) -> float:
    """Pi, as the points tell it."""
    return 4 * inside / thrown


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=20, help="number of tasks")
    parser.add_argument("--samples", type=int, default=1_000_000, help="points one task throws")
    options = parser.parse_args()

    ray.init()
    begin = time.monotonic()
    task = ray.remote(num_cpus=1)(hits)
    pending = [task.remote(options.samples, seed) for seed in range(options.tasks)]
    inside = thrown = 0
    while pending:
        done, pending = ray.wait(pending, num_returns=min(5, len(pending)), timeout=10)
        inside += sum(ray.get(done))
        thrown += len(done) * options.samples
        if thrown:
            print(f"{thrown:12,d} points: pi is about {estimate(inside, thrown):.6f}", flush=True)
    print(f"\n{abs(estimate(inside, thrown) - math.pi):.6f} off, after {time.monotonic() - begin:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
