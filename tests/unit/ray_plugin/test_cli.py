"""``ray-on-golem``."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import ray_on_golem
from ray_on_golem import cli
from tests.unit.ray_plugin.bridge_server import Answer, BridgeServer
from tests.unit.ray_plugin.fake_bridge import node_view

PACKAGE = Path(ray_on_golem.__file__).parent


def cluster(name: str, state: str = "active", **fields: object) -> dict[str, Any]:
    amounts = {"budget": "5", "committed": "0.25", "accepted": "0.1", "paid": "0.05"}
    return {"name": name, "state": state, "network": "devnet", **amounts, "nodes": [], **fields}


def listed(*clusters: dict[str, Any], closing: Sequence[str] = ()) -> Answer:
    return Answer.json({"clusters": clusters, "closing": closing, "ending": {}})


def test_status(server: BridgeServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 4000.0)
    nodes = [
        node_view("one-1-head-0001", created_at=100.0, spent="0.002"),
        node_view("one-1-worker-0002", "negotiating", provider_name=None, price_per_hour=None, created_at=3990.0),
        node_view("one-1-worker-0003", "terminated"),
    ]
    server.answers.append(listed(cluster("one", nodes=nodes), cluster("two", "closed")))
    assert cli.main(["status"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "one  active on devnet  budget 5 GLM, in use 0.25, accepted 0.1, paid 0.05",
        "  node               state        provider  age    GLM/h  spent  message",
        "  one-1-head-0001    running      alder     1h05m  0.018  0.002  Running on alder",
        "  one-1-worker-0002  negotiating  -         0m10s  -      0      Negotiating on alder",
    ]


def test_status_of_nothing(server: BridgeServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.answers += [listed(), listed(cluster("two", "closed"))]
    assert (cli.main(["status"]), cli.main(["status"])) == (0, 0)
    assert capsys.readouterr().out.splitlines() == [
        "No cluster is open — start one: ray up golem-cluster.yaml",
        "No cluster is open (1 closed: ray-on-golem status --all) — start one: ray up golem-cluster.yaml",
    ]


def test_status_of_closed_clusters(server: BridgeServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.answers.append(listed(cluster("two", "closed")))
    assert cli.main(["status", "--all"]) == 0
    assert capsys.readouterr().out.startswith("two  closed on devnet")


def test_an_earlier_cluster_of_the_name_that_waits_is_told(
    server: BridgeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answers.append(listed(cluster("one", "closed"), cluster("two", "closing"), closing=["one", "two"]))
    assert cli.main(["status"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "two  closing on devnet  budget 5 GLM, in use 0.25, accepted 0.1, paid 0.05",
        "An earlier one still waits for invoices or payments: a quarter of an hour at most",
    ]


def test_a_bill(server: BridgeServer, capsys: pytest.CaptureFixture[str]) -> None:
    line = {"node_id": "n1", "provider_name": "alder", "seconds": 61.5, "accepted": "0.1", "paid": "0"}
    bill = {"lines": [line], "total_accepted": "0.1", "total_paid": "0", "settled": False, "state": "closing"}
    first = {"incarnations": 0, "accepted": "0", "paid": "0"}
    server.answers.append(Answer.json({**bill, "earlier": first}))
    assert cli.main(["bill", "one"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "  node   provider  time   accepted GLM  paid GLM",
        "  n1     alder     1m01s  0.1           0",
        "  total                   0.1           0",
        "not settled yet, the cluster is closing",
    ]
    assert server.asked[0].path == "/v1/clusters/one/bill"


def test_a_bill_tells_what_the_name_cost_before(server: BridgeServer, capsys: pytest.CaptureFixture[str]) -> None:
    bill = {"lines": [], "total_accepted": "0", "total_paid": "0", "settled": True, "state": "active"}
    earlier = {"incarnations": 2, "accepted": "0.3", "paid": "0.2"}
    server.answers.append(Answer.json({**bill, "earlier": earlier}))
    assert cli.main(["bill", "one"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "before, one was up 2 time(s): 0.3 GLM accepted, 0.2 paid"


def test_stop_one(server: BridgeServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.answers.append(Answer.json(cluster("one", "closing")))
    assert cli.main(["stop", "one"]) == 0
    assert capsys.readouterr().out == "one: closing\n"
    assert [(asked.method, asked.path) for asked in server.asked] == [("POST", "/v1/clusters/one/close")]


def test_stop_all_goes_on_after_a_failure(server: BridgeServer, capsys: pytest.CaptureFixture[str]) -> None:
    clusters = [cluster("one"), cluster("old", "closed"), cluster("two")]
    server.answers += [
        Answer.json({"clusters": clusters}),
        Answer.error(503, "yagna_unavailable", "yagna is away"),
        Answer.json(cluster("two", "closing")),
    ]
    assert cli.main(["stop", "--all"]) == 1
    out, err = capsys.readouterr()
    assert (out, err) == ("two: closing\n", "one: yagna is away\n")


def test_stop_all_of_nothing(server: BridgeServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.answers.append(Answer.json({"clusters": [cluster("old", "closed")]}))
    assert cli.main(["stop", "--all"]) == 0
    assert capsys.readouterr().out == "No cluster is open\n"


@pytest.mark.parametrize("arguments", [["stop"], ["stop", "one", "--all"]])
def test_stop_wants_one_or_all(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 2
    assert "Name one cluster, or --all" in capsys.readouterr().err


def test_a_refusal_is_one_sentence(server: BridgeServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.answers.append(Answer.error(404, "unknown_cluster", "No cluster 'x' — known: one"))
    assert cli.main(["stop", "x"]) == 1
    assert capsys.readouterr() == ("", "No cluster 'x' — known: one\n")


def test_an_answer_of_another_version_is_one_sentence(server: BridgeServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.answers.append(Answer.json({"clusters": [{"name": "one", "state": "active"}]}))
    assert cli.main(["status"]) == 1
    assert "The bridge's answer holds no 'network'" in capsys.readouterr().err


def test_a_bridge_that_is_down(token_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (token_file.parent / "bridge-port").write_text("1", encoding="utf-8")
    assert cli.main(["status"]) == 1
    assert "start the appliance: make up" in capsys.readouterr().err


def test_another_port(server: BridgeServer, token_file: Path) -> None:
    (token_file.parent / "bridge-port").write_text("1", encoding="utf-8")
    server.answers.append(listed())
    assert cli.main(["--port", str(server.port), "status"]) == 0


def test_without_ray_or_anything_else_installed(server: BridgeServer) -> None:
    """-S: the standard library and nothing more, as after Ray's venv is gone."""
    server.answers.append(Answer.json(cluster("one", "closing")))
    command = [sys.executable, "-S", "-m", "ray_on_golem.cli", "stop", "one"]
    environment = {"PYTHONPATH": str(PACKAGE.parent), "PATH": os.environ["PATH"]}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "one: closing\n", "")


def test_a_reader_that_goes_away_is_no_failure(server: BridgeServer) -> None:
    server.answers.append(Answer.json({"clusters": [cluster(f"cluster-{number}") for number in range(3000)]}))
    command = ["sh", "-c", f"{sys.executable} -S -m ray_on_golem.cli status | head -1"]
    environment = {"PYTHONPATH": str(PACKAGE.parent), "PATH": os.environ["PATH"]}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout.startswith("cluster-0  active")
    assert done.stderr == ""


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["version"]) == 0
    assert capsys.readouterr().out == f"ray-on-golem {ray_on_golem.__version__}\n"


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=lambda file: file.name)
def test_the_package_is_python_3_9(file: Path) -> None:
    ast.parse(file.read_text(encoding="utf-8"), feature_version=(3, 9))
