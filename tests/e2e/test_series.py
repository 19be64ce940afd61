"""What Prometheus stores of a cluster: all of it while it lives, in good names, and only money after its end."""

from __future__ import annotations

import json
import re
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from prometheus_client.parser import text_string_to_metric_families

from appliance.bridge import Bridge
from appliance.settings import Settings
from appliance.settlement import wait_for_settlement
from appliance.steps import Steps
from golem_bridge.telemetry.catalogue import CATALOGUE
from golem_bridge.telemetry.entry import Life
from tests.e2e.cluster import ClusterFile, wait_until
from tests.e2e.conftest import MakeCluster
from tests.exposed import exposed
from tests.integration.test_prometheus_rules import promtool

Series = frozenset[tuple[str, str]]
"""Labels, the name under ``__name__``."""

MONEY = {name for entry in CATALOGUE if entry.life is Life.MONEY for name in entry.stored_names}
OF_CLUSTERS = {name for entry in CATALOGUE if entry.life is Life.CLUSTER for name in entry.stored_names}
OF_NODES = {name for entry in CATALOGUE if entry.life is Life.NODE for name in entry.stored_names}
ALWAYS = {name for entry in CATALOGUE if entry.life is Life.ALWAYS for name in entry.stored_names}
WHEN_IT_HAPPENS = {name for name in ALWAYS if "_http_" in name or "_yagna_api_" in name}
"""One series per route or call that was used, not per one that could be."""

LATE = {"ray_node_cpu_count", "rayongolem_allocation_expiry_timestamp_seconds"}
"""Ray on the nodes is asked when it runs, yagna every 15 s: the last ones to be there."""

IS_OF_RULES = re.compile(r":|^ALERTS")
"""What Prometheus itself makes of series, under their labels."""

PATIENCE = 60.0
"""Seconds until Prometheus has forgotten: three scrapes more, a look at the targets, and some."""


@dataclass(frozen=True)
class Scrapes:
    """/metrics before, while and after a cluster lived."""

    cluster: ClusterFile
    before: set[Series]
    during: set[Series]
    exposed_during: str
    stored_during: set[Series]


def parsed(exposed: str) -> set[Series]:
    return {
        frozenset({"__name__": sample.name, **sample.labels}.items())
        for family in text_string_to_metric_families(exposed)
        for sample in family.samples
    }


def stored(settings: Settings, cluster: str) -> set[Series]:
    """What Prometheus has of a cluster at this moment from any target, Ray's own included."""
    query = urllib.parse.urlencode({"query": f'{{cluster="{cluster}", job!=""}}'})
    url = f"http://127.0.0.1:{settings.ports.prometheus}/api/v1/query?{query}"
    with urllib.request.urlopen(url, timeout=30) as answer:
        return {frozenset(series["metric"].items()) for series in json.load(answer)["data"]["result"]}


def names(series: set[Series], **labels: str) -> set[str]:
    """Metric names of those with these labels; with an empty value, of those that have the label at all."""
    chosen = (dict(one) for one in series)
    return {
        one["__name__"]
        for one in chosen
        if all(key in one and value in {"", one[key]} for key, value in labels.items())
        and not IS_OF_RULES.search(one["__name__"])
    }


@pytest.fixture(scope="module")
def scrapes(make_cluster: MakeCluster, settings: Settings, bridge: Bridge) -> Iterator[Scrapes]:
    cluster = make_cluster("series")
    before = parsed(exposed(settings))
    outcome = cluster.up()
    assert outcome.code == 0, outcome.text
    wait_until(lambda: names(stored(settings, cluster.name)) >= LATE, 60, "Ray's and yagna's words")
    text = exposed(settings)
    yield Scrapes(cluster, before, parsed(text), text, stored(settings, cluster.name))
    if cluster.nodes(bridge):
        cluster.down()


def test_everything_is_there_from_the_start(scrapes: Scrapes) -> None:
    assert names(scrapes.before) >= ALWAYS - WHEN_IT_HAPPENS
    assert names(scrapes.during, cluster=scrapes.cluster.name) == OF_CLUSTERS | OF_NODES | MONEY


def test_names_units_and_types_are_as_prometheus_wants(scrapes: Scrapes) -> None:
    assert promtool("check", "metrics", stdin=scrapes.exposed_during) == ""


def test_who_a_node_or_provider_is_stands_only_where_the_catalogue_allows_it(scrapes: Scrapes) -> None:
    assert names(scrapes.during, node_id="") == OF_NODES
    assert names(scrapes.during, provider_id="") == names(scrapes.during, provider_name="") == {"rayongolem_node_info"}


def test_prometheus_has_all_of_it_and_what_ray_says_besides(scrapes: Scrapes) -> None:
    assert names(scrapes.stored_during, job="bridge") == OF_CLUSTERS | OF_NODES | MONEY
    assert "ray_node_cpu_count" in names(scrapes.stored_during, job="ray")


def test_only_money_is_left_after_the_end(scrapes: Scrapes, settings: Settings, bridge: Bridge, steps: Steps) -> None:
    name = scrapes.cluster.name
    assert scrapes.cluster.down().code == 0
    wait_for_settlement(steps, bridge, name)
    wait_until(lambda: names(parsed(exposed(settings)), cluster=name) == MONEY, PATIENCE, "the bridge to forget")
    after = parsed(exposed(settings))
    assert names(after, node_id="") == set()
    new = {one for one in after - scrapes.before if dict(one).get("cluster") != name}
    assert names(new) <= WHEN_IT_HAPPENS
    lost = scrapes.before - after
    assert names(lost) == names(lost, cluster="")  # of a cluster that had just been closed before
    assert names(lost) & MONEY == set()
    wait_until(lambda: names(stored(settings, name)) == MONEY, PATIENCE, "Prometheus to forget")
