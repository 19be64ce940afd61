"""What is said of one metric."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

PREFIX = "rayongolem"


class MetricKind(StrEnum):
    """How Prometheus reads it."""

    INFO = "info"
    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


class Life(StrEnum):
    """How long a series is there."""

    ALWAYS = "always"
    CLUSTER = "while the cluster is not closed"
    NODE = "while the node lives"
    MONEY = "for ever: it counts money"


@dataclass(frozen=True, slots=True)
class Entry:
    """One metric. ``base`` is its name without prefix and without the suffix its kind adds."""

    base: str
    kind: MetricKind
    unit: str
    help: str
    labels: tuple[str, ...] = ()
    life: Life = Life.ALWAYS
    buckets: tuple[float, ...] = field(default=())

    @property
    def family(self) -> str:
        """The name as prometheus_client wants it."""
        return f"{PREFIX}_{self.base}"

    @property
    def name(self) -> str:
        """The name as Prometheus stores it; a histogram's is the stem of _bucket, _sum and _count."""
        suffix = {MetricKind.INFO: "_info", MetricKind.COUNTER: "_total"}.get(self.kind, "")
        return self.family + suffix

    @property
    def stored_names(self) -> tuple[str, ...]:
        """The names of its series."""
        if self.kind is MetricKind.HISTOGRAM:
            return tuple(f"{self.family}_{part}" for part in ("bucket", "sum", "count"))
        return (self.name,)
