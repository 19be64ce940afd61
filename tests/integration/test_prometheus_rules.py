"""Prometheus' own tool on its configuration, on the rules and their tests, and on what the bridge exposes."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from pathlib import Path

import pytest

from appliance.settings import read_settings, read_values
from tests.exposed import exposed

ROOT = Path(__file__).parents[2]
RULES = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docker/prometheus/rules").glob("*.yml"))
TESTS = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests/prometheus").glob("*.yml"))


def promtool(*arguments: str, stdin: str = "") -> str:
    """Its output, errors included; it must succeed."""
    image = read_values().get("PROMETHEUS_IMAGE", "prom/prometheus:v2.42.0")
    sandbox = ["--rm", "--interactive", "--network", "none", "--volume", f"{ROOT}:/repository:ro"]
    done = subprocess.run(
        ["docker", "run", *sandbox, "--workdir", "/repository", "--entrypoint", "/bin/promtool", image, *arguments],
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_configuration_is_valid() -> None:
    assert "is valid" in promtool("check", "config", "--syntax-only", "docker/prometheus/prometheus.yml")


def test_the_rules_are_valid() -> None:
    assert promtool("check", "rules", "--lint-fatal", *RULES).count("SUCCESS") == len(RULES)


@pytest.mark.parametrize("path", TESTS)
def test_the_rules_do_what_their_tests_say(path: str) -> None:
    assert "SUCCESS" in promtool("test", "rules", path)


def test_what_the_bridge_exposes_has_good_names() -> None:
    said = exposed(read_settings())
    assert "rayongolem_build_info" in said
    assert promtool("check", "metrics", stdin=said) == ""


def test_the_running_prometheus_evaluates_them() -> None:
    url = f"http://127.0.0.1:{read_settings().ports.prometheus}/api/v1/rules"
    with urllib.request.urlopen(url, timeout=10) as answer:
        groups = json.load(answer)["data"]["groups"]
    assert {Path(group["file"]).name for group in groups} == {Path(path).name for path in RULES}
    assert [rule["name"] for group in groups for rule in group["rules"] if rule.get("lastError")] == []
