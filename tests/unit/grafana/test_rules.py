"""Every alert explains itself, asks for metrics that exist, and is tested both ways."""

from __future__ import annotations

import re

import pytest
import yaml

from golem_bridge.telemetry.catalogue import CATALOGUE
from tests.unit.grafana.pages import FILES, ROOT, Rule, metrics_of, panels, rules

RUNBOOKS = ROOT / "docs" / "runbooks"
SECTIONS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]
ALWAYS_FIRES = "Watchdog"


def checked(*, firing: bool) -> set[str]:
    """Alerts that some test expects to fire, or to be silent."""
    files = sorted((ROOT / "tests" / "prometheus").glob("*.yml"))
    cases = [case for path in files for case in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]]
    checks = [check for case in cases for check in case["alert_rule_test"]]
    return {check["alertname"] for check in checks if bool(check["exp_alerts"]) is firing}


ALERTS = [rule for rule in rules() if "alert" in rule]
RECORDED = {rule["record"] for rule in rules() if "record" in rule}
EACH_ALERT = pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: f"{rule['alert']}-{rule['labels']['severity']}")


@EACH_ALERT
def test_an_alert_says_what_it_is_and_where_to_look(rule: Rule) -> None:
    notes = rule["annotations"]
    assert rule["labels"]["severity"] in {"critical", "warning", "none"}
    assert notes["summary"] and notes["description"].endswith(".")
    assert notes["runbook"] == f"docs/runbooks/{rule['alert']}.md"
    assert notes["dashboard"].removeprefix("/d/rog-") in {path.stem for path in FILES}


@EACH_ALERT
def test_its_runbook_is_whole(rule: Rule) -> None:
    text = (ROOT / rule["annotations"]["runbook"]).read_text(encoding="utf-8")
    assert text.startswith(f"# {rule['alert']}\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.get("alert") or rule["record"])
def test_it_asks_for_metrics_that_exist(rule: Rule) -> None:
    assert metrics_of(rule["expr"]) <= {name for entry in CATALOGUE for name in entry.stored_names} | RECORDED


def test_every_alert_is_tested_to_fire_and_to_be_silent() -> None:
    names = {rule["alert"] for rule in ALERTS}
    assert checked(firing=True) == names
    assert checked(firing=False) == names - {ALWAYS_FIRES}


def test_every_runbook_belongs_to_an_alert_and_links_to_others() -> None:
    assert {path.stem for path in RUNBOOKS.iterdir()} == {rule["alert"] for rule in ALERTS}
    for path in RUNBOOKS.iterdir():
        for target in re.findall(r"\]\(([^)]+)\)", path.read_text(encoding="utf-8")):
            assert (RUNBOOKS / target).is_file()


def test_every_panel_a_runbook_names_is_there() -> None:
    titles = {panel.title for panel in panels()}
    for path in RUNBOOKS.iterdir():
        text = path.read_text(encoding="utf-8")
        named = re.findall(r"panels? \*([^*]+)\*(?: and \*([^*]+)\*)?", text)
        assert {title for pair in named for title in pair if title} <= titles, path.name


def test_rented_machines_cannot_speak_in_the_bridges_name() -> None:
    config = yaml.safe_load((ROOT / "docker" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    (ray,) = [job for job in config["scrape_configs"] if "http_sd_configs" in job]
    (rule,) = ray["metric_relabel_configs"]
    assert (rule["source_labels"], rule["action"]) == (["__name__"], "keep")
    kept = re.compile(rule["regex"])
    assert kept.fullmatch("ray_node_cpu_utilization")
    asked = set().union(*(metrics_of(rule["expr"]) for rule in rules()))
    assert [name for name in asked | {"up", "ALERTS"} if kept.fullmatch(name)] == []


def test_compose_mounts_what_prometheus_reads() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    config = yaml.safe_load((ROOT / "docker" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    assert "./docker/prometheus/rules:/etc/prometheus/rules:ro" in compose["services"]["prometheus"]["volumes"]
    assert config["rule_files"] == ["rules/*.yml"]
