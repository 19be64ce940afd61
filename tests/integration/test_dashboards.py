"""Every panel's queries on the running Prometheus: they are understood, and they find something to show.

Needs an appliance on which a cluster has run in the last hours, as after ``make demo`` or the end-to-end tests.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import pytest

from appliance.settings import read_settings
from tests.unit.grafana.pages import Panel, panels

HOURS = 6
STEP = 15
"""Seconds; a multiple of the scrape interval, fine enough for a node that lived for a minute."""

VARIABLES = {"$cluster": ".*", "$node_type": ".*", "$network": ".*", "$__rate_interval": "1m"}
"""As Grafana fills them in when All is chosen."""

RIGHTLY_EMPTY = {
    ("bridge.json", "Failed requests"): "no request may have failed",
    ("bridge.json", "Refused requests"): "no caller may have been refused",
    ("cost.json", "Spend rate while idle"): "a cluster may have ended before Ray's first measurement",
    ("overview.json", "Alerts"): "no alert may have fired",
}
"""Page and title of panels that show nothing while all is well."""

PANELS = pytest.mark.parametrize("panel", panels(), ids=lambda panel: f"{panel.page}:{panel.title}")


def found(query: str) -> list[Any]:
    """Series of the last hours; an error of Prometheus fails the test with its words."""
    for name, value in VARIABLES.items():
        query = query.replace(name, value)
    now = time.time()
    form = urllib.parse.urlencode({"query": query, "start": now - HOURS * 3600, "end": now, "step": STEP})
    url = f"http://127.0.0.1:{read_settings().ports.prometheus}/api/v1/query_range"
    try:
        with urllib.request.urlopen(url, form.encode(), timeout=30) as answer:
            series: list[Any] = json.load(answer)["data"]["result"]
    except urllib.error.HTTPError as error:
        pytest.fail(f"Prometheus refuses {query}: {error.read().decode()}")
    return series


@PANELS
def test_a_panel_has_something_to_show(panel: Panel) -> None:
    empty = [query for query in panel.queries if not found(query)]
    assert not empty or (panel.page, panel.title) in RIGHTLY_EMPTY


def test_what_may_be_empty_exists() -> None:
    assert set(RIGHTLY_EMPTY) <= {(panel.page, panel.title) for panel in panels()}
