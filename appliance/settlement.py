"""After a cluster's end: all is paid, the bill is the chain's, nothing is left open."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping

from appliance.bridge import Bill, Bridge
from appliance.steps import StepError, Steps

PATIENCE = 120.0
"""Seconds until every invoice must be paid."""

WEI = 10**18


def wait_for_settlement(steps: Steps, bridge: Bridge, cluster: str) -> Bill:
    """The bill, printed, once everything is paid and the cluster is closed. Raises StepError when that takes long."""
    deadline = time.monotonic() + PATIENCE
    while not ((bill := bridge.bill(cluster)).settled and bill.state == "closed"):
        if time.monotonic() > deadline:
            raise StepError(f"cluster {cluster} is {bill.state}, settled: {bill.settled}, after {PATIENCE:.0f} s")
        time.sleep(0.5)
    steps.say(f"   {'node':<28} {'provider':<14} {'seconds':>8} {'GLM':>24}")
    for line in bill.lines:
        steps.say(f"   {line.node_id:<28} {line.provider_name:<14} {line.seconds:>8.0f} {line.paid:>24.18f}")
    steps.say(f"   {'total':<28} {'':<14} {'':>8} {bill.total_paid:>24.18f}")
    return bill


def check_chain(steps: Steps, wallet: str, bill: Bill) -> None:
    """Compare, to the wei, with the token transfers of the transactions the bill names."""
    command = ["docker", "compose", "exec", "-T", "chain", "python3", "-m", "golem_devnet.chain", "transfers"]
    transfers = json.loads(steps.ask([*command, "--from", wallet]))
    hashes = {transaction for line in bill.lines for transaction in line.transactions}
    moved = sum(int(item["value"]) for item in transfers if item["tx"] in hashes)
    billed = int(bill.total_paid * WEI)
    if moved != billed or bill.total_accepted != bill.total_paid:
        raise StepError(f"the bill says {billed} wei, {moved} wei moved on the chain")
    steps.say(f"   The chain moved {moved} wei from the wallet to the providers: equal to the bill.")


def open_at_yagna(steps: Steps) -> dict[str, list[str]]:
    """Ids of live agreements, activities and allocations, as yagna itself tells."""
    command = ["docker", "compose", "exec", "-T", "bridge", "/opt/venv/bin/python", "-m", "golem_bridge.audit"]
    return dict(json.loads(steps.ask(command)))


def check_nothing_open(steps: Steps, *, before: Mapping[str, Collection[str]] | None = None) -> None:
    """Nothing lives at yagna but what did ``before``: an earlier cluster may wait for its bills. Raises StepError."""
    found = {kind: {*ids} - {*(before or {}).get(kind, ())} for kind, ids in open_at_yagna(steps).items()}
    if any(found.values()):
        raise StepError(f"something is still open at yagna: {found}")
    if any((before or {}).values()):
        steps.say("   Nothing is open that was not before: an earlier cluster waits for its bills.")
    else:
        steps.say("   Nothing is open: no agreement, no activity, no allocation.")
