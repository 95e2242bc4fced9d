"""Free text (names, cities, reasons) is text wherever a page is HTML: tables, figures, charts' tooltips."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

import pytest

from dashboards.grafana.build import DEFINITIONS, dashboard_json
from dashboards.preview.drawing import Canvas, Chart
from dashboards.preview.macros import parse_range
from dashboards.preview.model import load
from dashboards.preview.reader import Rows
from dashboards.preview.render import RENDERERS, render
from dashboards.preview.theme import Theme
from dashboards.preview.view import View
from schemas.words import Language

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.preview.model import Panel

HOSTILE = '<img src=x onerror="top.hit=1">'
NUMBERS = {"flow": 5.0, "map_lon": 112.6, "map_lat": 37.9}
"""Without them a diagram has nothing to name."""
NOW = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)
CANVAS = Canvas(
    Theme.DARK.colors, Language.EN, "Asia/Shanghai", parse_range("now-6h", "now", NOW), View("plant-energy")
)
PANELS = {
    f"{definition.slug}-{panel.id}-{panel.type}": panel
    for definition in DEFINITIONS
    for panel in load(dashboard_json(definition, Language.EN)).panels
}
OVER_TIME = {"timeseries", "state-timeline", "heatmap"}


def _rows(panel: Panel) -> Rows:
    columns = [*panel.fields, *(name for name in ("city_key", "sets") if panel.type == "map")]
    columns = list(dict.fromkeys(columns))
    row = [NUMBERS.get(name, HOSTILE) for name in columns]
    return Rows(["time", *columns], [(NOW, *row)]) if panel.type in OVER_TIME else Rows(columns, [tuple(row)])


def _markup(part: object, *, is_markup: bool = False) -> Iterator[str]:
    """Every text of a chart's options that the browser takes as HTML."""
    if isinstance(part, dict):
        for key, value in part.items():
            yield from _markup(value, is_markup=is_markup or key in {"tooltip", "about"})
    elif isinstance(part, list | tuple):
        for value in part:
            yield from _markup(value, is_markup=is_markup)
    elif is_markup and isinstance(part, str):
        yield part


@pytest.mark.parametrize("panel", PANELS.values(), ids=PANELS.keys())
def test_a_hostile_name_is_text_in_every_panel(panel: Panel) -> None:
    """Every column that may hold text holds markup; none of it reaches the page as markup."""
    drawing = render(panel, _rows(panel), CANVAS)
    written = list(_markup(drawing.options)) if isinstance(drawing, Chart) else [drawing.content]
    assert not any("<img" in text for text in written)


def test_every_kind_of_chart_is_among_them() -> None:
    """A new one is drawn with hostile names too."""
    assert {panel.type for panel in PANELS.values()} == RENDERERS.keys()


@pytest.mark.parametrize("kind", ["sankey", "map", "state-timeline", "heatmap"])
def test_a_tooltip_that_a_chart_writes_itself_says_the_name(kind: str) -> None:
    """Escaped, not left out."""
    panel = next(panel for panel in PANELS.values() if panel.type == kind)
    rows = _rows(panel) if kind != "heatmap" else Rows(["time", HOSTILE], [(NOW, 1.0)])
    drawing = render(panel, rows, CANVAS)
    assert isinstance(drawing, Chart)
    written = json.dumps(list(_markup(drawing.options)))
    assert "<img" not in written
    assert "&lt;img" in written
