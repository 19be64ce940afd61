"""``make demo``: the whole appliance at work, from an empty machine to the bill. Leaves the appliance running."""

from __future__ import annotations

import os
import time
from pathlib import Path

from appliance.bridge import Bridge, prometheus
from appliance.console import console_url
from appliance.paths import CLUSTER_FILE, EXAMPLE, ROOT, VENV
from appliance.rented import listed
from appliance.settings import Settings, cluster_name
from appliance.settlement import check_chain, check_nothing_open, open_at_yagna, wait_for_settlement
from appliance.setup import bring_up
from appliance.steps import StepError, Steps

NODES = 3
"""The example's tasks must have run on that many nodes."""

SCRAPE_WAIT = 6.0
"""Seconds until Prometheus has surely scraped once more."""

RAY_STYLE = ("--log-style", "pretty", "--log-color", "false")


def run_demo(steps: Steps, settings: Settings) -> None:
    """Raises StepError if anything is not as promised."""
    if settings.network != "devnet":
        raise StepError(
            f"The demo runs on the devnet only, GOLEM_NETWORK is {settings.network} — here is how to start a cluster "
            "there: make up, then ray up golem-cluster.yaml"
        )
    bring_up(steps, settings)
    bridge = Bridge(settings)
    refuse_to_join(bridge, cluster_name(CLUSTER_FILE))
    before = open_at_yagna(steps)
    begin = time.time()
    try:
        _run_job(steps, settings)
    finally:
        with steps.step("ray down"):
            _tool(steps, settings, "ray", "down", *RAY_STYLE, CLUSTER_FILE, "--yes", log="ray-down")
    with steps.step("Settlement and bill"):
        bill = wait_for_settlement(steps, bridge, cluster_name(CLUSTER_FILE))
        check_chain(steps, bridge.wallet(), bill)
        check_nothing_open(steps, before=before)
    with steps.step("Prometheus"):
        _show_metrics(steps, settings, begin)
    steps.say("\n== Times\n" + steps.table())
    steps.say(
        "\n== The appliance goes on running\n"
        f"{_places(settings)}\n"
        f"   your cluster  . {_activate()} && ray up {CLUSTER_FILE.name}\n"
        "   stop it       make down"
    )


def refuse_to_join(bridge: Bridge, cluster: str) -> None:
    """Raises StepError if the cluster runs: the demo would take down what the user has started."""
    nodes = [node for node in bridge.live_nodes() if node.cluster == cluster and node.state != "terminating"]
    if nodes:
        raise StepError(
            f"Your cluster {cluster} runs, which the demo would take down at its end — {len(nodes)} node(s):\n"
            f"{listed(nodes)}\nEnd them first: . {_activate()} && ray down {CLUSTER_FILE.name}, then make demo"
        )


def _run_job(steps: Steps, settings: Settings) -> None:
    with steps.step(f"ray up {CLUSTER_FILE.name}"):
        _tool(steps, settings, "ray", "up", *RAY_STYLE, CLUSTER_FILE, "--yes", log="ray-up")
    with steps.step(f"ray submit {EXAMPLE.relative_to(ROOT)}: more tasks than one node can do, so workers are rented"):
        app = (EXAMPLE, "--", "--min-nodes", str(NODES))
        _tool(steps, settings, "ray", "submit", *RAY_STYLE, CLUSTER_FILE, *app, log="ray-submit")
    with steps.step("What it has cost so far, and where to look at it"):
        _tool(steps, settings, "ray-on-golem", "status", log="status")
        steps.say(_places(settings))


def _tool(steps: Steps, settings: Settings, tool: str, *arguments: str | Path, log: str) -> None:
    """A program of the virtual environment, which finds its helpers there."""
    path = f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    env = {
        **os.environ,
        "PATH": path,
        "RAY_ON_GOLEM_TOKEN_FILE": str(settings.token_file),
        "PYTHONUNBUFFERED": "1",
    }
    steps.run([VENV / "bin" / tool, *arguments], log=log, env=env, show=_progress)


def _activate() -> Path:
    return (VENV / "bin" / "activate").relative_to(ROOT)


def _progress(line: str) -> str | None:
    """Without empty lines, and without what Ray says of fields it itself has added to the file."""
    return None if not line.strip() or "Dropping the empty legacy field" in line else line.rstrip()


def _show_metrics(steps: Steps, settings: Settings, begin: float) -> None:
    """Node counts must have risen and fallen, and the spend must be there."""
    name = cluster_name(CLUSTER_FILE)
    time.sleep(SCRAPE_WAIT)
    span = {"start": begin, "end": time.time(), "step": 5.0}
    nodes = prometheus(settings, f'sum(rayongolem_nodes{{cluster="{name}",state="running"}})', **span)
    spend = prometheus(settings, f'sum(rayongolem_spend_glm_total{{cluster="{name}"}})', **span)
    counts = [int(float(value)) for _, value in nodes[0]["values"]] if nodes else []
    amounts = [float(value) for _, value in spend[0]["values"]] if spend else []
    steps.say(f"   running nodes: {' '.join(map(str, counts))}")
    steps.say(f"   GLM spent: {' '.join(f'{amount:.4f}' for amount in amounts[:: max(1, len(amounts) // 8)])}")
    if not counts or max(counts) < NODES or counts[-1] != 0:
        raise StepError(f"Prometheus does not show nodes rising to {NODES} and falling to 0: {counts}")
    if not amounts or amounts[-1] <= amounts[0]:
        raise StepError(f"Prometheus does not show spending: {amounts}")


def _places(settings: Settings) -> str:
    """Where to look, one place a line."""
    ports = settings.ports
    has_grafana = "grafana" in settings.profiles
    grafana = f"http://127.0.0.1:{ports.grafana}" if has_grafana else "left out (its image cannot be had here)"
    return (
        f"   Console       {console_url(settings)}  (make console prints a link that lets you in)\n"
        f"   Grafana       {grafana}\n"
        f"   Prometheus    http://127.0.0.1:{ports.prometheus}\n"
        f"   Ray dashboard while a cluster runs: ray dashboard {CLUSTER_FILE.name}, then http://127.0.0.1:8265"
    )
