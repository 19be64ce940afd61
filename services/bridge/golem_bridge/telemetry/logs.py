"""Counts the log's messages by level."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, MutableMapping
from typing import Any

LEVELS = ("debug", "info", "warning", "error", "critical")


class LogCounts:
    """A processor of structlog; to be put after the one that adds the level."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def __call__(self, _logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        self._counts[event["level"]] += 1
        return event

    @property
    def by_level(self) -> Mapping[str, int]:
        """Every level is there."""
        return {level: self._counts[level] for level in LEVELS}
