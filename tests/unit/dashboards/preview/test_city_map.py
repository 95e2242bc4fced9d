"""The map of the province: a table of Grafana's, drawn where its rows lie."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from dashboards.grafana.build import DEFINITIONS, dashboard_json
from dashboards.parts.cities.city_map import ACT, GOOD, LOOK, SEATS, UNKNOWN
from dashboards.preview.drawing import Canvas, Chart
from dashboards.preview.macros import parse_range
from dashboards.preview.model import load
from dashboards.preview.reader import Rows
from dashboards.preview.render import render
from dashboards.preview.theme import Theme
from dashboards.preview.view import View
from dashboards.words import labels
from schemas.words import Language, Text

NOW = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)
CANVAS = Canvas(Theme.DARK.colors, Language.EN, "Asia/Shanghai", parse_range("now-6h", "now", NOW), View("province"))
(BUILT,) = (dashboard_json(each, Language.EN) for each in DEFINITIONS if each.slug == "province")
(PANEL,) = (panel for panel in load(BUILT).panels if panel.type == "map")
COLUMNS = ["city_key", "city", "map_lon", "map_lat", "state", "plants", "sets", "alarms", "out"]


def _drawn(*rows: tuple[object, ...]) -> dict[str, Any]:
    drawing = render(PANEL, Rows(COLUMNS, list(rows)), CANVAS)
    assert isinstance(drawing, Chart)
    return drawing.options


def test_every_city_of_the_catalogue_has_its_place_in_the_province() -> None:
    """Between 34.5 and 40.8 degrees north, 110.2 and 114.6 east."""
    assert SEATS.keys() == labels.CITY.keys()
    assert all(34.5 < at.latitude < 40.8 and 110.2 < at.longitude < 114.6 for at in SEATS.values())


@pytest.mark.parametrize(
    ("state", "symbol"), [(ACT, "triangle"), (LOOK, "diamond"), (GOOD, "circle"), (UNKNOWN, "emptyCircle")]
)
def test_a_state_has_a_shape_as_well_as_a_colour(state: Text, symbol: str) -> None:
    """Unknown is a hollow grey ring, never green."""
    (series,) = _drawn(("太原", "Taiyuan", 112.6, 37.9, state(Language.EN), 1, 17, 0, 0))["series"]
    assert series["data"][0]["symbol"] == symbol


def test_a_place_leads_to_its_sets_and_tells_its_figures_escaped() -> None:
    """As the table's link does; what is not known is said."""
    (series,) = _drawn(("<b>", "<b>", 112.6, 37.9, "● good", 1, 1700, 0, None))["series"]
    (point,) = series["data"]
    assert point["address"].startswith("/d/battery-fleet?")
    assert "<b>" not in point["about"]
    assert "1,700" in point["about"]
    assert PANEL.no_value in point["about"]


def test_a_city_whose_place_is_not_known_is_named_below_the_map_with_its_state() -> None:
    """What needs somebody stands first; in the map's place where no city has one, and without any city it says so."""
    known = ("太原", "Taiyuan", 112.6, 37.9, "● good", 1, 17, 0, 0)
    quiet = ("天津", "天津", None, None, "○ unknown", 1, 1, 0, 0)
    good = ("保定", "保定", None, None, "● good", 1, 1, 0, 0)
    act = ("北京", "北京", None, None, "✕ act", 1, 1, 3, 0)
    drawn = _drawn(known, quiet, good, act)
    assert len(drawn["series"][0]["data"]) == 1
    assert drawn["title"]["show"]
    assert drawn["title"]["text"] == "not on the map: ✕ 北京, ○ 天津, ● 保定"
    assert _drawn(known, quiet, good, act, good)["title"]["text"].endswith("● 保定\n● 保定")
    assert _drawn(act)["title"]["text"] == "not on the map: ✕ 北京"
    assert not _drawn(known)["title"]["show"]
    assert _drawn()["title"]["text"] == PANEL.no_value
