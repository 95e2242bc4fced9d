"""A battery set over the range: its health with its interval, backup time, resistance and spread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.kit import fields, panels, sql
from dashboards.kit.fields import Field
from dashboards.kit.panels import About
from dashboards.kit.thresholds import SPREAD_RETIRE_MV as RETIRE_MV
from dashboards.words import battery as labels_battery
from dashboards.words import not_yet
from schemas.words import Language, Text

if TYPE_CHECKING:
    from dashboards.kit.panels import Panel


SET = "${set:sqlstring}"

HOUR_SHOWN = f"date_bin('$__interval', ts, {sql.ORIGIN})"
"""Of a year's hours every n-th as it was, the newest of its step: a page of a year is not 9 000 rows a chart."""


def soh_history(language: Language) -> Panel:
    """SoH over the years with its interval."""
    about = About(
        language=language,
        title=Text("SoH 与 90 % 区间 %", "SoH, %, 90 % interval"),
        description=Text(
            "每次放电后融合的 SoH；虚线为 90 % 区间。来源：battery_soh。",
            "SoH fused after each discharge; dashed lines are its 90 % interval. Source: battery_soh.",
        ),
        width=6,
        height=6,
        empty=not_yet.HEALTH,
    )
    query = f"""
SELECT ts AS time, soh_high_pct AS high, soh_pct AS soh, soh_low_pct AS low
FROM battery_soh
WHERE device_id = {SET} AND $__timeFilter(ts)
ORDER BY ts
"""  # noqa: S608 - fragments of ours
    return panels.timeseries(
        about,
        query,
        fields.line("high", labels_battery.SOH_HIGH, fields.UNKNOWN, unit="%"),
        Field(
            name="soh",
            label=labels_battery.SOH,
            unit="%",
            decimals=0,
            color=fields.PRIMARY,
            custom={"lineWidth": 2, "showPoints": "always"},
        ),
        fields.line("low", labels_battery.SOH_LOW, fields.UNKNOWN, unit="%"),
    )


def backup_history(language: Language) -> Panel:
    """Backup time day by day, against what is owed."""
    about = About(
        language=language,
        title=Text("备电时长 h", "Backup time, h"),
        description=Text(
            "每日最后已知小时由满电起按当日负荷与温度推算的 p50 与 p10；红线为合同时长。来源：battery_day。",
            "From full, as of each day's last known hour, at its load and temperature; red is what is owed. "
            "Source: battery_day.",
        ),
        width=6,
        height=6,
        empty=not_yet.BACKUP,
    )
    query = f"""
SELECT as_of_at AS time, backup_p50_h::float8 AS p50, backup_p10_h::float8 AS p10,
       contract_h::float8 AS contract
FROM battery_day
WHERE device_id = {SET} AND $__timeFilter(ts)
ORDER BY ts
"""  # noqa: S608 - fragments of ours
    return panels.timeseries(
        about,
        query,
        fields.line("p50", labels_battery.BACKUP_P50, fields.UNKNOWN, unit="h"),
        Field(
            name="p10",
            label=labels_battery.BACKUP_P10,
            unit="h",
            decimals=1,
            color=fields.PRIMARY,
            custom={"lineWidth": 2, "showPoints": "always"},
        ),
        fields.line("contract", labels_battery.CONTRACT_H, fields.BAD, unit="h"),
    )


def resistance(language: Language) -> Panel:
    """Resistance at load steps: a trend of the set against itself."""
    about = About(
        language=language,
        title=Text("内阻趋势 mΩ", "Resistance trend, mΩ"),
        description=Text(
            "负载突加时 R = ΔV/ΔI，折算到 25 °C；只看本组自身趋势，不换算为 SoH。来源：battery_resistance。",
            "R = ΔV/ΔI at load-on, brought to 25 °C; a trend of the set against itself, never turned into SoH. "
            "Source: battery_resistance.",
        ),
        width=6,
        height=6,
        empty=not_yet.LOAD_STEP,
    )
    query = f"""
SELECT ts AS time, resistance_25c_mohm, resistance_mohm
FROM battery_resistance
WHERE device_id = {SET} AND step = 'load_on' AND $__timeFilter(ts)
ORDER BY ts
"""  # noqa: S608 - fragments of ours
    shown = {"showPoints": "always"}
    return panels.timeseries(
        about,
        query,
        Field(
            name="resistance_25c_mohm",
            label=labels_battery.RESISTANCE,
            unit="mΩ",
            decimals=1,
            color=fields.PRIMARY,
            custom=shown,
        ),
        Field(
            name="resistance_mohm",
            label=labels_battery.RESISTANCE_RAW,
            unit="mΩ",
            decimals=1,
            color=fields.UNKNOWN,
            custom=shown,
        ),
    )


def spread_history(language: Language) -> Panel:
    """Cell spread in float and under load."""
    about = About(
        language=language,
        title=Text("单体压差 mV", "Cell spread, mV"),
        description=Text(
            "浮充与放电时按小时均压计算的单体最高减最低。来源：battery_hour。",
            "Highest less lowest cell of the hour's mean voltages, on float and under load. Source: battery_hour.",
        ),
        width=6,
        height=6,
        empty=not_yet.WHOLE_HOUR,
    )
    query = f"""
SELECT DISTINCT ON ({HOUR_SHOWN})
       ts + interval '1 hour' AS time, float_spread_mv::float8 AS float_spread, load_spread_mv::float8 AS load_spread,
       {RETIRE_MV}::float8 AS retire
FROM battery_hour
WHERE device_id = {SET} AND $__timeFilter(ts)
ORDER BY {HOUR_SHOWN}, ts DESC
"""  # noqa: S608 - fragments of ours
    return panels.timeseries(
        about,
        query,
        Field(name="float_spread", label=labels_battery.FLOAT_SPREAD, unit="mV", decimals=0, color=fields.PRIMARY),
        Field(name="load_spread", label=labels_battery.LOAD_SPREAD, unit="mV", decimals=0, color=fields.SECONDARY),
        fields.line("retire", Text(f"退役 {RETIRE_MV} mV", f"retire at {RETIRE_MV} mV"), fields.BAD, unit="mV"),
    )
