"""How a gangue unit runs now, and what a kilowatt-hour of the last day took, beside earlier days of the same load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.kit import fields, panels, sql
from dashboards.kit.fields import Field
from dashboards.kit.panels import About
from dashboards.parts.plants import days_back
from dashboards.words import labels
from dashboards.words import plant as labels_plant
from schemas.words import Language, Text

if TYPE_CHECKING:
    from dashboards.kit.panels import Panel

UNIT = "${unit:sqlstring}"

ALIKE_PCT = 5
"""Days whose capacity factors differ by no more points ran at the same load. (unsourced)"""
BEFORE_DAYS = 30
"""Among so many days the same load is looked for."""
BEFORE_PX, COST_PX = 135, 140
"""Widths in which `◐ +14.6 gce/kWh` and `0.0903 (+0.0012)` are not cut."""

RATED = """coalesce((
           SELECT (change ->> 'rated')::float8 FROM jsonb_array_elements(d.detail -> 'changes') AS change
           WHERE change ->> 'rated' IS NOT NULL
             AND (change ->> 'valid_from')::float8 <= 1000 * extract(epoch FROM l.ts)
           ORDER BY (change ->> 'valid_from')::float8 DESC LIMIT 1), (d.detail ->> 'rated')::float8)"""
"""Rating of the unit `d` at the moment of its reading `l`: the newest registered by then (`Device.rated_at`)."""


def running(language: Language) -> Panel:
    """What the unit's control system says now."""
    about = About(
        language=language,
        title=Text("运行状态", "How it runs"),
        description=Text(
            "控制系统最近一次读数：出力及占额定的份额、床温、主蒸汽流量、压力与温度。"
            "超过三个周期没有读数即为未知，绝不为 0。来源：meter_latest、reading_gangue_unit。",
            "The newest reading of the unit's control system: load, its share of the rating, bed temperature, flow, "
            "pressure and temperature of the main steam. Unknown, never 0, once three periods pass without a reading. "
            "Source: meter_latest, reading_gangue_unit.",
        ),
        width=24,
        height=4,
    )
    now = sql.fresh("l")
    columns = ("bed_temperature_c", "steam_flow_t_h", "steam_pressure_mpa", "steam_temperature_c")
    shown = ",\n       ".join(f"CASE WHEN {now} THEN m.{column} END::float8 AS {column}" for column in columns)
    query = f"""
SELECT CASE WHEN l.ts IS NULL THEN 'never' WHEN {now} THEN 'live' ELSE 'stale' END AS state,
       {sql.duration(sql.age_s("l"))} AS age,
       CASE WHEN {now} THEN m.power_mw END AS power_mw,
       CASE WHEN {now} THEN 100 * m.power_mw / NULLIF({RATED}, 0) END AS rated_pct,
       {shown}
FROM device d
LEFT JOIN meter_latest l ON l.device_id = d.device_id
LEFT JOIN reading_gangue_unit m ON m.device_id = l.device_id AND m.ts = l.ts
       AND m.ts > $__timeFrom()::timestamptz - interval '30 days'
WHERE d.device_id = {UNIT}
"""  # noqa: S608 - fragments of ours
    return panels.stat(
        about,
        query,
        fields.state(),
        fields.age(),
        Field(name="power_mw", label=labels_plant.LOAD, unit="MW", decimals=1),
        Field(name="rated_pct", label=labels_plant.OF_RATING, unit="%", decimals=0),
        Field(name="bed_temperature_c", label=labels_plant.BED_TEMPERATURE, unit="°C", decimals=0),
        Field(name="steam_flow_t_h", label=labels_plant.STEAM_FLOW, unit="t/h", decimals=0),
        Field(name="steam_pressure_mpa", label=labels_plant.STEAM_PRESSURE, unit="MPa", decimals=1),
        Field(name="steam_temperature_c", label=labels_plant.STEAM_TEMPERATURE, unit="°C", decimals=0),
    )


def rates(language: Language) -> Panel:
    """Coal and heat rates of the last 24 hours."""
    about = About(
        language=language,
        title=Text("煤耗与热耗 · 24 h", "Coal and heat rate · 24 h"),
        description=Text(
            "供电标准煤耗 = Q/(W_gen − W_aux)/29.3076，Q = ΣBₖ·LHVₖ 减外供热；热值待化验时为估算，见“化验”。"
            f"“较同负荷”：与前 {BEFORE_DAYS} 天中出力系数相差不超过 {ALIKE_PCT} 个百分点、化验齐全的时段平均相比。"
            "“度电燃料成本”= 供电标准煤耗 × 台账中的标煤单价，括号内为较同负荷之差。"
            "来源：gangue_window（24 小时）、site.coal_yuan_t。",
            "Net coal rate = Q/(W_gen − W_aux)/29.3076, Q = ΣBₖ·LHVₖ less exported heat; estimated while the "
            f"laboratory owes the heating value. “To same load”: against the mean of those of the {BEFORE_DAYS} "
            f"days before whose capacity factor was within {ALIKE_PCT} points of it and whose laboratory values are "
            "all there. “Fuel” is the net coal rate at the registry's price of a tonne of coal equivalent, in brackets "
            "its difference to the same load. "
            "Source: gangue_window, 24 h; site.coal_yuan_t.",
        ),
        width=24,
        height=panels.LINE_HEIGHT,
    )
    cost = (
        f"CASE WHEN s.coal_yuan_t IS NULL THEN {sql.quote(labels_plant.NO_PRICE(language))} "
        "ELSE to_char(w.net_coal_rate_gce_kwh / 1e6 * s.coal_yuan_t, 'FM999990.0000') || "
        f"coalesce(' (' || {sql.signed('b.to_before / 1e6 * s.coal_yuan_t', 4)} || ')', '') END"
    )
    over, within = fields.MARK_OF[fields.PARTIAL], fields.MARK_OF[fields.GOOD]
    mark = f"CASE WHEN b.to_before >= 0.05 THEN '{over}' ELSE '{within}' END"
    to_before = f"{mark} || ' ' || {sql.signed('b.to_before', 1)} || ' gce/kWh'"
    query = f"""
SELECT w.net_coal_rate_gce_kwh, {to_before} AS to_before, {cost} AS fuel_yuan_kwh,
       w.gross_coal_rate_gce_kwh, w.net_heat_rate_kj_kwh, w.station_service_pct, w.net_efficiency_pct, w.quality
FROM gangue_window w
LEFT JOIN site s USING (site_id)
CROSS JOIN LATERAL (
    SELECT w.net_coal_rate_gce_kwh - avg(p.net_coal_rate_gce_kwh) AS to_before
    FROM gangue_window p
    WHERE p.device_id = {UNIT} AND p.span = 'day' AND p.quality <> 'estimated'
      AND p.ts > w.ts - interval '{BEFORE_DAYS + 1} days' AND p.ts <= w.ts - interval '1 day'
      AND abs(p.capacity_factor_pct - w.capacity_factor_pct) <= {ALIKE_PCT}
) b
WHERE w.device_id = {UNIT} AND w.span = 'day' AND {days_back(2, "w.ts")}
ORDER BY w.ts DESC
LIMIT 1
"""  # noqa: S608 - fragments of ours
    return panels.line(
        about,
        query,
        Field(name="net_coal_rate_gce_kwh", label=labels_plant.NET_COAL_RATE, unit="gce/kWh", decimals=1),
        Field(name="to_before", label=labels_plant.TO_BEFORE, marked=True, least_px=BEFORE_PX),
        Field(name="fuel_yuan_kwh", label=labels_plant.FUEL_YUAN_KWH, least_px=COST_PX),
        Field(name="gross_coal_rate_gce_kwh", label=labels_plant.GROSS_COAL_RATE, unit="gce/kWh", decimals=1),
        Field(name="net_heat_rate_kj_kwh", label=labels_plant.NET_HEAT_RATE, unit="kJ/kWh", decimals=0),
        Field(name="station_service_pct", label=labels_plant.STATION_SERVICE, unit="%", decimals=2),
        Field(name="net_efficiency_pct", label=labels_plant.EFFICIENCY, unit="%", decimals=1),
        fields.quality(label=labels.QUALITY_COLUMN),
    )
