"""Measures the devnet, on one of its own that is removed afterwards.

    make bench ARGS=devnet
    PYTHONPATH=services/bridge:services/devnet .venv-test/bin/python -m tests.bench.devnet MEASUREMENT … [--runs N]

Prints medians, goals and, where it applies, how the same bytes fare over plain TCP to the same container. Exit code 1
if a goal is missed. Needs the images built (``make devnet``) and a quiet machine.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence

from appliance.devnet import SERVICES
from tests.bench.network.own import Devnet
from tests.bench.network.report import Report
from tests.bench.network.starting import memory, ssh_ready, start_up
from tests.bench.network.traffic import between, down, round_trip, two_nodes, up

MEASURES = "the devnet: start, ssh, round trip, throughput, memory"


async def run(chosen: Sequence[str], runs: int) -> int:
    """Number of goals missed."""
    devnet, report = Devnet(), Report()
    try:
        if "start" in chosen:
            await start_up(devnet, report, runs)
        await asyncio.to_thread(devnet.compose, "up", "--detach", "--wait", *SERVICES)
        if "memory" in chosen:  # before others have left something in caches
            await memory(devnet, report)
        if "ssh" in chosen:
            await ssh_ready(devnet, report, runs)
        async with two_nodes(devnet) as node:
            if "round-trip" in chosen:
                await round_trip(node, report, runs)
            if "down" in chosen:
                await down(node, report, runs)
            if "up" in chosen:
                await up(node, report, runs)
            if "between" in chosen:
                await between(node, report, runs, devnet)
    finally:
        await asyncio.to_thread(devnet.remove)
    return len(report.missed)


MEASUREMENTS = ("start", "memory", "ssh", "round-trip", "down", "up", "between")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("measurement", nargs="*", choices=[*MEASUREMENTS, []], default=[], help="default: all")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    return 1 if asyncio.run(run(options.measurement or MEASUREMENTS, options.runs)) else 0


if __name__ == "__main__":
    sys.exit(main())
