"""The committed dashboards are what the code makes, and Grafana's own model knows every field of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.boards.__main__ import DASHBOARDS
from grafana.boards.all import rendered

plugins.register_default_plugins()


def without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [without_nulls(inner) for inner in value]
    return value


def lost(before: object, after: object, where: str = "") -> Iterator[str]:
    """Where ``after`` lacks something of ``before`` or says something else."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            yield from lost(value, after.get(key), f"{where}.{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from lost(old, new, f"{where}[{index}]")
    elif before != after:
        yield f"{where}: {before!r} became {after!r}"


def round_trip(text: str) -> list[str]:
    """What Grafana's model does not keep of a dashboard."""
    source = json.loads(text)
    back = json.loads(JSONEncoder().encode(Dashboard.from_json(source)))
    return list(lost(without_nulls(source), without_nulls(back)))


def test_generating_again_changes_nothing() -> None:
    committed = {path.name: path.read_text(encoding="utf-8") for path in DASHBOARDS.iterdir()}
    assert committed == dict(rendered()), "run make dashboards"


@pytest.mark.parametrize("name", sorted(rendered()))
def test_grafanas_model_knows_every_field(name: str) -> None:
    assert round_trip(Path(DASHBOARDS / name).read_text(encoding="utf-8")) == []


def test_a_field_grafana_does_not_know_would_be_found() -> None:
    source = json.loads(rendered()["overview.json"])
    source["panels"][0]["titel"] = "misspelt"
    assert round_trip(json.dumps(source)) == [".panels[0].titel: 'misspelt' became None"]
