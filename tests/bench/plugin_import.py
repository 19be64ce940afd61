"""What importing the plug-in costs beyond Ray: python tests/bench/plugin_import.py (goal: below 0.1 s)."""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path

MEASURES = "what importing the plug-in costs beyond Ray"

PLUGIN = Path(__file__).parents[2] / "services" / "ray_plugin"
RUNS = 5
GOAL = 0.1
"""Seconds."""

PROGRAM = """
import sys, time
sys.path.insert(0, {plugin!r})
start = time.perf_counter()
import ray.autoscaler._private.commands, ray.autoscaler.node_provider
middle = time.perf_counter()
import ray_on_golem.provider.node_provider
print(middle - start, time.perf_counter() - middle)
"""


def main() -> int:
    """Exit code 1 if the goal is missed."""
    runs = [measure() for _ in range(RUNS)]
    ray, plugin = (statistics.median(times) for times in zip(*runs, strict=True))
    print(f"import of Ray's launcher {ray:.3f} s, of the plug-in {plugin:.3f} s more (goal {GOAL} s)")
    print(f"ratio plug-in / Ray: {plugin / ray:.3f}")
    return 0 if plugin < GOAL else 1


def measure() -> tuple[float, float]:
    """Seconds for Ray, as one of its commands imports it, and for the plug-in on top; in a fresh process."""
    command = [sys.executable, "-c", PROGRAM.format(plugin=str(PLUGIN))]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    ray, plugin = done.stdout.split()[-2:]
    return float(ray), float(plugin)


if __name__ == "__main__":
    sys.exit(main())
