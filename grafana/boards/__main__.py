"""Writes every dashboard: ``python -m grafana.boards``."""

from __future__ import annotations

from pathlib import Path

from grafana.boards.all import rendered

DASHBOARDS = Path(__file__).parents[1] / "dashboards"


def main() -> None:
    """One JSON file per dashboard."""
    for name, text in rendered().items():
        (DASHBOARDS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
