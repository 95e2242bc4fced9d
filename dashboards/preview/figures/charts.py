"""Charts: time series, gauge, bars. The state timeline has a file of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dashboards.preview.drawing import Canvas, Chart
from dashboards.preview.formats import behind, number, show
from dashboards.preview.theme import FONT
from dashboards.words import labels

if TYPE_CHECKING:
    from dashboards.preview.model import FieldConfig, Panel
    from dashboards.preview.reader import Rows

_TIME_LABELS = {
    "year": "{yyyy}",
    "month": "{MM}-{dd}",
    "day": "{MM}-{dd}",
    "hour": "{HH}:{mm}",
    "minute": "{HH}:{mm}",
    "second": "{HH}:{mm}:{ss}",
}


FEW_POINTS = 20
"""So few are drawn as points too, as Grafana does: a line of one is nothing."""

LEAST_FILLED = 0.25
"""Where data fill less of the range than this, a long view of them would be a few dots at its edge."""
MARGIN = 0.05
"""Room before the first of them, as a share of what is shown."""

_HATCH = {"color": "rgba(255,255,255,0.55)", "dashArrayX": [1, 0], "dashArrayY": [2, 4], "rotation": -0.785}


def base(canvas: Canvas) -> dict[str, Any]:
    """Options that all charts share."""
    colors = canvas.colors
    return {
        "animation": False,
        "useUTC": True,
        "backgroundColor": "transparent",
        "textStyle": {"fontFamily": FONT, "color": colors.text},
        "tooltip": {
            "confine": True,
            "backgroundColor": colors.panel,
            "borderColor": colors.border,
            "textStyle": {"color": colors.text, "fontSize": 12},
        },
    }


def time_axis(canvas: Canvas) -> dict[str, Any]:
    """Build a time axis over exactly the page's range."""
    colors = canvas.colors
    return {
        "type": "time",
        "min": canvas.wall_ts(canvas.range.start),
        "max": canvas.wall_ts(canvas.range.end),
        "axisLine": {"lineStyle": {"color": colors.border}},
        "axisTick": {"show": False},
        "axisLabel": {"color": colors.faint, "fontSize": 11, "hideOverlap": True, "formatter": _TIME_LABELS},
        "splitLine": {"show": True, "lineStyle": {"color": colors.grid, "opacity": 0.6}},
    }


def note(text: str, canvas: Canvas) -> dict[str, Any]:
    """Words in the middle of a chart that has nothing to draw."""
    return {
        "show": bool(text),
        "text": text,
        "left": "center",
        "top": "middle",
        "textStyle": {"color": canvas.colors.faint, "fontSize": 14, "fontWeight": "normal"},
    }


def note_below(text: str, canvas: Canvas) -> dict[str, Any]:
    """Words below a drawing, where `note` would lie on it."""
    below = {"left": 8, "top": "bottom"}
    return note(text, canvas) | below | {"textStyle": {"color": canvas.colors.faint, "fontSize": 12}}


def timeseries(panel: Panel, rows: Rows, canvas: Canvas) -> Chart:
    """Draw columns over the column `time`; a null breaks the line and the tooltip says unknown."""
    at = rows.columns.index("time")
    moments = [canvas.wall_ts(row[at]) for row in rows.rows]
    series, right = [], False
    for index, name in enumerate(rows.columns):
        if index == at:
            continue
        field = panel.field(name)
        on_right = field.custom.get("axisPlacement") == "right"
        right = right or on_right
        scale = 100 if field.properties.get("unit") == "percentunit" else 1
        values = [_scaled(row[index], scale) for row in rows.rows]
        if is_dashed(field) and not any(value is not None for value in values):
            continue  # a limit or a compared time that there is not has no place in the legend
        series.append(
            _line_or_bars(panel, field, list(zip(moments, values, strict=True)), canvas)
            | {"yAxisIndex": 1 if on_right else 0}
        )
    known = any(point[1] is not None for one in series for point in one["data"])
    if series and canvas.marks:
        series[0]["markLine"] = _marks(canvas)
    axis = time_axis(canvas) | {"min": _beginning(moments, series, canvas)}
    options = base(canvas) | {
        "title": note("" if known else panel.no_value, canvas),
        "grid": {"left": 8, "right": 14, "top": 14, "bottom": 24, "containLabel": True},
        "legend": {
            "show": len(series) > 1,
            "type": "scroll",  # a second row would lie on the axis where the page is narrow
            "bottom": 0,
            "left": 8,
            "itemWidth": 16,
            "itemHeight": 8,
            "textStyle": {"color": canvas.colors.faint, "fontSize": 11},
        },
        "xAxis": axis,
        "yAxis": [_value_axis(panel, canvas), *([_share_axis(canvas)] if right else [])],
        "series": series,
    }
    if len(series) == 1:
        options["grid"]["bottom"] = 4
    options["tooltip"] |= {"trigger": "axis", "axisPointer": {"type": "line"}}
    return Chart(options)


def _beginning(moments: list[int], series: list[dict[str, Any]], canvas: Canvas) -> int:
    """Where the axis begins: with the page's range, or a little before the data where they fill only its end."""
    start, end = canvas.wall_ts(canvas.range.start), canvas.wall_ts(canvas.range.end)
    known = (at for index, at in enumerate(moments) if any(one["data"][index][1] is not None for one in series))
    first = min(known, default=start)
    return start if first < end - LEAST_FILLED * (end - start) else round(first - MARGIN * (end - first))


def _marks(canvas: Canvas) -> dict[str, Any]:
    """Moments as thin upright lines; what each was is said on pointing at it."""
    return {
        "symbol": ["none", "none"],
        "label": {"show": False},
        "emphasis": {"label": {"show": True, "position": "insideEndTop", "formatter": "{b}"}},
        "data": [
            {
                "name": mark.text,
                "xAxis": canvas.wall_ts(mark.at),
                "lineStyle": {"color": canvas.colors.fill(mark.color), "type": "dashed", "width": 1},
            }
            for mark in canvas.marks
        ],
    }


def _scaled(value: object, scale: int) -> float | None:
    amount = number(value)
    return None if amount is None else round(amount * scale, 4)


def is_dashed(field: FieldConfig) -> bool:
    """Whether a column is no measured value: a limit, an estimate, another time's."""
    return bool(field.custom.get("lineStyle", {}).get("fill") == "dash")


def _line_or_bars(panel: Panel, field: FieldConfig, data: list[Any], canvas: Canvas) -> dict[str, Any]:
    custom = {**panel.custom, **field.custom}
    color = canvas.colors.fill(field.properties.get("color", {}).get("fixedColor", "text"))
    one: dict[str, Any] = {
        "name": field.label or panel.title,
        "data": data,
        "itemStyle": {"color": color},
        "tooltip": {":valueFormatter": _formatter(field, canvas)},
    }
    if custom.get("drawStyle") == "bars":
        stacked = custom.get("stacking", {}).get("mode") == "normal"
        if is_dashed(field):
            one["itemStyle"]["decal"] = _HATCH
        return one | {"type": "bar", "barMaxWidth": 14, "barGap": "10%"} | ({"stack": "one"} if stacked else {})
    known = [point for point in data if point[1] is not None]
    return one | {
        "type": "line",
        "showSymbol": custom.get("showPoints") == "always" or len(known) <= FEW_POINTS,
        "symbolSize": 4,
        "connectNulls": False,
        "lineStyle": {"width": custom.get("lineWidth", 1), "type": "dashed" if is_dashed(field) else "solid"},
        "areaStyle": {"opacity": custom.get("fillOpacity", 0) / 100},
        "emphasis": {"disabled": True},
    }


def _formatter(field: FieldConfig, canvas: Canvas) -> str:
    """JavaScript that writes a value for the tooltip, in the field's decimals and unit."""
    unit = field.properties.get("unit", "")
    unit = "%" if unit == "percentunit" else behind(unit)
    decimals = int(field.properties.get("decimals", 2))
    unknown = json.dumps(labels.UNKNOWN(canvas.language), ensure_ascii=False)
    digits = f"{{minimumFractionDigits: {decimals}, maximumFractionDigits: {decimals}}}"
    suffix = json.dumps(f" {unit}" if unit else "", ensure_ascii=False)
    return f"v => v == null || Number.isNaN(v) ? {unknown} : Number(v).toLocaleString('en-US', {digits}) + {suffix}"


def _value_axis(panel: Panel, canvas: Canvas) -> dict[str, Any]:
    colors = canvas.colors
    return {
        "type": "value",
        "scale": panel.custom.get("drawStyle") != "bars",
        "splitNumber": 4,
        "axisLabel": {"color": colors.faint, "fontSize": 11},
        "splitLine": {"lineStyle": {"color": colors.grid}},
    }


def _share_axis(canvas: Canvas) -> dict[str, Any]:
    """Right axis of shares, 0 to 100 %."""
    return {
        "type": "value",
        "min": 0,
        "max": 100,
        "splitNumber": 2,
        "axisLabel": {"color": canvas.colors.faint, "fontSize": 11, "formatter": "{value} %"},
        "splitLine": {"show": False},
    }


def gauge(panel: Panel, rows: Rows, canvas: Canvas) -> Chart:
    """Draw half rings side by side; an unknown figure has an empty ring and says so."""
    if not rows.rows:
        return Chart(base(canvas) | {"title": note(panel.no_value, canvas), "series": []})
    newest = rows.rows[-1]
    colors, many = canvas.colors, len(rows.columns)
    series = []
    for index, (column, value) in enumerate(zip(rows.columns, newest, strict=True)):
        field = panel.field(column)
        shown = show(value, field, no_value=panel.no_value, zone=canvas.zone)
        amount = number(value)
        color = colors.ink(shown.color)
        series.append(
            {
                "type": "gauge",
                "center": [f"{(2 * index + 1) * 50 / many}%", "68%" if field.label is None else "60%"],
                "radius": "98%" if field.label is None else "86%",
                "startAngle": 190,
                "endAngle": -10,
                "min": field.properties.get("min", 0),
                "max": field.properties.get("max", 100),
                "pointer": {"show": False},
                "axisTick": {"show": False},
                "splitLine": {"show": False},
                "axisLabel": {"show": False},
                "axisLine": {"lineStyle": {"width": 9, "color": [[1, colors.track]]}},
                "progress": {"show": amount is not None, "width": 9, "itemStyle": {"color": color}},
                "title": {
                    "show": field.label is not None,
                    "offsetCenter": [0, "38%"],
                    "color": colors.faint,
                    "fontSize": 12,
                },
                "detail": {
                    "offsetCenter": [0, "-6%"],
                    "fontSize": 22 if shown.known else 14,
                    "fontWeight": 600,
                    "color": color,
                    ":formatter": f"() => {json.dumps(shown.full, ensure_ascii=False)}",
                },
                "data": [{"value": amount or 0, "name": field.label or ""}],
            }
        )
    return Chart(base(canvas) | {"tooltip": {"show": False}, "series": series})


def _category_and_value(panel: Panel, rows: Rows) -> tuple[int, int]:
    """Which column names the bars, and which is their length."""
    category = rows.columns.index(panel.options["xField"])
    (value,) = (index for index in range(len(rows.columns)) if index != category)
    return category, value


def bar_chart(panel: Panel, rows: Rows, canvas: Canvas) -> Chart:
    """Draw lying bars in the query's order, each with its value, or upright ones of a distribution."""
    if panel.options["orientation"] == "vertical":
        return _upright(panel, rows, canvas)
    colors = canvas.colors
    category, value = _category_and_value(panel, rows)
    field = panel.field(rows.columns[value])
    color = colors.fill(field.properties.get("color", {}).get("fixedColor", "text"))
    known = [amount for row in rows.rows if (amount := number(row[value])) is not None]
    below = any(amount < 0 for amount in known)
    options = base(canvas) | {
        "title": note("" if known else labels.UNKNOWN(canvas.language) if rows.rows else panel.no_value, canvas),
        "grid": {"left": 8, "right": 76, "top": 4, "bottom": 4, "containLabel": True},
        "xAxis": {"type": "value", "show": False, "boundaryGap": ["14%" if below else 0, 0]},
        "yAxis": {
            "type": "category",
            "inverse": True,
            "data": [str(row[category]) for row in rows.rows],
            "axisLine": {"show": False},
            "axisTick": {"show": False},
            "axisLabel": {"color": colors.text, "fontSize": 12, "interval": 0},
        },
        "series": [
            {
                "type": "bar",
                "name": field.label or "",
                "data": [
                    {"value": amount, "label": {"position": "left" if amount is not None and amount < 0 else "right"}}
                    for row in rows.rows
                    for amount in [_scaled(row[value], 1)]
                ],
                "barMaxWidth": 18,
                "showBackground": True,
                "backgroundStyle": {"color": colors.track, "opacity": 0.35},
                "itemStyle": {"color": color, "borderRadius": 2},
                "label": {
                    "show": True,
                    "color": colors.text,
                    ":formatter": f"p => ({_formatter(field, canvas)})(p.value)",
                },
            }
        ],
    }
    options["tooltip"] |= {"trigger": "axis", "axisPointer": {"type": "none"}}
    return Chart(options)


def _upright(panel: Panel, rows: Rows, canvas: Canvas) -> Chart:
    """Draw upright bars in the query's order; names below them are left out where they would overlap."""
    colors = canvas.colors
    category, value = _category_and_value(panel, rows)
    field = panel.field(rows.columns[value])
    options = base(canvas) | {
        "title": note("" if rows.rows else panel.no_value, canvas),
        "grid": {"left": 8, "right": 10, "top": 14, "bottom": 4, "containLabel": True},
        "xAxis": {
            "type": "category",
            "data": [str(row[category]) for row in rows.rows],
            "axisLine": {"lineStyle": {"color": colors.border}},
            "axisTick": {"show": False},
            "axisLabel": {"color": colors.faint, "fontSize": 11, "hideOverlap": True},
        },
        "yAxis": {
            "type": "value",
            "minInterval": 1,
            "splitNumber": 3,
            "axisLabel": {"color": colors.faint, "fontSize": 11},
            "splitLine": {"lineStyle": {"color": colors.grid}},
        },
        "series": [
            {
                "type": "bar",
                "name": field.label or "",
                "data": [_scaled(row[value], 1) for row in rows.rows],
                "barCategoryGap": "6%",
                "itemStyle": {"color": colors.fill(field.properties.get("color", {}).get("fixedColor", "text"))},
            }
        ],
    }
    options["tooltip"] |= {"trigger": "axis", "axisPointer": {"type": "shadow"}}
    return Chart(options)
