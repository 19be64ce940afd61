"""What Prometheus reads is what the books say: all of it from the first scrape, nothing after the end but money."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import pytest
from asyncssh import generate_private_key
from sqlalchemy.dialects.sqlite import insert

from golem_bridge.clusters.model import STATUS_TAG, UP_TO_DATE, Node
from golem_bridge.clusters.ssh import HeadTunnel, SshGate
from golem_bridge.clusters.states import ClusterState, EndReason, NodeState
from golem_bridge.market.funnel import Funnel
from golem_bridge.market.offer import read_offer
from golem_bridge.market.screening import Filter, Refusal
from golem_bridge.money.ledger import EntryKind
from golem_bridge.settings import GolemNetwork
from golem_bridge.store.database import documents, verdicts
from golem_bridge.telemetry.catalogue import CATALOGUE
from golem_bridge.telemetry.entry import MetricKind
from tests.unit.bridge.samples import PRICE, START, proposal
from tests.unit.bridge.telemetry.town import Town

MONEY = {"rayongolem_spend_glm_total", "rayongolem_paid_glm_total"}
PER_HOUR = float(PRICE.per_hour(2))


async def nobody(node: Node, port: int) -> NoReturn:
    raise AssertionError(f"nobody connects to {node.node_id}:{port} here")


@pytest.fixture
def town() -> Town:
    return Town()


def names_with(town: Town, label: str) -> set[str]:
    """Names of the series that carry a label."""
    names = {name for entry in CATALOGUE for name in entry.stored_names}
    return {name for name in names for held, _ in town.samples(name) if label in held}


def test_every_metric_is_exposed_with_its_help_and_type(town: Town) -> None:
    text = town.exposed()
    for entry in CATALOGUE:
        kind = MetricKind.GAUGE if entry.kind is MetricKind.INFO else entry.kind
        assert f"# HELP {entry.name} {entry.help}\n# TYPE {entry.name} {kind.value}\n" in text


def test_a_new_cluster_has_every_series_at_zero(town: Town) -> None:
    town.cluster()
    states = {held["state"] for held, value in town.samples("rayongolem_nodes") if value == 0}
    assert states == {state.value for state in NodeState} - {"terminated"}
    reasons = {held["reason"] for held, value in town.samples("rayongolem_nodes_ended_total") if value == 0}
    assert reasons == {reason.value for reason in EndReason}
    assert town.value("rayongolem_spend_glm_total", node_type="worker", kind="start") == 0
    assert town.value("rayongolem_burn_glm_per_hour", node_type="worker") == 0
    assert town.value("rayongolem_provision_duration_seconds_count", phase="total") == 0
    assert town.value("rayongolem_budget_remaining_glm") == town.value("rayongolem_budget_glm") == 5
    assert town.value("rayongolem_max_workers") == 3


def test_a_running_node_is_counted_named_and_priced(town: Town) -> None:
    town.cluster()
    town.node()
    town.accept(1, "0.25")
    town.clock.advance(12 + 3600)
    assert town.value("rayongolem_nodes", node_type="head", state="running") == 1
    assert town.value("rayongolem_nodes_requested_total", node_type="head") == 1
    assert town.value("rayongolem_nodes_started_total", node_type="head") == 1
    assert town.value("rayongolem_node_info", node_id="node-1", kind="head", provider_id="0xprovider") == 1
    assert town.value("rayongolem_node_price_glm_per_hour") == pytest.approx(PER_HOUR)
    assert town.value("rayongolem_node_start_price_glm") == 0.01
    assert town.value("rayongolem_node_cpu_threads") == 2
    assert town.value("rayongolem_node_spend_glm") == 0.25
    since = START + timedelta(seconds=12)
    assert town.value("rayongolem_node_start_timestamp_seconds") == since.timestamp()
    assert town.value("rayongolem_burn_glm_per_hour", node_type="head") == pytest.approx(PER_HOUR)
    assert town.value("rayongolem_exposure_glm") == pytest.approx(0.01 + PER_HOUR * 61 / 60)


def test_a_node_that_runs_ray_shows_when_it_was_heard_of(town: Town) -> None:
    heard = "rayongolem_node_last_heard_timestamp_seconds"
    town.cluster()
    node = town.node()
    town.heard["node-1"] = START + timedelta(seconds=40)
    assert town.samples(heard) == [], "Ray is not started on it yet, so nobody asks it for metrics"
    town.books.nodes.change(node.node_id, lambda node: replace(node, tags={STATUS_TAG: UP_TO_DATE}))
    assert town.value(heard, cluster="demo", node_id="node-1") == (START + timedelta(seconds=40)).timestamp()
    town.heard["node-1"] = None
    assert town.samples(heard) == [], "it is reached by a detour"
    town.heard["node-1"] = START
    town.books.nodes.change(node.node_id, lambda node: replace(node, state=NodeState.BOOTSTRAPPING))
    assert town.samples(heard) == [], "its relay does not run yet"


def test_provisioning_is_split_into_phases(town: Town) -> None:
    town.cluster()
    town.node()
    sums = {held["phase"]: value for held, value in town.samples("rayongolem_provision_duration_seconds_sum")}
    assert sums == pytest.approx({"search": 10, "agreement": 2, "start": 18, "total": 30}, abs=0.01)
    buckets = {
        held["le"]: value
        for held, value in town.samples("rayongolem_provision_duration_seconds_bucket")
        if held["phase"] == "total"
    }
    assert (buckets["15.0"], buckets["45.0"], buckets["+Inf"]) == (0, 1, 1)


def test_money_goes_to_the_node_type_it_was_spent_on(town: Town) -> None:
    town.cluster()
    town.node()
    town.accept(1, "0.25")
    town.accept(1, "0.01", kind=EntryKind.START)
    town.books.ledger.pay(
        cluster_id="demo-1", agreement_id="agreement-1", payment_id="p", wei=10**17, tx_hash="0x", at=START
    )
    assert town.value("rayongolem_spend_glm_total", node_type="head", kind="cpu") == 0.25
    assert town.value("rayongolem_spend_glm_total", node_type="head", kind="start") == 0.01
    assert town.value("rayongolem_spend_glm_total", node_type="worker", kind="cpu") == 0
    assert town.value("rayongolem_paid_glm_total", node_type="head") == 0.1


def test_the_budget_of_now_is_told_apart_from_earlier_ones(town: Town) -> None:
    town.close(town.cluster())
    town.node(1)
    town.accept(1, "0.25")
    town.cluster(incarnation=2)
    assert town.value("rayongolem_budget_accepted_glm") == town.value("rayongolem_budget_paid_glm") == 0
    assert town.value("rayongolem_spend_glm_total", node_type="head", kind="cpu") == 0.25


def test_the_market_is_shown_per_node_type(town: Town) -> None:
    town.cluster()
    assert town.samples("rayongolem_market_providers") == []
    funnel = Funnel(limits=None, clock=town.clock)
    funnel.saw("0x1", read_offer(proposal()))
    funnel.saw("0x2", Refusal(Filter.AS_DEMANDED, "too few threads"))
    town.market["worker"] = funnel.view(free=1, in_use=0, benched=0)
    steps = {held["step"]: value for held, value in town.samples("rayongolem_market_providers")}
    assert (steps["seen"], steps["within all limits"], steps["free"], steps["agreed"]) == (2, 1, 1, 0)
    assert town.value("rayongolem_market_cheapest_glm_per_hour", node_type="worker") == pytest.approx(PER_HOUR)


def test_a_verdict_telemetry_does_not_know_makes_no_series_of_its_own(town: Town) -> None:
    file(town, "a", "something new")
    reasons = {held["reason"]: value for held, value in town.samples("rayongolem_payment_documents_refused_total")}
    assert reasons["other"] == 1
    assert "something new" not in reasons


def test_a_tunnel_is_shown_while_there_is_one(town: Town, tmp_path: Path) -> None:
    cluster = town.cluster()
    town.runtimes.of(cluster.cluster_id)
    assert town.samples("rayongolem_tunnel_up") == []
    gate = SshGate(key=generate_private_key("ssh-ed25519"), connect=nobody, clock=town.clock)
    town.runtimes.of(cluster.cluster_id).tunnel = HeadTunnel(gate=gate, clock=town.clock, door=tmp_path, ports=[4578])
    assert town.value("rayongolem_tunnel_up", cluster="demo") == 0
    assert town.value("rayongolem_tunnel_restarts_total", cluster="demo") == 0


def test_a_running_head_shows_when_it_asked_last(town: Town) -> None:
    asked = "rayongolem_head_last_request_timestamp_seconds"
    town.close(town.cluster())
    cluster = town.cluster(incarnation=2)
    head = town.node(incarnation=2)
    assert head.running_at is not None
    assert town.samples(asked) == [], "it has no door yet"
    town.asked[cluster.cluster_id] = head.running_at - timedelta(minutes=5)
    assert town.value(asked, cluster="demo") == head.running_at.timestamp()
    town.asked[cluster.cluster_id] = head.running_at + timedelta(minutes=5)
    assert town.value(asked, cluster="demo") == town.asked[cluster.cluster_id].timestamp()
    town.books.nodes.change(head.node_id, lambda node: replace(node, state=NodeState.TERMINATING))
    assert town.samples(asked) == []


def test_log_messages_are_counted_by_level(town: Town) -> None:
    assert town.value("rayongolem_log_messages_total", level="error") == 0
    event = {"event": "bad", "level": "error"}
    assert town.logs(None, "error", event) is event
    assert town.value("rayongolem_log_messages_total", level="error") == 1
    assert town.value("rayongolem_log_messages_total", level="info") == 0


def test_a_node_that_ended_leaves_only_counts(town: Town) -> None:
    town.cluster()
    node = town.node()
    assert names_with(town, "node_id")
    town.end(node, EndReason.PROVIDER_LOST)
    assert names_with(town, "node_id") == set()
    assert town.value("rayongolem_nodes_ended_total", node_type="head", reason="provider_lost") == 1
    assert town.value("rayongolem_burn_glm_per_hour", node_type="head") == 0


def test_a_closed_cluster_leaves_only_money(town: Town) -> None:
    cluster = town.cluster()
    node = town.node()
    town.accept(1, "0.25")
    town.end(node, EndReason.REQUESTED)
    assert town.value("rayongolem_nodes", node_type="head", state="running") == 0
    town.close(cluster)
    town.clock.advance(16)
    assert names_with(town, "cluster") == MONEY


def test_the_last_state_of_a_cluster_can_still_be_scraped(town: Town) -> None:
    cluster = town.cluster()
    node = town.node()
    assert town.value("rayongolem_nodes", node_type="head", state="running") == 1
    town.end(node, EndReason.REQUESTED)
    town.close(cluster)
    town.clock.advance(5)
    assert town.value("rayongolem_nodes", node_type="head", state="running") == 0
    town.clock.advance(11)
    assert town.samples("rayongolem_nodes") == []


def test_counters_go_on_over_incarnations(town: Town) -> None:
    first = town.cluster()
    town.end(town.node(1), EndReason.REQUESTED)
    town.accept(1, "0.25")
    town.close(first)
    town.cluster(incarnation=2)
    town.node(2, incarnation=2)
    assert town.value("rayongolem_nodes_requested_total", node_type="head") == 2
    assert town.value("rayongolem_nodes_ended_total", node_type="head", reason="requested") == 1
    assert town.value("rayongolem_provision_duration_seconds_count", phase="total") == 2
    assert town.value("rayongolem_spend_glm_total", node_type="head", kind="cpu") == 0.25
    assert town.value("rayongolem_nodes", node_type="head", state="running") == 1


def test_nodes_of_a_type_the_cluster_file_no_longer_names_are_counted(town: Town) -> None:
    cluster = town.cluster()
    town.node()
    types = {"renamed": cluster.spec.node_types["head"]}
    spec = cluster.spec.model_copy(update={"head_node_type": "renamed", "node_types": types})
    town.books.clusters.change(cluster.cluster_id, lambda cluster: replace(cluster, spec=spec))
    assert town.value("rayongolem_nodes", node_type="head", state="running") == 1
    assert town.value("rayongolem_nodes", node_type="renamed", state="running") == 0


def test_what_an_earlier_incarnation_still_rents_is_counted(town: Town) -> None:
    first = town.cluster()
    node = town.node()
    town.books.nodes.change(node.node_id, lambda node: node.ending(EndReason.REQUESTED, "over"))
    town.books.clusters.change(first.cluster_id, lambda cluster: replace(cluster, state=ClusterState.CLOSING))
    town.cluster(incarnation=2)
    assert town.value("rayongolem_nodes", node_type="head", state="terminating") == 1
    assert town.value("rayongolem_burn_glm_per_hour", node_type="head") == pytest.approx(PER_HOUR)
    town.books.contracts.ended("agreement-1", START)
    town.end(node, EndReason.REQUESTED)
    assert town.value("rayongolem_nodes", node_type="head", state="terminating") == 0
    assert town.value("rayongolem_burn_glm_per_hour", node_type="head") == 0


def file(town: Town, document_id: str, verdict: str, agreement_id: str = "") -> None:
    """An invoice, judged, be it anew."""
    row = {"kind": "invoice", "at": START, "total": "1", "detail": "", "verdict": verdict, "agreement_id": agreement_id}
    with town.database.write() as connection:
        judged = insert(documents).values(document_id=document_id, **row)
        connection.execute(judged.on_conflict_do_update(index_elements=["document_id"], set_=row))
        connection.execute(insert(verdicts).values(document_id=document_id, verdict=verdict).on_conflict_do_nothing())


def test_what_happened_on_another_network_is_not_told() -> None:
    devnet = Town()
    cluster = devnet.cluster()
    devnet.end(devnet.node(1), EndReason.PROVIDER_LOST)
    devnet.accept(1, "4")
    devnet.books.ledger.pay(
        cluster_id="demo-1", agreement_id="agreement-1", payment_id="p", wei=10**17, tx_hash="0x", at=START
    )
    file(devnet, "play", "overpriced", "agreement-1")
    file(devnet, "nobody's", "unknown_agreement")
    devnet.close(cluster)
    polygon = Town(GolemNetwork.POLYGON, devnet.database)
    polygon.cluster(incarnation=2)
    polygon.node(2, incarnation=2)
    polygon.accept(2, "0.5")
    file(polygon, "real", "overpriced", "agreement-2")
    refused = "rayongolem_payment_documents_refused_total"
    for name, labels, value in (
        ("rayongolem_spend_glm_total", {"node_type": "head", "kind": "cpu"}, 0.5),
        ("rayongolem_paid_glm_total", {"node_type": "head"}, 0),
        ("rayongolem_nodes_requested_total", {"node_type": "head"}, 1),
        ("rayongolem_nodes_started_total", {"node_type": "head"}, 1),
        ("rayongolem_nodes_ended_total", {"node_type": "head", "reason": "provider_lost"}, 0),
        ("rayongolem_provision_duration_seconds_count", {"phase": "total"}, 1),
        ("rayongolem_payment_documents_received_total", {"document": "invoice"}, 2),
        (refused, {"document": "invoice", "reason": "overpriced"}, 1),
        (refused, {"document": "invoice", "reason": "unknown_agreement"}, 1),
    ):
        assert polygon.value(name, network="polygon", **labels) == value, name
        assert {held["network"] for held, _ in polygon.samples(name)} == {"polygon"}
    assert polygon.value("rayongolem_budget_glm") == 5
    back = Town(GolemNetwork.DEVNET, devnet.database)
    assert back.value("rayongolem_spend_glm_total", node_type="head", kind="cpu") == 4
    assert back.samples("rayongolem_budget_glm") == [], "polygon's cluster is the newest of that name"


def test_documents_are_counted_by_what_became_of_them_and_never_backwards(town: Town) -> None:
    file(town, "a", "accepted")
    file(town, "b", "insufficient_funds")
    refused = "rayongolem_payment_documents_refused_total"
    assert town.value("rayongolem_payment_documents_received_total", document="invoice") == 2
    assert town.value("rayongolem_payment_documents_accepted_total", document="invoice") == 1
    assert town.value(refused, document="invoice", reason="insufficient_funds") == 1
    file(town, "b", "insufficient_funds")
    file(town, "b", "accepted")
    for bridge in (town, Town(database=town.database)):  # the second is one that was started anew
        assert bridge.value(refused, document="invoice", reason="insufficient_funds") == 1
        assert bridge.value(refused, document="debit_note", reason="overpriced") == 0
        assert bridge.value("rayongolem_payment_documents_received_total", document="invoice") == 2
        assert bridge.value("rayongolem_payment_documents_accepted_total", document="invoice") == 2
