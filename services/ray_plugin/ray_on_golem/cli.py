"""``ray-on-golem``: what runs, what it costs, and how to stop it — also when Ray is gone."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ray_on_golem import __version__
from ray_on_golem.bridge import Bridge
from ray_on_golem.errors import RayOnGolemError
from ray_on_golem.place import find_place

OPEN = "active"
"""State of a cluster that can be stopped."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code."""
    try:
        return _run(_parser().parse_args(arguments))
    except RayOnGolemError as error:
        print(error.message, file=sys.stderr)
    except KeyError as error:
        print(
            f"The bridge's answer holds no {error} — plug-in {__version__} and bridge differ — "
            "install the plug-in of this appliance's folder",
            file=sys.stderr,
        )
    except BrokenPipeError:
        # whoever read the output has seen enough; nothing more may be written at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print("Interrupted", file=sys.stderr)
    return 1


def _run(options: argparse.Namespace) -> int:
    if options.command == "version":
        print(f"ray-on-golem {__version__}")
        return 0
    bridge = Bridge(find_place({"webserver_port": options.port}))
    if options.command == "status":
        return _status(bridge, everything=options.all)
    if options.command == "bill":
        return _bill(bridge, options.cluster)
    return _stop(bridge, options.cluster, everything=options.all)


def _status(bridge: Bridge, *, everything: bool) -> int:
    answer = bridge.clusters()
    clusters = answer["clusters"]
    shown = [cluster for cluster in clusters if everything or cluster["state"] != "closed"]
    if not shown:
        more = f" ({len(clusters)} closed: ray-on-golem status --all)" if clusters else ""
        print(f"No cluster is open{more} — start one: ray up golem-cluster.yaml")
    for cluster in shown:
        print(
            f"{cluster['name']}  {cluster['state']} on {cluster['network']}  budget {cluster['budget']} GLM, "
            f"in use {cluster['committed']}, accepted {cluster['accepted']}, paid {cluster['paid']}"
        )
        rows = [_node_row(node) for node in cluster["nodes"] if node["state"] != "terminated"]
        _table(["node", "state", "provider", "age", "GLM/h", "spent", "message"], rows)
    waiting = {cluster["name"] for cluster in clusters if cluster["state"] == "closing"}
    for name in answer["closing"]:
        if name not in waiting:
            print(f"An earlier {name} still waits for invoices or payments: a quarter of an hour at most")
    return 0


def _node_row(node: Mapping[str, Any]) -> list[str]:
    return [
        node["node_id"],
        node["state"],
        node["provider_name"] or "-",
        _duration(time.time() - node["created_at"]),
        node["price_per_hour"] or "-",
        node["spent"],
        node["message"],
    ]


def _bill(bridge: Bridge, name: str) -> int:
    bill = bridge.bill(name)
    rows = [
        [line["node_id"], line["provider_name"], _duration(line["seconds"]), line["accepted"], line["paid"]]
        for line in bill["lines"]
    ]
    rows.append(["total", "", "", bill["total_accepted"], bill["total_paid"]])
    _table(["node", "provider", "time", "accepted GLM", "paid GLM"], rows)
    print("all is paid" if bill["settled"] else f"not settled yet, the cluster is {bill['state']}")
    earlier = bill["earlier"]
    if earlier["incarnations"]:
        print(
            f"before, {name} was up {earlier['incarnations']} time(s): "
            f"{earlier['accepted']} GLM accepted, {earlier['paid']} paid"
        )
    return 0


def _stop(bridge: Bridge, name: str | None, *, everything: bool) -> int:
    """Needs neither Ray nor money: the bridge ends the nodes and owes what they cost."""
    if (name is None) == (not everything):
        print("Name one cluster, or --all — see: ray-on-golem status", file=sys.stderr)
        return 2
    if name is not None:
        print(f"{name}: {bridge.close_cluster(name)['state']}")
        return 0
    names = [cluster["name"] for cluster in bridge.clusters()["clusters"] if cluster["state"] == OPEN]
    if not names:
        print("No cluster is open")
    failures = 0
    for each in names:
        try:
            print(f"{each}: {bridge.close_cluster(each)['state']}")
        except RayOnGolemError as error:
            failures += 1
            print(f"{each}: {error.message}", file=sys.stderr)
    return 1 if failures else 0


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if not rows:
        return
    widths = [max(len(str(row[column])) for row in [header, *rows]) for column in range(len(header))]
    for row in [header, *rows]:
        print("  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths)).rstrip())


def _duration(seconds: float) -> str:
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}m" if hours else f"{minutes}m{rest:02d}s"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ray-on-golem", description=__doc__)
    parser.add_argument("--port", type=int, default=None, help="the bridge's port (4578)")
    commands = parser.add_subparsers(dest="command", required=True)
    status = commands.add_parser("status", help="clusters and their nodes")
    status.add_argument("--all", action="store_true", help="closed clusters, too")
    bill = commands.add_parser("bill", help="what a cluster cost")
    bill.add_argument("cluster")
    stop = commands.add_parser("stop", help="end a cluster's nodes, pay, give the rest of its budget back")
    stop.add_argument("cluster", nargs="?")
    stop.add_argument("--all", action="store_true")
    commands.add_parser("version")
    return parser


if __name__ == "__main__":
    sys.exit(main())
