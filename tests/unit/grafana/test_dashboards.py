"""Every panel says what it shows and in which unit, and asks for metrics that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from golem_bridge.telemetry.catalogue import CATALOGUE
from tests.unit.grafana.pages import GRAFANA, Panel, metrics_of, pages, panels, rules

PANELS = pytest.mark.parametrize("panel", panels(), ids=lambda panel: f"{panel.page}:{panel.title}")
EVERYWHERE = {
    "process_resident_memory_bytes",
    "process_cpu_seconds_total",
    "process_start_time_seconds",
    "scrape_duration_seconds",
}
YAGNA = {
    "activity_requestor_created",
    "market_agreements_requestor_approved",
    "market_agreements_requestor_created",
    "market_proposals_requestor_countered",
    "market_proposals_requestor_received",
    "payment_debit_notes_requestor_accepted",
    "payment_debit_notes_requestor_received",
    "payment_invoices_requestor_paid",
    "payment_invoices_requestor_received",
}
"""As yagna 0.17.6 names them."""
RAY = {"ray_node_cpu_utilization"}

PREDEFINED = {"ALERTS", "up"}
"""Prometheus' own, without an underscore."""

PAGES = pytest.mark.parametrize("name", sorted(pages()))


def known_metrics() -> set[str]:
    """Names as Prometheus stores them: the bridge's own, what rules record, yagna's, and what is there anyway."""
    own = {name for entry in CATALOGUE for name in entry.stored_names}
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    return own | recorded | EVERYWHERE | YAGNA | RAY


@PANELS
def test_says_what_it_shows(panel: Panel) -> None:
    assert panel.title
    assert panel.raw["description"].endswith(".")
    assert panel.defaults["unit"]


@PANELS
def test_glm_is_never_scaled(panel: Panel) -> None:
    asks_glm = any("_glm" in query for query in panel.queries)
    assert not asks_glm or panel.defaults["unit"] in {"suffix: GLM", "suffix: GLM/h", "s", "percentunit"}
    assert "GLM" not in panel.defaults["unit"] or panel.defaults["decimals"] >= 4


@PANELS
def test_asks_the_provisioned_source_for_metrics_that_exist(panel: Panel) -> None:
    assert panel.raw["datasource"] == {"type": "prometheus", "uid": "prometheus"}
    asked = set().union(*(metrics_of(query) for query in panel.queries)) - PREDEFINED
    assert asked or PREDEFINED & set(re.findall(r"\w+", " ".join(panel.queries)))
    assert asked <= known_metrics()


@PAGES
def test_a_page_is_read_only_linked_and_numbered(name: str) -> None:
    page = pages()[name]
    assert page["uid"] == f"rog-{Path(name).stem}"
    assert page["editable"] is False
    assert page["links"][0]["tags"] == page["tags"] == ["ray-on-golem"]
    ids = [panel.raw["id"] for panel in panels() if panel.page == name]
    assert len(set(ids)) == len(ids)


def test_the_pages_wanted_are_there() -> None:
    assert set(pages()) == {"overview.json", "cost.json", "nodes.json", "bridge.json"}


@PAGES
def test_variables_that_queries_use_are_defined(name: str) -> None:
    defined = {variable["name"] for variable in pages()[name]["templating"]["list"]}
    queries = " ".join(query for panel in panels() if panel.page == name for query in panel.queries)
    assert set(re.findall(r"\$([a-z]\w*)", queries)) == defined


def test_time_left_is_that_of_the_cluster_whose_budget_ends_first() -> None:
    """0.1 GLM left at 1 GLM/h beside 10 GLM left at 0.1 GLM/h are 6 minutes; sum over sum would be 9 hours."""
    (panel,) = [panel for panel in panels() if panel.title == "Time left"]
    (query,) = panel.queries
    left, burn = query.split(" / ")
    assert left.startswith("3600 * min(sum by (cluster) (rayongolem_budget_remaining_glm{")
    assert burn.startswith("(sum by (cluster) (rayongolem_burn_glm_per_hour{")


NUMBERS = [panel for panel in panels() if panel.kind == "stat"]
OF_WHAT_MAY_BE_GONE = {
    "Budget left",
    "Time left",
    "Share of budget left",
    "yagna",
    "Orphans",
    "Payment problems",
}
"""Once the cluster or the bridge is gone, the last value of the page's time range is no value of now."""


@pytest.mark.parametrize("panel", NUMBERS, ids=lambda panel: f"{panel.page}:{panel.title}")
def test_a_number_of_what_is_gone_is_not_shown(panel: Panel) -> None:
    (target,) = panel.raw["targets"]
    assert target.get("instant", False) is (panel.title in OF_WHAT_MAY_BE_GONE)
    assert target.get("range", False) is not target.get("instant", False)


def test_the_usual_spend_rate_is_the_average_of_the_sum() -> None:
    """Of two clusters, one after the other at 1 GLM/h, the sum of averages would be 2 GLM/h."""
    (panel,) = [panel for panel in panels() if panel.title == "Spend rate against the usual"]
    assert all(query.startswith("avg_over_time(sum(cluster:") for query in panel.queries)


def test_a_forecast_ends_with_its_cluster() -> None:
    """A function of a range goes on for the whole of the range after the last sample."""
    (panel,) = [panel for panel in panels() if panel.page == "cost.json" and panel.title == "Budget left"]
    now, ahead = (
        query.removeprefix("sum by (cluster) ").removeprefix("(").removesuffix(")") for query in panel.queries
    )
    assert ahead.startswith("predict_linear(")
    assert ahead.endswith(f"[30m], 3600) and {now}")


def test_names_are_found_in_promql() -> None:
    query = 'sum by (node_type) (rate(a_total{state_x="b_c"}[5m])) / on (x_y) group_left (z_z) (d_info > 0)'
    assert metrics_of(query) == {"a_total", "d_info"}


def test_provisioning_is_fixed() -> None:
    source = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yaml").read_text(encoding="utf-8"))
    assert [(entry["uid"], entry["type"], entry["editable"]) for entry in source["datasources"]] == [
        ("prometheus", "prometheus", False)
    ]
    boards = yaml.safe_load((GRAFANA / "provisioning/dashboards/ray-on-golem.yaml").read_text(encoding="utf-8"))
    (provider,) = boards["providers"]
    assert provider["disableDeletion"] is True
    assert provider["allowUiUpdates"] is False


def test_compose_mounts_what_grafana_reads() -> None:
    compose = yaml.safe_load((GRAFANA.parent / "docker-compose.yml").read_text(encoding="utf-8"))
    grafana = compose["services"]["grafana"]
    assert "./grafana/provisioning:/etc/grafana/provisioning:ro" in grafana["volumes"]
    assert "./grafana/dashboards:/var/lib/grafana/dashboards:ro" in grafana["volumes"]
    home = Path(grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert (GRAFANA / "dashboards" / home.name).is_file()
