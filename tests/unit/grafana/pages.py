"""The committed dashboards, read as what Grafana will show."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
GRAFANA = ROOT / "grafana"
FILES = sorted((GRAFANA / "dashboards").glob("*.json"))

STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
METRIC = re.compile(r"(?<![\w:$])[a-zA-Z_][a-zA-Z0-9_:]*[_:][a-zA-Z0-9_:]+")
GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
FUNCTIONS = frozenset({"group_left", "group_right", "label_replace", "label_join", "count_values", "clamp_min"})

Rule = dict[str, Any]


@dataclass(frozen=True)
class Panel:
    """One panel of one page; ``queries`` are PromQL."""

    page: str
    title: str
    kind: str
    raw: Any

    @property
    def queries(self) -> list[str]:
        return [target["expr"] for target in self.raw.get("targets", [])]

    @property
    def defaults(self) -> Any:  # noqa: ANN401 - JSON
        return self.raw.get("fieldConfig", {}).get("defaults", {})


def pages() -> dict[str, Any]:
    """File name to dashboard."""
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in FILES}


def panels() -> list[Panel]:
    """Every panel but the rows, those inside collapsed rows too."""
    return [
        Panel(page=name, title=raw.get("title", ""), kind=raw["type"], raw=raw)
        for name, page in pages().items()
        for raw in _flat(page["panels"])
    ]


def rules() -> list[Rule]:
    """Every rule of Prometheus, recording and alerting."""
    files = sorted((ROOT / "docker" / "prometheus" / "rules").glob("*.yml"))
    groups = [group for path in files for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def metrics_of(expression: str) -> set[str]:
    """Names of metrics in PromQL, as far as they have an underscore."""
    bare = STRING.sub('""', expression)
    bare = re.sub(r"\{[^}]*\}", "", GROUPING.sub("", bare))
    bare = re.sub(r"\[[^\]]*\]", "", bare)
    functions = set(re.findall(r"\b([a-z_]+)\s*\(", bare))
    return set(METRIC.findall(bare)) - functions - FUNCTIONS


def _flat(raw_panels: list[Any]) -> Iterator[Any]:
    for raw in raw_panels:
        if raw["type"] == "row":
            yield from _flat(raw.get("panels", []))
        else:
            yield raw
