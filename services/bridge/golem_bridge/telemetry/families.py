"""Samples gathered for one scrape, with exactly the labels the catalogue names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from golem_bridge.telemetry.entry import Entry, MetricKind


class Families:
    """One metric family per entry, there even while it has no sample."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._families = {entry.base: _family(entry) for entry in entries}

    def add(self, entry: Entry, value: float, *labels: str) -> None:
        """One sample; labels in the catalogue's order."""
        _check(entry, labels)
        family = self._families[entry.base]
        assert isinstance(family, GaugeMetricFamily | CounterMetricFamily)
        family.add_metric(labels, value)

    def add_histogram(self, entry: Entry, counts: Sequence[int], total: float, *labels: str) -> None:
        """One histogram; ``counts`` per bucket, not cumulated, the last one beyond all bounds."""
        _check(entry, labels)
        family = self._families[entry.base]
        assert isinstance(family, HistogramMetricFamily)
        bounds = [*(str(bound) for bound in entry.buckets), "+Inf"]
        family.add_metric(labels, list(zip(bounds, accumulate(counts), strict=True)), total)

    def collected(self) -> Iterable[Metric]:
        """In the catalogue's order."""
        return self._families.values()


def _family(entry: Entry) -> Metric:
    if entry.kind is MetricKind.COUNTER:
        return CounterMetricFamily(entry.family, entry.help, labels=entry.labels)
    if entry.kind is MetricKind.HISTOGRAM:
        return HistogramMetricFamily(entry.family, entry.help, labels=entry.labels)
    return GaugeMetricFamily(entry.name, entry.help, labels=entry.labels)


def _check(entry: Entry, labels: Sequence[str]) -> None:
    if len(labels) != len(entry.labels):
        raise ValueError(f"{entry.name} has the labels {entry.labels}, not {len(labels)} of them")
