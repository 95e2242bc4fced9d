"""Figures for Prometheus, read when they are asked for: counting costs the hot path nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import REGISTRY, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector as Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


class _Figures(Source):
    def __init__(self, prefix: str, counters: Callable[[], Mapping[str, float]]) -> None:
        self._prefix = prefix
        self._counters = counters

    def collect(self) -> Iterable[CounterMetricFamily | GaugeMetricFamily]:
        for name, value in self._counters().items():
            family = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
            yield family(f"{self._prefix}_{name.removesuffix('_total')}", name.replace("_", " "), value=value)


def serve(port: int | None, prefix: str, counters: Callable[[], Mapping[str, float]]) -> None:
    """Answer GET /metrics on a port, in a thread; no port, no metrics. Names ending in `_total` are counters."""
    if port is not None:
        REGISTRY.register(_Figures(prefix, counters))
        start_http_server(port)
