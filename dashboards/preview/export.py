"""A panel's rows as CSV: what the panel shows, in full precision, for a spreadsheet."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from dashboards.preview.formats import behind, number, show, word
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
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A text that begins with one of them a spreadsheet would compute."""


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
        offset = f"{moment.astimezone(ZoneInfo(zone)):%z}"
        return f"{label} (UTC{offset[:3]}:{offset[3:]})"
    name = str(field.properties.get("unit", ""))
    unit = {"percentunit": "%", "s": "s"}.get(name) or behind(name)
    return f"{label} ({unit})" if unit else label


def _cell(value: object, field: FieldConfig, zone: str) -> str:
    if isinstance(value, dt.datetime):
        return f"{value.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}"
    amount = number(value)
    if amount is not None and word(value, field.properties) is None:
        return f"{amount * (100 if field.properties.get('unit') == 'percentunit' else 1):.{DIGITS}g}"
    shown = show(value, field, no_value="", zone=zone)
    if not shown.known:
        return ""
    return f"'{shown.text}" if shown.text.startswith(FORMULA_STARTS) else shown.text
