"""A table of places, drawn where they lie: no tiles, so nothing is asked of the internet."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from dashboards.kit.fields import MARKS
from dashboards.preview.drawing import Canvas, Chart
from dashboards.preview.figures.charts import base, note, note_below
from dashboards.preview.formats import number
from dashboards.words import labels

if TYPE_CHECKING:
    from dashboards.preview.model import FieldConfig, Panel
    from dashboards.preview.reader import Rows

SYMBOLS = {"●": "circle", "◐": "diamond", "✕": "triangle", "○": "emptyCircle"}
"""Colour says what shape also says."""
WORST_FIRST = "✕◐○●"
SMALLEST_PX, LARGEST_PX = 10.0, 26.0
ROOM = 0.25
"""Degrees around the outermost places."""
CLOSE_LON, CLOSE_LAT = 0.35, 0.35
"""Degrees within which a place to the east is in the way of a name."""

NAMED_A_LINE, LINE_PX = 3, 15
"""Of cities that have no place on the map: so many names stand in a line below it, each line so high."""


def city_map(panel: Panel, rows: Rows, canvas: Canvas) -> Chart:
    """Draw each place by longitude and latitude, marked by its state; pointing at it tells its figures.

    What has no place on it is named below it with its state: a city that needs somebody is never left out.
    """
    colors = canvas.colors
    places = [dict(zip(rows.columns, row, strict=True)) for row in rows.rows]
    known = [place for place in places if place["map_lon"] is not None]
    below = _nowhere([place for place in places if place["map_lon"] is None], canvas)
    most = max((number(place["sets"]) or 0 for place in known), default=0) or 1
    lons = [number(place["map_lon"]) or 0.0 for place in known]
    lats = [number(place["map_lat"]) or 0.0 for place in known]
    shown = [field for name, field in panel.fields.items() if not field.custom.get("hideFrom.viz") and name != "city"]
    hidden_axis = {"show": False, "type": "value"}
    return Chart(
        base(canvas)
        | {
            "title": note_below(below, canvas) if known else note(below or panel.no_value, canvas),
            "grid": {"left": 40, "right": 70, "top": 16, "bottom": 16 + LINE_PX * len(below.splitlines())},
            "xAxis": hidden_axis | {"min": min(lons, default=0) - ROOM, "max": max(lons, default=1) + ROOM},
            "yAxis": hidden_axis | {"min": min(lats, default=0) - ROOM, "max": max(lats, default=1) + ROOM},
            "tooltip": base(canvas)["tooltip"] | {":formatter": "p => p.data.about"},
            "series": [
                {
                    "type": "scatter",
                    "cursor": "pointer",
                    "data": [
                        _point(place, shown, panel, most, canvas)
                        | {"label": {"position": "left" if _is_crowded(at, lons, lats) else "right"}}
                        for at, place in enumerate(known)
                    ],
                    "label": {"show": True, "color": colors.text, "fontSize": 12, ":formatter": "p => p.data.name"},
                }
            ],
        }
    )


def _nowhere(places: list[dict[str, object]], canvas: Canvas) -> str:
    """Names of cities whose place is not known, each behind its mark; those that need somebody come first."""
    marked = [(str(place["state"])[:1], str(place["city"])) for place in places]
    marked.sort(key=lambda each: WORST_FIRST.find(each[0]))
    names = [f"{mark} {city}" for mark, city in marked]
    lines = [", ".join(names[at : at + NAMED_A_LINE]) for at in range(0, len(names), NAMED_A_LINE)]
    return "\n".join([f"{labels.NOT_ON_THE_MAP(canvas.language)}: {lines[0]}", *lines[1:]]) if lines else ""


def _point(
    place: dict[str, object], shown: list[FieldConfig], panel: Panel, most: float, canvas: Canvas
) -> dict[str, Any]:
    state = str(place["state"])
    share = (number(place["sets"]) or 0.0) / most
    figures = [f"{field.label}: {_written(place[field.name], panel)}" for field in shown]
    (link,) = panel.field("city").properties.get("links", ()) or ({"url": ""},)
    return {
        "name": str(place["city"]),
        "value": [place["map_lon"], place["map_lat"]],
        "symbol": SYMBOLS.get(state[:1], "emptyCircle"),
        "symbolSize": SMALLEST_PX + (LARGEST_PX - SMALLEST_PX) * share,
        "itemStyle": {"color": canvas.colors.fill(MARKS.get(state[:1], MARKS["○"]))},
        "about": "<br>".join(escape(text) for text in (str(place["city"]), *figures)),
        "address": canvas.view.follow(link["url"], place),
    }


def _is_crowded(at: int, lons: list[float], lats: list[float]) -> bool:
    """Whether another place lies close to the east, where a name would stand on it."""
    return any(
        0 < lon - lons[at] < CLOSE_LON and abs(lat - lats[at]) < CLOSE_LAT for lon, lat in zip(lons, lats, strict=True)
    )


def _written(value: object, panel: Panel) -> str:
    amount = number(value)
    return f"{amount:,.0f}" if amount is not None else str(value) if value is not None else panel.no_value
