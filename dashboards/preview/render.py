"""From a panel's type to its drawing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.preview import drawing
from dashboards.preview.figures import charts, city_map, heat, sankey, timeline

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dashboards.preview.drawing import Canvas, Drawing
    from dashboards.preview.model import Panel
    from dashboards.preview.reader import Rows

RENDERERS: Mapping[str, Callable[[Panel, Rows, Canvas], Drawing]] = {
    "stat": drawing.stat,
    "table": drawing.table,
    "gauge": charts.gauge,
    "timeseries": charts.timeseries,
    "barchart": charts.bar_chart,
    "heatmap": heat.heatmap,
    "map": city_map.city_map,
    "sankey": sankey.sankey,
    "state-timeline": timeline.state_timeline,
}
"""Grafana's panel types that the preview draws. A new type is one function and one line here."""

HTML_TYPES = frozenset({"stat", "table"})
"""Types drawn as HTML; the others are charts."""


def render(panel: Panel, rows: Rows, canvas: Canvas) -> Drawing:
    """Draw a panel's rows."""
    return RENDERERS[panel.type](panel, rows, canvas)
