"""What a panel becomes: a piece of HTML or an ECharts chart, from its definition and its rows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from zoneinfo import ZoneInfo

from dashboards.preview.formats import number, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.language import Language
    from dashboards.preview.macros import TimeRange
    from dashboards.preview.model import FieldConfig, Panel
    from dashboards.preview.reader import Rows
    from dashboards.preview.theme import Colors


class Html(NamedTuple):
    """Escaped HTML."""

    content: str


class Chart(NamedTuple):
    """Options of Apache ECharts; keys that begin with ":" hold JavaScript, as NiceGUI reads them."""

    options: dict[str, Any]


Drawing = Html | Chart


@dataclass(frozen=True, slots=True)
class Canvas:
    """What every drawing needs to know beside its rows."""

    colors: Colors
    language: Language
    zone: str
    range: TimeRange

    def wall_ms(self, moment: object) -> int:
        """Milliseconds for an axis in UTC that then reads as the dashboard's wall clock, wherever the browser is."""
        wall = cast("dt.datetime", moment).astimezone(ZoneInfo(self.zone)).replace(tzinfo=dt.UTC)
        return round(wall.timestamp() * 1000)


def stat(panel: Panel, rows: Rows, canvas: Canvas) -> Html:
    """Draw figures side by side, each with its name where there are several."""
    newest = rows.rows[-1] if rows.rows else (None,) * len(rows.columns)
    tiles = []
    for column, value in zip(rows.columns, newest, strict=True):
        field = panel.field(column)
        shown = show(value, field, no_value=panel.no_value, zone=canvas.zone)
        name = f'<div class="stat-name">{escape(field.label)}</div>' if field.label else ""
        unit = f'<span class="unit">{escape(shown.unit)}</span>' if shown.unit else ""
        kind = "stat-value" if shown.known else "stat-value is-unknown"
        tiles.append(
            f'<div class="stat">{name}<div class="{kind}" style="color:{canvas.colors.ink(shown.color)}">'
            f"{escape(shown.text)}{unit}</div></div>"
        )
    return Html(f'<div class="stats" style="--n:{len(tiles)}">{"".join(tiles)}</div>')


def table(panel: Panel, rows: Rows, canvas: Canvas) -> Html:
    """Draw rows as they come, numbers to the right, unknown in grey."""
    if not rows.rows:
        return Html(f'<div class="empty">{escape(panel.no_value)}</div>')
    chosen = [(index, panel.fields[name]) for index, name in enumerate(rows.columns) if name in panel.fields]
    numeric = {index for index, field in chosen if _is_numeric(field, [row[index] for row in rows.rows])}
    head = "".join(
        f'<th class="{"n" if index in numeric else "t"}"{_width(field)}>{escape(field.label or field.name)}</th>'
        for index, field in chosen
    )
    body = []
    for row in rows.rows:
        cells = []
        for index, field in chosen:
            shown = show(row[index], field, no_value=panel.no_value, zone=canvas.zone)
            colored = shown.color != "text" and ("custom.cellOptions" in field.properties or not shown.known)
            style = f' style="color:{canvas.colors.ink(shown.color)}"' if colored else ""
            unit = f" <small>{escape(shown.unit)}</small>" if shown.unit else ""
            text = escape(shown.text)
            cells.append(
                f'<td class="{"n" if index in numeric else "t"}{"" if shown.known else " is-unknown"}"'
                f'{style} title="{text}">{text}{unit}</td>'
            )
        body.append(f"<tr>{''.join(cells)}</tr>")
    return Html(
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'
    )


def _width(field: FieldConfig) -> str:
    width = field.properties.get("custom.width")
    return f' style="width:{int(width)}px"' if width else ""


def _is_numeric(field: FieldConfig, values: Sequence[object]) -> bool:
    return "decimals" in field.properties or any(number(value) is not None for value in values)


def failure(message: str, detail: str) -> Html:
    """Draw a query's failure: said in the panel, with the database's own words behind it."""
    return Html(f'<div class="empty failed" title="{escape(detail)}">⚠ {escape(message)}</div>')
