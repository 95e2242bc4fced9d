"""A panel's rows as CSV: what the page shows, in full precision, safe for a spreadsheet."""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
import re
import zipfile
from xml.etree import ElementTree as ET

import pytest

from dashboards.grafana.build import DEFINITIONS, dashboard_json
from dashboards.kit import panels
from dashboards.kit.dashboard import Definition
from dashboards.kit.fields import Field, Word
from dashboards.kit.panels import About
from dashboards.preview.export import BYTE_ORDER_MARK, as_csv, as_xlsx
from dashboards.preview.formats import show
from dashboards.preview.model import Panel, load
from dashboards.preview.reader import Rows
from dashboards.preview.view import View
from schemas.words import Language, Text

AT = dt.datetime(2026, 3, 1, 4, 0, 7, tzinfo=dt.UTC)
FORMULAS = ["=HYPERLINK(1)", "+1", "-1+2", "@a", "＝1+1", "＋1", "－1", "＠a", "﹦1", "﹢1", "﹣1", "﹫a"]
FORMULAS += ["\t=1", "\n=1", "\r\n=1", "  =1", "\u00a0=1", "\u3000＝1", "\u200b=1", "\ufeff=1", "\x0b=1"]
ODD = [
    "a, b",
    'says "no"',
    "two\nlines",
    "表计，一号；“东”",
    "𠀀 😀",
    "'quoted",
    "http://a.b/c",
    "{=1}",
    "_x0041_",
    "− 5",
    " ",
]
WORDS = {"live": Word(Text("● 在线", "● live"), "green")}


def _panel(*shown: Field) -> Panel:
    def table(language: Language) -> panels.Panel:
        about = About(language=language, title=Text("表", "Table"), description=Text("表", "table"), width=24, height=4)
        return panels.table(about, "SELECT 1", *shown)

    definition = Definition(
        slug="test",
        title=Text("表", "Table"),
        description=Text("表", "table"),
        refresh="10s",
        variables=(),
        panels=lambda _language: [table(_language)],
    )
    return load(dashboard_json(definition, Language.ZH)).panels[0]


def _written(panel: Panel, rows: Rows, language: Language = Language.ZH) -> list[list[str]]:
    text = as_csv(panel, rows, language=language, zone="Asia/Shanghai")
    assert text.startswith(BYTE_ORDER_MARK)
    return list(csv.reader(io.StringIO(text.removeprefix(BYTE_ORDER_MARK))))


def test_a_table_is_written_as_it_is_shown() -> None:
    """Shown columns only, under their headings with units; words as on the page, moments on the page's clock."""
    panel = _panel(
        Field(name="id", hidden=True),
        Field(name="name", label=Text("站点", "Site")),
        Field(name="state", label=Text("状态", "State"), words=WORDS),
        Field(name="at", label=Text("时间", "At")),
        Field(name="energy", label=Text("电量", "Energy"), unit="kWh", decimals=0),
        Field(name="share", label=Text("占比", "Share"), unit="%", decimals=0),
    )
    rows = Rows(["id", "name", "state", "at", "energy", "share"], [("x", "汾北特钢", "live", AT, 1234.56789, 7.0)])
    assert _written(panel, rows) == [
        ["站点", "状态", "时间 (UTC+08:00)", "电量 (kWh)", "占比 (%)"],
        ["汾北特钢", "● 在线", "2026-03-01 12:00:07", "1234.56789", "7"],
    ]


@pytest.mark.parametrize("value", [None, math.nan])
def test_unknown_is_an_empty_cell_never_zero(value: object) -> None:
    """A spreadsheet's sum and mean pass over an empty cell; a word or a nought they would not."""
    panel = _panel(Field(name="energy", label=Text("电量", "Energy"), unit="kWh"))
    assert _written(panel, Rows(["energy"], [(value,), (0.0,)]))[1:] == [[""], ["0"]]


@pytest.mark.parametrize("name", FORMULAS)
def test_a_name_is_never_a_formula(name: str) -> None:
    """What somebody named a device must not compute in the spreadsheet of whoever exports it."""
    panel = _panel(Field(name="name", label=Text("站点", "Site")))
    assert _written(panel, Rows(["name"], [(name,)]))[1] == [f"'{name}"]


def test_a_name_is_written_as_it_is() -> None:
    """Commas, quotes, lines, any script: a file holds what the page shows, in either format, and no link or formula."""
    panel, rows = _panel(Field(name="name", label=Text("站点", "Site"))), Rows(["name"], [(name,) for name in ODD])
    assert [row[0] for row in _written(panel, rows)[1:]] == ODD
    with zipfile.ZipFile(io.BytesIO(as_xlsx(panel, rows, language=Language.ZH, zone="Asia/Shanghai"))) as book:
        strings = ET.fromstring(book.read("xl/sharedStrings.xml"))  # noqa: S314 - written a line above
        assert [each.text for each in strings.iter() if each.tag.endswith("}t")][1:] == [
            name.replace("_x0041_", "_x005F_x0041_") for name in ODD
        ]
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")
        assert not any("rels" in name and "sheet" in name for name in book.namelist())


def test_a_negative_figure_stays_a_figure() -> None:
    """A minus before digits is a number, not a formula."""
    panel = _panel(Field(name="residual", label=Text("差额", "Residual"), unit="m³"))
    assert _written(panel, Rows(["residual"], [(-12.5,)]))[1] == ["-12.5"]


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        (dt.datetime(9999, 12, 31, 20, tzinfo=dt.UTC), "9999-12-31 23:59:59"),
        (dt.datetime(9999, 12, 31, 15, tzinfo=dt.UTC), "9999-12-31 23:00:00"),
        (dt.datetime(1899, 12, 31, tzinfo=dt.UTC), "1899-12-31 08:05:43"),
    ],
)
def test_any_moment_that_can_be_stored_is_written(moment: dt.datetime, written: str) -> None:
    """Somebody registers "for ever" as the year 9999, which in the province is the year 10000 already."""
    panel = _panel(Field(name="at", label=Text("时间", "At")))
    rows = Rows(["at"], [(moment,)])
    assert _written(panel, rows)[1] == [written]
    assert _sheet(panel, rows)
    assert show(moment, panel.field("at"), no_value="", zone="Asia/Shanghai").text == written[:16]


def test_every_panel_of_every_page_can_be_written() -> None:
    """Headings of a chart are its lines' names, in the page's language."""
    for language in Language:
        for definition in DEFINITIONS:
            for panel in load(dashboard_json(definition, language)).panels:
                names = list(panel.fields) or ["time", "value"]
                heading, row = _written(panel, Rows(names, [(1.0,) * len(names)]), language)
                assert heading
                assert len(heading) == len(row)


def test_an_export_asks_for_what_the_page_shows() -> None:
    """Plant, range and language of the page are in the address of its files."""
    view = View("plant-energy", Language.ZH, range_from="now-1h", variables={"site": "STEEL1"})
    assert view.file("csv", 7) == view.address.replace("/d/plant-energy?", "/csv/plant-energy/7?")
    assert "var-site=STEEL1" in view.file("csv", 7)


def _sheet(panel: Panel, rows: Rows) -> str:
    """The one sheet of a workbook, with its texts in their places."""
    written = as_xlsx(panel, rows, language=Language.ZH, zone="Asia/Shanghai")
    with zipfile.ZipFile(io.BytesIO(written)) as book:
        texts = re.findall(r"<si><t[^>]*>(.*?)</t></si>", book.read("xl/sharedStrings.xml").decode())
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    return re.sub(r't="s"><v>(\d+)</v>', lambda found: f">{texts[int(found[1])]}<", sheet)


def test_a_workbook_has_numbers_as_numbers_and_moments_as_moments() -> None:
    """Unknown is the word of the page, a text is never a formula, units stand in the heading."""
    panel = _panel(
        Field(name="name", label=Text("站点", "Site")),
        Field(name="at", label=Text("时间", "At")),
        Field(name="energy", label=Text("电量", "Energy"), unit="kWh", decimals=0),
    )
    sheet = _sheet(panel, Rows(["name", "at", "energy"], [("=1+1", AT, 1234.56789), ("x", None, None)]))
    assert "电量 (kWh)" in sheet
    assert "时间 (UTC+08:00)" in sheet
    assert "<v>1234.56789</v>" in sheet
    moment = (AT - dt.datetime(1899, 12, 30, tzinfo=dt.UTC)) / dt.timedelta(days=1) + 8 / 24  # Excel knows no zones
    assert any(math.isclose(float(each), moment, abs_tol=1e-7) for each in re.findall(r"<v>([\d.]+)</v>", sheet))
    assert ">=1+1<" in sheet
    assert "<f>" not in sheet
    assert sheet.count(">未知<") == 2
