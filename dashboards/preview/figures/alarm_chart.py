"""The chart on an alarm's page: the value that is in alarm, what was expected, the normal range and the moments."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any, NamedTuple

from dashboards.kit import fields
from dashboards.parts.plants import WHOLE
from dashboards.preview.figures.charts import MARGIN, base, note, time_axis
from dashboards.preview.macros import Query
from dashboards.words import alarm as labels_alarm
from dashboards.words import labels
from schemas.time import DAY_MS, HOUR_MS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dashboards.preview.drawing import Canvas

BEFORE_MS = 3 * DAY_MS
"""What is shown before an alarm's onset: enough to see what is usual for the hour."""
DAYS_BEFORE_MS = 90 * DAY_MS
"""The same for what is judged once a day."""
AFTER_MS = DAY_MS
"""What is shown after its end."""
BY_DAY = ("backup_p10_h", "resistance_25c_mohm")
"""What a battery set is judged by once a day: columns of `battery_day`."""
BY_QUARTER = {"cell_spread_mv": "cell_spread_max_mv", "temperature_c": "temperature_max_c"}
"""What a battery set is judged by at every reading, and the quarter hour's worst of it in `battery_quarter`."""
OF_PLANT = ("energy_kgce", "energy_kwh", "water_in_m3", "production")
"""What a whole plant is judged by each hour: columns of `plant_hour`."""
STEPS = 5
"""An axis of values has about so many."""
NEARLY = 1e-9
"""Of a step: an end that is a multiple of it but for its last bits stays where it is."""


class ChartValue(NamedTuple):
    """One value of the chart; None is a gap and stays one."""

    at: dt.datetime
    value: float | None


class AxisEnds(NamedTuple):
    """Where an axis of values begins and ends, and how far apart its lines are."""

    low: float
    high: float
    step: float


class ChartSpan(NamedTuple):
    """From when until when the chart looks."""

    start: dt.datetime
    end: dt.datetime


def span_of(alarm: Mapping[str, Any], now: dt.datetime) -> ChartSpan:
    """Some days before the onset, until its end or now."""
    before = DAYS_BEFORE_MS if alarm["metric"] in BY_DAY else BEFORE_MS
    end_ts = min(now.timestamp() * 1000, (alarm["cleared_at"] or now.timestamp() * 1000) + AFTER_MS)
    return ChartSpan(*(dt.datetime.fromtimestamp(ms / 1000, tz=dt.UTC) for ms in (alarm["event_at"] - before, end_ts)))


def query_of(alarm: Mapping[str, Any], span: ChartSpan) -> Query | None:
    """Where the value of an alarm is stored, as `at, value` in the alarm's own unit; None where nothing is drawn.

    An hour's or a day's sum under way is not among them: it would look like a fall.
    """
    metric, window_h = alarm["metric"], (alarm["window_s"] or 0) * 1000 / HOUR_MS
    parameters = {"start": span.start, "end": span.end, "metric": metric}
    parameters |= {"device": alarm["device_id"], "site": alarm["site_id"]}
    column = BY_QUARTER.get(metric, metric)
    if metric in BY_DAY:
        table, ts, where = "battery_day", "as_of_at", "device_id = %(device)s"
    elif metric in BY_QUARTER:
        table, ts, where = "battery_quarter", "ts", "device_id = %(device)s"
    elif alarm["device_id"] == alarm["site_id"] and metric in OF_PLANT:
        table, ts, where = (
            "plant_hour",
            "ts",
            f"site_id = %(site)s AND line_id = 'plant' AND ts <= now() - interval '1 h' AND {WHOLE}",
        )
    elif metric and window_h == 1 and metric.replace("_", "").isalnum():
        table, ts, column = "meter_hour", "ts", "increment"
        where = "device_id = %(device)s AND quantity = %(metric)s AND ts <= now() - interval '1 h'"
    else:
        return None
    return Query(
        f"SELECT {ts} AS at, {column}::float8 AS value FROM {table}"  # noqa: S608 - columns of the tuples above
        f" WHERE {where} AND {ts} BETWEEN %(start)s AND %(end)s ORDER BY 1",
        parameters,
    )


def chart(alarm: Mapping[str, Any], seen: Sequence[ChartValue], canvas: Canvas, unit: str) -> dict[str, Any]:
    """Draw the value, the expected one dashed, the end of the normal range, onset and end upright."""
    language, colors = canvas.language, canvas.colors
    data = [[canvas.wall_ts(each.at), each.value] for each in seen]
    levels = [
        (labels_alarm.EXPECTED, alarm["baseline"], fields.GOOD),
        (labels_alarm.BAND, alarm["low"], fields.PARTIAL),
        (labels_alarm.BAND, alarm["high"], fields.PARTIAL),
    ]
    lines: list[dict[str, Any]] = [
        {
            "name": text(language),
            "yAxis": value,
            "lineStyle": {"color": colors.fill(color), "type": "dashed"},
            # At the other end: where both are near each other their words would lie on one another.
            "label": {"position": "insideStartTop" if text is labels_alarm.EXPECTED else "insideEndTop"},
        }
        for text, value, color in levels
        if value is not None and (text is labels_alarm.EXPECTED or value != alarm["baseline"])
    ]
    moments = [(labels_alarm.SINCE, alarm["event_at"]), (labels_alarm.CLEARED, alarm["cleared_at"])]
    lines += [
        {
            "name": text(language),
            "xAxis": canvas.wall_ts(dt.datetime.fromtimestamp(ms / 1000, tz=dt.UTC)),
            "lineStyle": {"color": colors.fill(fields.BAD), "type": "solid"},
        }
        for text, ms in moments
        if ms is not None
    ]
    known = [value for _, value in data if value is not None]
    marked = [value for _, value, _ in levels if value is not None]
    axis = round_ends(min([*known, *marked], default=0), max([*known, *marked], default=1))
    return base(canvas) | {
        "title": note("" if known else labels.UNKNOWN(language), canvas),
        "grid": {"left": 8, "right": 14, "top": 26, "bottom": 4, "containLabel": True},
        "xAxis": time_axis(canvas) | {"min": canvas.wall_ts(_beginning(alarm, seen, canvas))},
        "yAxis": {
            "type": "value",
            "name": unit,
            "scale": True,
            "min": axis.low,
            "max": axis.high,
            "interval": axis.step,
            "nameTextStyle": {"color": colors.faint, "align": "left"},
            "axisLabel": {"color": colors.faint, "fontSize": 11},
            "splitLine": {"lineStyle": {"color": colors.grid, "opacity": 0.6}},
        },
        "series": [
            {
                "name": labels_alarm.VALUE(language),
                "type": "line",
                "data": data,
                "showSymbol": len(known) <= 20,  # noqa: PLR2004 - a line of one point is nothing
                "symbolSize": 4,
                "connectNulls": False,
                "itemStyle": {"color": colors.fill(fields.PRIMARY)},
                "lineStyle": {"width": 1.5},
                "markLine": {
                    "symbol": ["none", "none"],
                    "label": {"formatter": "{b}", "color": colors.faint, "fontSize": 11},
                    "data": lines,
                },
            }
        ],
        "tooltip": base(canvas)["tooltip"] | {"trigger": "axis"},
    }


def _beginning(alarm: Mapping[str, Any], seen: Sequence[ChartValue], canvas: Canvas) -> dt.datetime:
    """Where the axis begins: a little before the first value or the onset, as months without any say nothing."""
    start, end = canvas.range.start, canvas.range.end
    onset = dt.datetime.fromtimestamp(alarm["event_at"] / 1000, tz=dt.UTC)
    first = min((each.at for each in seen), default=start)
    return max(start, min(first, onset) - (end - min(first, onset)) * MARGIN)


def round_ends(low: float, high: float) -> AxisEnds:
    """Ends of an axis that holds both, and its step: 1, 2 or 5 times a power of ten, of which the ends are multiples.

    ECharts rounds the ends itself only where it is not told what else the axis has to hold.
    """
    span = high - low or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(span / STEPS))
    step = power * next(nice for nice in (1, 2, 5, 10) if nice * power * STEPS >= span)
    first, last = math.floor(low / step + NEARLY), math.ceil(high / step - NEARLY)
    digits = max(0, 1 - math.floor(math.log10(step)))  # what a step times a whole number is, without its last bits
    return AxisEnds(*(round(count * step, digits) for count in (first, max(last, first + 1), 1)))
