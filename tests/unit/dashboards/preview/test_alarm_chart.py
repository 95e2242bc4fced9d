"""The chart of an alarm: the value in the alarm's own unit, with what was expected and when it began."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from dashboards.preview.drawing import Canvas
from dashboards.preview.figures.alarm_chart import ChartValue, chart, query_of, round_ends, span_of
from dashboards.preview.macros import TimeRange
from dashboards.preview.theme import Theme
from dashboards.preview.view import View
from schemas.words import Language

NOW = dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC)
ONSET = dt.datetime(2026, 3, 9, 5, tzinfo=dt.UTC)
LEAK: dict[str, Any] = {
    "site_id": "ALU1",
    "device_id": "ALU1-W0",
    "metric": "volume_m3",
    "window_s": 3600.0,
    "event_at": round(ONSET.timestamp() * 1000),
    "cleared_at": None,
    "baseline": 60.0,
    "low": None,
    "high": 69.0,
}


def _drawn(alarm: dict[str, Any], *seen: ChartValue) -> dict[str, Any]:
    span = span_of(alarm, NOW)
    view = View("alarms", Language.EN)
    canvas = Canvas(Theme.DARK.colors, Language.EN, "Asia/Shanghai", TimeRange(*span), view)
    return chart(alarm, seen, canvas, "m³/h")


@pytest.mark.parametrize(
    ("changed", "table"),
    [
        ({}, "FROM meter_hour"),
        ({"device_id": "ALU1", "metric": "energy_kgce"}, "FROM plant_hour"),
        ({"metric": "backup_p10_h", "window_s": 86_400.0}, "backup_p10_h::float8 AS value FROM battery_day"),
        ({"metric": "cell_spread_mv", "window_s": 0.0}, "cell_spread_max_mv::float8 AS value FROM battery_quarter"),
    ],
)
def test_each_value_is_drawn_from_where_it_is_stored(changed: dict[str, Any], table: str) -> None:
    """A meter's hours, a plant's hours, a set's days and quarters; values go as parameters."""
    alarm = LEAK | changed
    query = query_of(alarm, span_of(alarm, NOW))
    assert query is not None
    assert table in query.sql
    assert query.parameters["device"] == alarm["device_id"]


@pytest.mark.parametrize("changed", [{"metric": "", "window_s": 0.0}, {"metric": "volume_m3", "window_s": 86_400.0}])
def test_what_is_not_stored_in_the_alarms_unit_is_not_drawn(changed: dict[str, Any]) -> None:
    """Silence has no value, and an hour's m³ under a day's limit would be a wrong picture."""
    assert query_of(LEAK | changed, span_of(LEAK, NOW)) is None


def test_expected_limit_and_onset_are_marked() -> None:
    """The limit that is drawn is the alarm's, and the axis holds it whatever the values."""
    options = _drawn(LEAK, ChartValue(ONSET - dt.timedelta(hours=1), 61.0), ChartValue(ONSET, 91.0))
    lines = options["series"][0]["markLine"]["data"]
    assert [line["yAxis"] for line in lines if "yAxis" in line] == [60.0, 69.0]
    assert len([line for line in lines if "xAxis" in line]) == 1
    assert options["yAxis"]["min"] <= 60.0
    assert options["yAxis"]["max"] >= 91.0


def test_a_gap_stays_a_gap_and_nothing_known_is_said() -> None:
    """Unknown is null on the line, never zero; without any value the chart says so."""
    options = _drawn(LEAK, ChartValue(ONSET, None))
    assert options["series"][0]["data"][0][1] is None
    assert options["series"][0]["connectNulls"] is False
    assert options["title"]["text"] == "unknown"


def test_the_onset_is_on_the_chart_also_where_it_is_before_the_first_value() -> None:
    """A day's verdict is of the day's beginning, its value of the day's end."""
    alarm = LEAK | {"metric": "backup_p10_h", "window_s": 86_400.0}
    options = _drawn(alarm, ChartValue(ONSET + dt.timedelta(hours=13), 1.1))
    (moment,) = [line["xAxis"] for line in options["series"][0]["markLine"]["data"] if "xAxis" in line]
    assert options["xAxis"]["min"] < moment


def test_months_without_a_value_are_not_shown() -> None:
    """A set that was first tested two days ago has a chart of two days, not of ninety with a dot at the edge."""
    alarm = LEAK | {"metric": "backup_p10_h", "window_s": 86_400.0}
    options = _drawn(alarm, ChartValue(NOW - dt.timedelta(days=2), 1.2), ChartValue(NOW - dt.timedelta(days=1), 1.1))
    shown_ms = options["xAxis"]["max"] - options["xAxis"]["min"]
    assert dt.timedelta(days=2) < dt.timedelta(milliseconds=shown_ms) < dt.timedelta(days=3)


@pytest.mark.parametrize(
    ("low", "high", "axis"),
    [
        (56.66, 94.63, (50.0, 100.0, 10.0)),
        (0.0, 1.0, (0.0, 1.0, 0.2)),
        (60.0, 60.0, (60.0, 80.0, 20.0)),
        (0.0, 0.0, (0.0, 0.2, 0.2)),
        (-3.2, 4.1, (-4.0, 6.0, 2.0)),
        (3.3912, 3.3987, (3.39, 3.4, 0.002)),
        (46_812.0, 51_207.0, (46_000.0, 52_000.0, 1_000.0)),
    ],
)
def test_an_axis_ends_at_round_figures(low: float, high: float, axis: tuple[float, float, float]) -> None:
    """An axis that ends at 94.63 reads as if that were a limit; the ends hold all there is and are never the same."""
    ends = round_ends(low, high)
    assert tuple(ends) == pytest.approx(axis)
    assert ends.low <= low
    assert high <= ends.high
    assert len(f"{ends.high:g}") <= 6  # 3.4, not 3.4000000000000004
