"""The demo, step by step. Leaves the appliance running and says how to stop it."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from demo import bridge
from demo.paths import CLUSTER_FILE, EXAMPLE, ROOT, TOKEN, VENV
from demo.settings import Ports, cluster_name, profiles, read_ports
from demo.steps import Background, StepError, Steps

NODES = 3
"""The example's tasks must have run on that many nodes."""

SETTLE_PATIENCE = 120.0
"""Seconds until every invoice must be paid."""

WEI = 10**18

RAY_STYLE = ("--log-style", "pretty", "--log-color", "false")


def main() -> int:
    """Exit code 0 if everything went as promised."""
    steps = Steps()
    try:
        _demo(steps)
    except StepError as error:
        steps.say(f"\nThe demo failed: {error}")
        return 1
    return 0


def _demo(steps: Steps) -> None:
    with steps.step("Docker engine"):
        steps.run([ROOT / "docker" / "engine" / "engine.sh"], log="engine")
    host = Background("Host tools", [ROOT / "demo" / "host-venv.sh"], log="host-venv")
    with steps.step("Base images"):
        steps.run([ROOT / "docker" / "engine" / "base-images.sh"], log="base-images")
    ports, env = read_ports(), {**os.environ, "COMPOSE_PROFILES": profiles()}
    with steps.step("Images of the appliance"):
        steps.run(["docker", "compose", "build"], log="build", env=env)
    with steps.step("Appliance up"):
        steps.run(["docker", "compose", "up", "-d", "--wait", "--remove-orphans"], log="up", env=env)
    with steps.step("Host tools: Ray and the plug-in (.venv)"):
        host.finish(steps)
    begin = time.time()
    try:
        _run_job(steps)
    finally:
        with steps.step("ray down"):
            steps.run([VENV / "bin" / "ray", "down", CLUSTER_FILE, "--yes", *RAY_STYLE], log="ray-down", env=_ray_env())
    with steps.step("Settlement and bill"):
        _settle(steps, ports)
    with steps.step("Prometheus"):
        _show_metrics(steps, ports, begin)
    steps.say("\n== Times\n" + steps.table())
    _where_to_look(steps, ports)


def _run_job(steps: Steps) -> None:
    with steps.step("ray up"):
        steps.run([VENV / "bin" / "ray", "up", CLUSTER_FILE, "--yes", *RAY_STYLE], log="ray-up", env=_ray_env())
    with steps.step("ray submit examples/tasks.py"):
        command: list[str | Path] = [VENV / "bin" / "ray", "submit", *RAY_STYLE, CLUSTER_FILE, EXAMPLE]
        command += ["--", "--min-nodes", str(NODES)]
        steps.run(command, log="ray-submit", env=_ray_env())


def _settle(steps: Steps, ports: Ports) -> None:
    """Wait until all is paid, print the bill, and hold it against the chain."""
    deadline = time.monotonic() + SETTLE_PATIENCE
    name = cluster_name(CLUSTER_FILE)
    while not ((bill := bridge.bill(ports.bridge, name)).settled and bill.state == "closed"):
        if time.monotonic() > deadline:
            raise StepError(f"the cluster is {bill.state}, settled: {bill.settled}, after {SETTLE_PATIENCE:.0f} s")
        time.sleep(0.5)
    steps.say(f"   {'node':<28} {'provider':<14} {'seconds':>8} {'GLM':>24}")
    for line in bill.lines:
        steps.say(f"   {line.node_id:<28} {line.provider_name:<14} {line.seconds:>8.0f} {line.paid:>24.18f}")
    steps.say(f"   {'total':<28} {'':<14} {'':>8} {bill.total_paid:>24.18f}")
    _check_chain(steps, ports, bill)
    _check_nothing_open(steps)


def _check_chain(steps: Steps, ports: Ports, bill: bridge.Bill) -> None:
    """Compare, to the wei, with the token transfers of the transactions the bill names."""
    command = ["docker", "compose", "exec", "-T", "chain", "python3", "-m", "golem_devnet.chain", "transfers"]
    output = steps.run([*command, "--from", bridge.wallet(ports.bridge)], log="transfers")
    hashes = {transaction for line in bill.lines for transaction in line.transactions}
    moved = sum(int(item["value"]) for item in json.loads(output) if item["tx"] in hashes)
    billed = int(bill.total_paid * WEI)
    if moved != billed or bill.total_accepted != bill.total_paid:
        raise StepError(f"the bill says {billed} wei, {moved} wei moved on the chain")
    steps.say(f"   The chain moved {moved} wei from the wallet to the providers: equal to the bill.")


def _check_nothing_open(steps: Steps) -> None:
    output = steps.run(
        ["docker", "compose", "exec", "-T", "bridge", "/opt/venv/bin/python", "-m", "golem_bridge.audit"], log="audit"
    )
    found = json.loads(output)
    if any(found.values()):
        raise StepError(f"something is still open at yagna: {found}")
    steps.say("   Nothing is open: no agreement, no activity, no allocation.")


def _show_metrics(steps: Steps, ports: Ports, begin: float) -> None:
    """Node counts must have risen and fallen, and the spend must be there."""
    name = cluster_name(CLUSTER_FILE)
    time.sleep(6)  # one scrape after the last change
    span = {"start": begin, "end": time.time(), "step": 5.0}
    nodes = bridge.prometheus(ports.prometheus, f'sum(rayongolem_nodes{{cluster="{name}",state="running"}})', **span)
    spend = bridge.prometheus(ports.prometheus, f'sum(rayongolem_spend_glm_total{{cluster="{name}"}})', **span)
    counts = [int(float(value)) for _, value in nodes[0]["values"]] if nodes else []
    amounts = [float(value) for _, value in spend[0]["values"]] if spend else []
    steps.say(f"   running nodes: {' '.join(map(str, counts))}")
    steps.say(f"   GLM spent: {' '.join(f'{amount:.4f}' for amount in amounts[:: max(1, len(amounts) // 8)])}")
    if not counts or max(counts) < NODES or counts[-1] != 0:
        raise StepError(f"Prometheus does not show nodes rising to {NODES} and falling to 0: {counts}")
    if not amounts or amounts[-1] <= amounts[0]:
        raise StepError(f"Prometheus does not show spending: {amounts}")


def _where_to_look(steps: Steps, ports: Ports) -> None:
    grafana = (
        f"http://127.0.0.1:{ports.grafana}" if "grafana" in profiles() else "left out (its image cannot be had here)"
    )
    steps.say(
        "\n== The appliance goes on running\n"
        f"   Grafana       {grafana}\n"
        f"   Prometheus    http://127.0.0.1:{ports.prometheus}\n"
        f"   your cluster  . {(VENV / 'bin' / 'activate').relative_to(ROOT)} && ray up golem-cluster.yaml\n"
        "   stop it       make down"
    )


def _ray_env() -> dict[str, str]:
    """Ray and its helpers are found in the virtual environment."""
    path = f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, "PATH": path, "RAY_ON_GOLEM_TOKEN_FILE": str(TOKEN), "PYTHONUNBUFFERED": "1"}


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    sys.exit(main())
