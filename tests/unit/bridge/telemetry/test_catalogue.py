"""The catalogue keeps Prometheus' rules for names, explains its labels, and the page in docs is made from it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from golem_bridge.telemetry.catalogue import CATALOGUE, LABELS
from golem_bridge.telemetry.entry import Entry, Life, MetricKind
from golem_bridge.telemetry.families import Families
from golem_bridge.telemetry.reference import rendered

PAGE = Path(__file__).parents[4] / "docs" / "METRICS.md"
ENTRIES = pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.base)


@ENTRIES
def test_a_name_says_what_it_is(entry: Entry) -> None:
    assert re.fullmatch(r"rayongolem(_[a-z]+)+", entry.name)
    assert not entry.base.endswith(("_total", "_info", "_count", "_sum", "_bucket"))
    assert ("_glm" in entry.name) == entry.unit.startswith("GLM")
    assert ("_seconds" in entry.name) == entry.unit.startswith("seconds")


@ENTRIES
def test_labels_are_explained_and_live_as_long_as_what_they_name(entry: Entry) -> None:
    assert set(entry.labels) <= set(LABELS)
    assert ("node_id" in entry.labels) == (entry.life is Life.NODE)
    assert ("cluster" in entry.labels) == (entry.life is not Life.ALWAYS)
    assert (entry.life is Life.MONEY) <= (entry.kind is MetricKind.COUNTER)


def test_every_label_explained_is_used() -> None:
    assert set(LABELS) == {label for entry in CATALOGUE for label in entry.labels}


def test_names_are_unique() -> None:
    names = [entry.name for entry in CATALOGUE]
    assert len(set(names)) == len(names)


def test_the_page_is_made_from_the_catalogue() -> None:
    assert PAGE.read_text(encoding="utf-8") == rendered(), "run make reference"


def test_a_sample_with_a_label_too_few_is_refused() -> None:
    nodes = next(entry for entry in CATALOGUE if entry.base == "nodes")
    with pytest.raises(ValueError, match="labels"):
        Families([nodes]).add(nodes, 1, "demo", "head")
