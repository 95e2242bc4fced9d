"""A panel's rows as CSV or XLSX: what the panel shows, in full precision, for a spreadsheet."""

from __future__ import annotations

import csv
import datetime as dt
import io
import unicodedata
from typing import TYPE_CHECKING

from dashboards.preview.formats import behind, number, on_the_wall, show, word
from dashboards.preview.model import FieldConfig
from dashboards.words import labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.preview.model import Panel
    from dashboards.preview.reader import Rows
    from schemas.words import Language

BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel takes UTF-8 for the machine's old code page, and Chinese names for noise."""
TIME_COLUMN = "time"
DIGITS = 12
"""Significant digits of a number: all that a meter can know, without the noise of the last bits."""
MOMENT = "yyyy-mm-dd hh:mm:ss"
FIRST_YEAR = 1901
"""A spreadsheet knows no moment before 1900, in any zone: one stands there as a text."""
FORMULA_STARTS = frozenset("=+-@")
"""A text that begins with one of them a spreadsheet would compute, in any width: a Chinese Excel takes `＝` too."""


def as_csv(panel: Panel, rows: Rows, *, language: Language, zone: str) -> str:
    """Write the shown columns of a panel: a heading with units, then its rows; unknown is an empty cell.

    Moments are the page's wall clock to the second, with the offset in the heading; shares are in percent and lengths
    of time in seconds. Words stand as on the page.
    """
    columns = _columns(panel, rows)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([_heading(field, [row[index] for row in rows.rows], language, zone) for index, field in columns])
    writer.writerows([_cell(row[index], field, zone) for index, field in columns] for row in rows.rows)
    return BYTE_ORDER_MARK + text.getvalue()


def as_xlsx(panel: Panel, rows: Rows, *, language: Language, zone: str) -> bytes:
    """Write the same as a workbook: numbers as numbers, moments as moments, unknown as the word on the page.

    A heading that stays while one scrolls, with a filter; no text is ever taken for a formula.
    """
    import xlsxwriter  # noqa: PLC0415 - with the first workbook: the page need not wait for it

    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True, "default_date_format": MOMENT}) as book:
        sheet = book.add_worksheet()
        head = book.add_format({"bold": True, "bottom": 1})
        unknown = book.add_format({"italic": True, "font_color": "#767676"})
        columns = _columns(panel, rows)
        for place, (index, field) in enumerate(columns):
            values = [row[index] for row in rows.rows]
            sheet.write_string(0, place, _heading(field, values, language, zone), head)
            for line, value in enumerate(values, 1):
                amount = number(value)
                if isinstance(value, dt.datetime) and value.year >= FIRST_YEAR:
                    sheet.write_datetime(line, place, on_the_wall(value, zone).replace(tzinfo=None))
                elif amount is not None and word(value, field.properties) is None:
                    sheet.write_number(line, place, _amount(amount, field))
                else:
                    shown = show(value, field, no_value=panel.no_value, zone=zone)
                    sheet.write_string(line, place, shown.text, None if shown.known else unknown)
        sheet.freeze_panes(1, 0)
        if columns and rows.rows:
            sheet.autofilter(0, 0, len(rows.rows), len(columns) - 1)
        sheet.autofit()
    return content.getvalue()


def _amount(amount: float, field: FieldConfig) -> float:
    """A number in the unit that its heading names."""
    return float(f"{amount * (100 if field.properties.get('unit') == 'percentunit' else 1):.{DIGITS}g}")


def _columns(panel: Panel, rows: Rows) -> list[tuple[int, FieldConfig]]:
    """Columns that the panel shows; a table shows only those it describes."""
    return [
        (index, panel.fields.get(name) or FieldConfig(name, {}))
        for index, name in enumerate(rows.columns)
        if (name in panel.fields or panel.type != "table") and not panel.field(name).custom.get("hideFrom.viz")
    ]


def _heading(field: FieldConfig, values: Sequence[object], language: Language, zone: str) -> str:
    label = field.label or (labels.TIME(language) if field.name == TIME_COLUMN else field.name)
    moment = next((value for value in values if isinstance(value, dt.datetime)), None)
    if moment is not None:
        offset = f"{on_the_wall(moment, zone):%z}"
        return f"{label} (UTC{offset[:3]}:{offset[3:]})"
    name = str(field.properties.get("unit", ""))
    unit = {"percentunit": "%", "s": "s"}.get(name) or behind(name)
    return f"{label} ({unit})" if unit else label


def _cell(value: object, field: FieldConfig, zone: str) -> str:
    if isinstance(value, dt.datetime):
        return f"{on_the_wall(value, zone):%Y-%m-%d %H:%M:%S}"
    amount = number(value)
    if amount is not None and word(value, field.properties) is None:
        return f"{_amount(amount, field):.{DIGITS}g}"
    shown = show(value, field, no_value="", zone=zone)
    if not shown.known:
        return ""
    return f"'{shown.text}" if _begins_a_formula(shown.text) else shown.text


def _begins_a_formula(text: str) -> bool:
    """Whether a spreadsheet might compute a text, which may leave out what is not seen at its beginning."""
    seen = next((sign for sign in text if not sign.isspace() and unicodedata.category(sign)[0] != "C"), "")
    return unicodedata.normalize("NFKC", seen) in FORMULA_STARTS
