"""Prometheus is configured for the routes that there are."""

from __future__ import annotations

from urllib.parse import urlsplit

import yaml

from appliance.paths import ROOT
from golem_bridge.api import scrape
from golem_bridge.clusters.fetch import MAX_BODY

CONFIG = yaml.safe_load((ROOT / "docker" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
RAY = next(job for job in CONFIG["scrape_configs"] if job["job_name"] == "ray")


def test_it_asks_where_ray_is_with_its_token() -> None:
    [discovery] = RAY["http_sd_configs"]
    assert urlsplit(discovery["url"]).path == scrape.SD_PATH
    assert discovery["authorization"] == RAY["authorization"] == {"credentials_file": "/run/metrics/token"}


def test_it_waits_longer_than_the_bridge_waits_for_a_node() -> None:
    timeout = RAY.get("scrape_timeout", CONFIG["global"]["scrape_timeout"])
    assert float(timeout.removesuffix("s")) > scrape.TIMEOUT


def test_what_strangers_say_is_bounded() -> None:
    assert int(RAY["body_size_limit"].removesuffix("MB")) * 10**6 > MAX_BODY
    assert RAY["sample_limit"] > 0
    assert RAY["honor_timestamps"] is False
    assert not RAY.get("honor_labels", False)
