"""What a panel draws: unknown stays unknown, text is escaped, units and thresholds are the definition's."""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import replace
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from dashboards.grafana.build import DEFINITIONS, dashboard_json
from dashboards.kit import panels
from dashboards.kit.dashboard import Definition
from dashboards.kit.fields import Cell, Field, Link
from dashboards.kit.panels import About
from dashboards.preview.drawing import Canvas, Chart, Html, Mark
from dashboards.preview.formats import duration, measure, show
from dashboards.preview.macros import parse_range
from dashboards.preview.model import load
from dashboards.preview.reader import Rows
from dashboards.preview.render import HTML_TYPES, render
from dashboards.preview.theme import Theme, heat, ink_on
from dashboards.preview.view import View
from schemas.words import Language, Text

if TYPE_CHECKING:
    from dashboards.preview.model import Panel

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
VIEW = View("plant-energy", Language.EN, Theme.DARK, "now-6h")
CANVAS = Canvas(Theme.DARK.colors, Language.EN, "Asia/Shanghai", parse_range("now-6h", "now", NOW), VIEW)
PANELS = {
    f"{definition.slug}-{panel.id}-{panel.type}": panel
    for definition in DEFINITIONS
    for panel in load(dashboard_json(definition, Language.EN)).panels
}
every_panel = pytest.mark.parametrize("panel", PANELS.values(), ids=PANELS.keys())


def _columns(panel: Panel) -> list[str]:
    leading = ["time"] if panel.type in {"timeseries", "state-timeline", "heatmap"} else []
    return leading + list(panel.fields)


@every_panel
def test_no_rows_are_drawn_as_words(panel: Panel) -> None:
    """An empty answer is said in words, never drawn as zero."""
    drawing = render(panel, Rows(_columns(panel), []), CANVAS)
    assert isinstance(drawing, Html if panel.type in HTML_TYPES else Chart)
    said = drawing.content if isinstance(drawing, Html) else json.dumps(drawing.options)
    assert panel.no_value in said or "unknown" in said or "never" in said


@every_panel
def test_nulls_are_drawn_as_unknown(panel: Panel) -> None:
    """A row of nulls shows the field's word for unknown and no figure at all."""
    row: list[Any] = [NOW if name == "time" else None for name in _columns(panel)]
    if panel.type == "barchart":
        row[0] = "x"
    drawing = render(panel, Rows(_columns(panel), [tuple(row)]), CANVAS)
    if isinstance(drawing, Html):
        assert "is-unknown" in drawing.content
        assert ">0<" not in drawing.content
    elif panel.type == "timeseries":
        assert all(point[1] is None for series in drawing.options["series"] for point in series["data"])
    elif panel.type == "barchart" and panel.options["orientation"] == "horizontal":
        assert drawing.options["title"]["text"] == "unknown"


def test_heat_is_written_as_well_as_coloured() -> None:
    """More is darker, the figure stands in the cell; nothing, and what is not known, have no colour."""
    field = Field(name="sets", label=Text("组", "Sets"), decimals=0, minimum=0, maximum=10, cell=Cell.HEAT)
    panel = _table(field)
    nothing, few, many, none = (_html(panel, Rows(["sets"], [(amount,)])) for amount in (0, 1, 10, None))
    assert ">0<" in nothing
    assert "background" not in nothing
    assert ">1<" in few
    assert ">10<" in many
    assert f"background:{heat(10, 0, 10)}" in many
    assert f"background:{heat(1, 0, 10)}" in few
    assert "background" not in none
    assert "unknown" in none


def test_a_long_reason_of_a_table_goes_on_in_further_lines() -> None:
    """As in Grafana, where the column says so: half a reason is none."""
    panel = PANELS["meter-4-table"]
    assert panel.fields["rule"].custom["wrapText"] is True
    row = ["stands for longer than it ever rests" if name == "rule" else None for name in panel.fields]
    drawing = render(panel, Rows(list(panel.fields), [tuple(row)]), CANVAS)
    assert isinstance(drawing, Html)
    assert '<span class="lines">stands for longer than it ever rests</span>' in drawing.content


def test_a_bar_never_leaves_its_track() -> None:
    """A share above its maximum fills the bar and says the figure; an unknown one is an empty bar."""
    panel = _table(Field(name="share", unit="%", decimals=0, minimum=0, maximum=100, cell=Cell.GAUGE))
    assert "width:100.0%" in _html(panel, Rows(["share"], [(140,)]))
    assert "140" in _html(panel, Rows(["share"], [(140,)]))
    unknown = _html(panel, Rows(["share"], [(None,)]))
    assert "width:0.0%" in unknown
    assert "unknown" in unknown


def test_a_link_carries_what_its_row_is_about() -> None:
    """Dashboard, range, language and the row's own identifier; a row without one has no link; the column is hidden."""
    link = Link("meter", Text("表计", "Meter"), {"site": "site_id", "meter": "device_id"})
    panel = _table(
        Field(name="device_id", hidden=True), Field(name="site_id", hidden=True), Field(name="name", link=link)
    )
    rows = Rows(["device_id", "site_id", "name"], [("a&b", "s1", "A"), (None, "s1", "B")])
    drawn = _html(panel, rows)
    (address,) = re.findall(r'href="([^"]*)"', drawn)
    led = urlsplit(unescape(address))
    assert led.path == "/d/meter"
    query = dict(parse_qsl(led.query))
    assert (query["var-site"], query["var-meter"], query["from"], query["lang"]) == ("s1", "a&b", "now-6h", "en")
    assert "device_id" not in drawn


def test_what_a_heat_map_does_not_know_is_an_empty_cell() -> None:
    """A null is no cell, not the lowest colour."""
    (panel,) = (p for p in PANELS.values() if p.type == "heatmap" and "reporting" in p.title)
    columns = _columns(panel)
    rows = Rows(columns, [(NOW, 98.0, None, *([50.0] * (len(columns) - 3)))])
    drawing = render(panel, rows, CANVAS)
    assert isinstance(drawing, Chart)
    cells = drawing.options["series"][0]["data"]
    assert [0, 0, 98.0] in cells
    assert not any(level == 1 for _, level, _ in cells)


def _table(*fields: Field) -> Panel:
    """A table of these fields, as the preview reads it."""
    about = About(
        language=Language.EN, title=Text("表", "Table"), description=Text("来源", "Source"), width=24, height=4
    )
    definition = Definition(
        slug="x", title=Text("x", "x"), description=Text("x", "x"), refresh="5s", variables=[],
        panels=lambda _: [panels.table(about, "SELECT 1", *fields)],
    )  # fmt: skip
    return load(dashboard_json(definition, Language.EN)).panels[0]


def _html(panel: Panel, rows: Rows) -> str:
    drawing = render(panel, rows, CANVAS)
    assert isinstance(drawing, Html)
    return drawing.content


def test_text_from_the_database_is_escaped() -> None:
    """A device named like a script stays a name."""
    (panel,) = (p for p in PANELS.values() if p.title == "Meters")
    row = tuple("<script>alert(1)</script>" for _ in panel.fields)
    drawing = render(panel, Rows(list(panel.fields), [row]), CANVAS)
    assert isinstance(drawing, Html)
    assert "<script" not in drawing.content
    assert "&lt;script" in drawing.content


@pytest.mark.parametrize(("known_h", "begins_h"), [((5, 4, 1), 6), ((1, 0.5), 1.05), ((), 6)])
def test_a_long_view_of_few_days_begins_with_them(known_h: tuple[float, ...], begins_h: float) -> None:
    """Data that fill only the end of the range fill the chart; else the axis is the page's range."""
    panel = next(each for each in PANELS.values() if each.type == "timeseries")
    column = next(iter(panel.fields))
    known: list[tuple[object, ...]] = [(NOW - dt.timedelta(hours=hours), 1.0) for hours in known_h]
    rows = [(NOW - dt.timedelta(hours=5.5), None), *known]
    drawing = render(panel, Rows(["time", column], rows), CANVAS)
    assert isinstance(drawing, Chart)
    assert drawing.options["xAxis"]["min"] == CANVAS.wall_ts(NOW - dt.timedelta(hours=begins_h))
    assert drawing.options["xAxis"]["max"] == CANVAS.wall_ts(NOW)


@pytest.mark.parametrize(("compared", "names"), [(1.0, 2), (None, 1)])
def test_a_compared_time_that_is_not_there_has_no_place_in_the_legend(compared: float | None, names: int) -> None:
    """Neither line nor word of it; what is measured keeps its word, known or not."""
    panel = next(each for each in PANELS.values() if "compared" in each.fields and len(each.fields) == 2)
    (measured,) = set(panel.fields) - {"compared"}
    drawing = render(panel, Rows(["time", measured, "compared"], [(NOW, None, compared)]), CANVAS)
    assert isinstance(drawing, Chart)
    assert len(drawing.options["series"]) == names


def test_the_axis_reads_as_the_plants_wall_clock() -> None:
    """Noon in UTC is 20:00 on a Shanxi axis, wherever the browser is."""
    assert CANVAS.wall_ts(NOW) - round(NOW.timestamp() * 1000) == 8 * 3_600_000


@pytest.mark.parametrize(
    ("amount", "unit", "decimals", "shown"),
    [
        (0.987, "percentunit", 0, ("99", "%")),
        (-42.46, "suffix: A", 1, ("−42.5", "A")),
        (-0.04, "suffix: A", 1, ("0.0", "A")),
        (1234567.8, "suffix: kWh", 0, ("1,234,568", "kWh")),
        (3, "", None, ("3", "")),
    ],
)
def test_a_number_has_its_unit_and_decimals(amount: float, unit: str, decimals: int, shown: tuple[str, str]) -> None:
    """Units, decimals and signs are as Grafana's, with thousands set apart and no minus before zero."""
    assert measure(amount, unit, decimals) == shown


@pytest.mark.parametrize(("seconds", "text"), [(4.2, "4 s"), (90, "1.5 min"), (7200, "2.0 h"), (200_000, "2.3 d")])
def test_a_duration_is_in_its_largest_unit(seconds: float, text: str) -> None:
    """Ages read at a glance."""
    assert " ".join(duration(seconds)) == text


def test_coverage_is_coloured_and_written() -> None:
    """Thresholds colour a figure that is there to read as well."""
    field = next(panel for panel in PANELS.values() if "coverage" in panel.fields).field("coverage")
    good, half, bad = (show(value, field, no_value="", zone="UTC") for value in (0.995, 0.7, 0.2))
    assert len({good.color, half.color, bad.color}) == 3
    assert [good.full, half.full, bad.full] == ["100 %", "70 %", "20 %"]


def test_words_on_blocks_can_be_read() -> None:
    """Text in a state block is dark on light and light on dark."""
    assert ink_on("#ffffff") != ink_on("#000000") == "#ffffff"


def test_an_alarm_is_marked_on_a_chart_of_its_page() -> None:
    """A mark is an upright line at its moment, in its colour, and says what it was."""
    panel = next(p for p in PANELS.values() if p.type == "timeseries")
    rows = Rows(_columns(panel), [(NOW, *([1.0] * len(panel.fields)))])
    drawing = render(panel, rows, replace(CANVAS, marks=(Mark(NOW, "high · leak", "#dd4f4a"),)))
    assert isinstance(drawing, Chart)
    (mark,) = drawing.options["series"][0]["markLine"]["data"]
    assert (mark["name"], mark["xAxis"]) == ("high · leak", CANVAS.wall_ts(NOW))
    assert "markLine" not in render(panel, rows, CANVAS).options["series"][0]  # type: ignore[union-attr]


def test_a_heat_map_s_bucket_ends_at_its_time() -> None:
    """As Grafana takes it: the row of 20:00 and an hour is the cell from 19:00, and what ended before is not drawn."""
    panel = next(p for p in PANELS.values() if p.type == "heatmap" and "reporting" in p.title)
    columns = _columns(panel)
    values = [50.0] * (len(columns) - 1)
    ends = [NOW - dt.timedelta(hours=hours) for hours in (6, 5, 0)]
    drawing = render(panel, Rows(columns, [(end, *values) for end in ends]), CANVAS)
    assert isinstance(drawing, Chart)
    assert drawing.options["xAxis"]["data"] == [CANVAS.wall_ts(end) - 3_600_000 for end in ends[1:]]


def test_no_row_has_one_grey_word() -> None:
    """Without a row there is no field in Grafana, so no field's colour: the panel's word stands alone."""
    panel = next(p for p in PANELS.values() if p.type == "stat" and len(p.fields) > 2)
    drawing = render(panel, Rows(_columns(panel), []), CANVAS)
    assert isinstance(drawing, Html)
    assert drawing.content.count(f">{panel.no_value}<") == 1
    assert "is-unknown" in drawing.content


def test_a_text_with_a_mark_has_its_colour() -> None:
    """A length of time that is too long begins with a cross and is red, as Grafana's mapping makes it."""
    panel = _table(Field(name="age", marked=True, width=90))
    good, bad = (_html(panel, Rows(["age"], [(text,)])) for text in ("● 12 s", "✕ 1.4 h"))
    assert good != bad
    assert CANVAS.colors.ink("#dd4f4a") in bad
    assert CANVAS.colors.ink("#2f9e6e") in good


@pytest.mark.parametrize(("words", "is_long"), [("健康度低、备电达不到合同", True), ("未知", False)])
def test_a_long_reason_goes_on_in_a_second_line(words: str, is_long: bool) -> None:  # noqa: FBT001 - a parameter of the case
    """Cut, it would not say what it is for."""
    panel = next(each for each in PANELS.values() if each.type == "stat" and len(each.fields) == 1)
    (column,) = panel.fields
    drawing = render(panel, Rows([column], [(words,)]), CANVAS)
    assert isinstance(drawing, Html)
    assert ("is-long" in drawing.content) == is_long
