"""Flows: a table of Grafana's drawn as a diagram, with what is not known in words."""

from __future__ import annotations

import datetime as dt
from typing import Any

from dashboards.grafana.build import DEFINITIONS, dashboard_json
from dashboards.preview.drawing import Canvas, Chart
from dashboards.preview.macros import parse_range
from dashboards.preview.model import load
from dashboards.preview.reader import Rows
from dashboards.preview.render import render
from dashboards.preview.theme import Theme
from dashboards.preview.view import View
from schemas.words import Language

NOW = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)
CANVAS = Canvas(
    Theme.DARK.colors, Language.EN, "Asia/Shanghai", parse_range("now-6h", "now", NOW), View("plant-energy")
)
(BUILT,) = (dashboard_json(each, Language.EN) for each in DEFINITIONS if each.slug == "plant-energy")
(PANEL,) = (panel for panel in load(BUILT).panels if panel.type == "sankey")


def _drawn(*rows: tuple[str, str, float | None]) -> dict[str, Any]:
    drawing = render(PANEL, Rows(["flow_from", "flow_to", "flow"], list(rows)), CANVAS)
    assert isinstance(drawing, Chart)
    return drawing.options


def test_grafana_shows_the_same_rows_as_a_table() -> None:
    """It has no such diagram."""
    (built,) = (panel for panel in BUILT["panels"] if panel["id"] == PANEL.id)
    assert built["type"] == "table"


def test_a_meter_that_feeds_and_one_that_is_fed_may_bear_one_name() -> None:
    """A diagram that leads in a circle cannot be drawn."""
    (series,) = _drawn(("Main", "Σ gas", 5.0), ("Σ gas", "Main", 5.0))["series"]
    links = {(link["source"], link["target"]) for link in series["links"]}
    assert len({name for link in links for name in link}) == 3
    assert ("Σ gas", "Main") in links


def test_what_is_not_known_is_named_and_has_no_width() -> None:
    """Below the diagram; in its place where nothing is known."""
    some = _drawn(("Main", "Σ gas", 5.0), ("Σ steam", "unknown", None))
    assert some["title"]["text"] == "unknown: Σ steam"
    assert len(some["series"][0]["links"]) == 1
    assert _drawn(("Σ steam", "unknown", None))["title"]["text"] == "unknown: Σ steam"
    assert _drawn()["title"]["text"] == "comes after the first whole day of readings"
