"""docs/METRICS.md, made from the catalogue: ``python -m golem_bridge.telemetry.reference``."""

from __future__ import annotations

from collections.abc import Iterable

from golem_bridge.telemetry.catalogue import CATALOGUE, LABELS

HEAD = """\
# Metrics

Made from the table in `services/bridge/golem_bridge/telemetry/catalogue.py` by `make reference`: change it there.

The bridge serves these at `/metrics`; Prometheus asks every 5 s and shows `run/metrics/token` of its container. Amounts
are GLM as floating point, for display only: the books keep wei. Counters are computed from the books at each scrape, so
they survive restarts. yagna's own metrics (`market_*`, `payment_*`, `activity_*`, `yagna_*`) are scraped as they come;
they begin at 0 with each start of yagna.
"""


def rendered() -> str:
    """The whole page."""
    metrics = _table(
        ("Metric", "Type", "Unit", "Labels", "There", "Meaning"),
        (
            (f"`{entry.name}`", entry.kind.value, entry.unit, _labels(entry.labels), entry.life.value, entry.help)
            for entry in CATALOGUE
        ),
    )
    labels = _table(("Label", "Holds"), ((f"`{name}`", meaning) for name, meaning in LABELS.items()))
    return f"{HEAD}\n{metrics}\n## Labels\n\n{labels}"


def _labels(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "–"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    print(rendered(), end="")  # noqa: T201 - this is the program's output
