"""What a panel becomes: a piece of HTML or an ECharts chart, from its definition and its rows."""

from __future__ import annotations

import datetime as dt
import unicodedata
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from dashboards.preview.formats import number, on_the_wall, show
from dashboards.preview.theme import heat, ink_on
from dashboards.words import alarm as labels_alarm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.preview.macros import TimeRange
    from dashboards.preview.model import FieldConfig, Panel
    from dashboards.preview.reader import Rows
    from dashboards.preview.theme import Colors
    from dashboards.preview.view import View
    from schemas.words import Language


class Html(NamedTuple):
    """Escaped HTML."""

    content: str


class Chart(NamedTuple):
    """Options of Apache ECharts; keys that begin with ":" hold JavaScript, as NiceGUI reads them."""

    options: dict[str, Any]


Drawing = Html | Chart

FILL, FILL_HEAD = '<td class="fill"></td>', '<th class="fill"></th>'
"""Takes the room that a table's columns leave: a name stays beside its numbers."""
WIDE_DIGITS = 1.8
"""Room a Chinese character takes, in digits."""
LONG_WORDS = 10.0
"""Words longer than so many digits go on in a second line, where a figure would be made smaller."""
MANY_STATS = 3
"""More figures than this stand in two rows where their panel is narrow."""
LINK = '<a class="link"'
"""How a link in a table begins."""
ALARM_CELL = "kind"
"""Of a row that is an alarm (it has an `alarm_id`): leads to the alarm, a page that Grafana has not."""


class Mark(NamedTuple):
    """A moment marked on every chart over time: an alarm, an event of a meter."""

    at: object
    text: str
    color: str


@dataclass(frozen=True, slots=True)
class Canvas:
    """What every drawing needs to know beside its rows."""

    colors: Colors
    language: Language
    zone: str
    range: TimeRange
    view: View
    """What is looked at: links lead on from there."""
    marks: tuple[Mark, ...] = ()

    def wall_ts(self, moment: object) -> int:
        """Milliseconds for an axis in UTC that then reads as the dashboard's wall clock, wherever the browser is."""
        wall = on_the_wall(cast("dt.datetime", moment), self.zone).replace(tzinfo=dt.UTC)
        return round(wall.timestamp() * 1000)


def stat(panel: Panel, rows: Rows, canvas: Canvas) -> Html:
    """Draw figures side by side, each with its name where there are several."""
    if not rows.rows:
        # As in Grafana: without a row there is no field, so the panel's word stands alone, in the defaults' grey.
        return Html(f'<div class="empty is-unknown">{escape(panel.no_value)}</div>')
    newest = rows.rows[-1]
    tiles = []
    for column, value in zip(rows.columns, newest, strict=True):
        field = panel.field(column)
        shown = show(value, field, no_value=panel.no_value, zone=canvas.zone)
        name = f'<div class="stat-name">{escape(field.label)}</div>' if field.label else ""
        unit = f'<span class="unit">{escape(shown.unit)}</span>' if shown.unit else ""
        kind = "stat-value" if shown.known else "stat-value is-unknown"
        if not unit and _length(shown.text) > LONG_WORDS:
            kind += " is-long"
        style = f"--length:{_length(shown.text + shown.unit):g};color:{canvas.colors.css(shown.color)}"
        tiles.append(
            f'<div class="stat">{name}<div class="{kind}" style="{style}">{escape(shown.text)}{unit}</div></div>'
        )
    many = " are-many" if len(tiles) > MANY_STATS else ""
    return Html(f'<div class="stats{many}" style="--n:{len(tiles)}">{"".join(tiles)}</div>')


def _length(text: str) -> float:
    """How much room a text takes, in digits."""
    return sum(WIDE_DIGITS if unicodedata.east_asian_width(each) in "WF" else 1.0 for each in text)


def table(panel: Panel, rows: Rows, canvas: Canvas) -> Html:
    """Draw rows as they come, numbers to the right, unknown in grey."""
    if not rows.rows:
        return Html(f'<div class="empty">{escape(panel.no_value)}</div>')
    shown = [
        (index, panel.fields[name])
        for index, name in enumerate(rows.columns)
        if name in panel.fields and not panel.fields[name].custom.get("hideFrom.viz")
    ]
    numeric = {index for index, field in shown if _is_numeric(field, [row[index] for row in rows.rows])}
    head = "".join(
        f'<th class="{"n" if index in numeric else "t"}"{_width(field)}>{escape(field.label or field.name)}</th>'
        for index, field in shown
    )
    hottest = _hottest(shown, rows)
    body = []
    for row in rows.rows:
        named = dict(zip(rows.columns, row, strict=True))
        cells = [
            _cell(panel, field, row[index], named, canvas, "n" if index in numeric else "t", hottest)
            for index, field in shown
        ]
        body.append(f"<tr>{''.join(cells)}{FILL}</tr>")
    head_row = f"<tr>{head}{FILL_HEAD}</tr>"
    name = f'tabindex="0" role="region" aria-label="{escape(panel.title)}"'  # so that keys scroll it
    return Html(
        f'<div class="scroll" {name}><table><thead>{head_row}</thead>'
        f"<tbody>{_one_stop(''.join(body))}</tbody></table></div>"
    )


def _one_stop(body: str) -> str:
    """Make the links of a table one stop of Tab, the first; arrows lead to the others (`keys.js`)."""
    before, first, rest = body.partition(LINK)
    return before + first + rest.replace(LINK, f'{LINK} tabindex="-1"')


def _hottest(shown: Sequence[tuple[int, FieldConfig]], rows: Rows) -> float:
    """Highest figure of the heat columns together: the end of their scale, as in Grafana, where none is given."""
    heats = [index for index, field in shown if field.custom.get("cellOptions", {}).get("type") == "color-background"]
    return max(
        (amount for row in rows.rows for index in heats if (amount := number(row[index])) is not None), default=1
    )


def _cell(  # noqa: PLR0917 - a cell is where a panel, a row and a column meet
    panel: Panel, field: FieldConfig, value: object, row: dict[str, object], canvas: Canvas, side: str, hottest: float
) -> str:
    shown = show(value, field, no_value=panel.no_value, zone=canvas.zone)
    kind = field.custom.get("cellOptions", {}).get("type")
    style = ""
    low = field.properties.get("min", 0)
    if kind == "color-background" and (amount := number(value)) is not None and amount > low:
        # At the low end there is nothing to see: a pale cell would shine on a dark page.
        ground = heat(amount, low, field.properties.get("max", hottest))
        style = f"background:{ground};color:{ink_on(ground)}"
    elif shown.color != "text" and (kind in {"color-text", "gauge"} or not shown.known):
        style = f"color:{canvas.colors.css(shown.color)}"
    text = escape(shown.text)
    unit = f" <small>{escape(shown.unit)}</small>" if shown.unit else ""
    content = f"{text}{unit}"
    if field.name == ALARM_CELL and (alarm_id := row.get("alarm_id")):
        address = canvas.view.alarm(str(alarm_id))
        content = f'{LINK} href="{escape(address)}" title="{labels_alarm.OPEN_ALARM(canvas.language)}">{content}</a>'
    elif (links := field.properties.get("links")) and (address := canvas.view.follow(links[0]["url"], row)):
        content = f'{LINK} href="{escape(address)}" title="{escape(links[0]["title"])}">{content}</a>'
    if kind == "gauge":
        content = f'<span class="meter">{_bar(number(value), field, canvas, shown.color)}{content}</span>'
    if field.custom.get("wrapText"):
        content = f'<span class="lines">{content}</span>'
    unknown = "" if shown.known else " is-unknown"
    return f'<td class="{side}{unknown}" style="{style}" title="{text}">{content}</td>'


def _bar(amount: float | None, field: FieldConfig, canvas: Canvas, color: str) -> str:
    low, high = field.properties.get("min", 0), field.properties.get("max", 1)
    share = 0.0 if amount is None else min(1.0, max(0.0, (amount - low) / (high - low)))
    return f'<i class="bar-track"><i style="width:{100 * share:.1f}%;background:{canvas.colors.fill(color)}"></i></i>'


def _width(field: FieldConfig) -> str:
    width = field.properties.get("custom.width")
    return f' style="width:{int(width)}px"' if width else ""


def _is_numeric(field: FieldConfig, values: Sequence[object]) -> bool:
    return "decimals" in field.properties or any(number(value) is not None for value in values)


def failure(message: str, detail: str) -> Html:
    """Draw a query's failure: said in the panel, with the database's own words behind it."""
    return Html(f'<div class="empty failed" title="{escape(detail)}">⚠ {escape(message)}</div>')
