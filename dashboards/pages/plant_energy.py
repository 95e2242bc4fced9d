"""Plant energy 能耗: power, unit-product energy and water of one plant, how far they can be trusted, and its peers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.kit import fields, panels, sql
from dashboards.kit.dashboard import Definition
from dashboards.kit.fields import Field
from dashboards.kit.panels import About
from dashboards.parts import alarm_lists, books, compare, enpi, flows, plant_limits, plant_windows
from dashboards.parts.plants import PRODUCT_UNIT, SITE, TO_ENERGY, TO_METER, rate, rate_unit, register, sites
from dashboards.words import labels
from schemas.readings import Kind, registers_of
from schemas.words import Language, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.kit.panels import Panel


VIRTUAL = Text("虚拟", "virtual")
"""Role shown of a meter that is made of others."""

METER_KINDS = f"({', '.join(repr(kind.value) for kind in Kind if registers_of(kind))})"
"""Kinds that have registers; a laboratory has none."""


def meters(language: Language) -> Panel:
    """All meters of the plant, the silent ones first."""
    about = About(
        language=language,
        title=Text("表计", "Meters"),
        description=Text(
            "每只表的最近读数。超过 3 个上报周期没有读数即为中断：瞬时值显示为未知，绝不显示为 0；表底保留最后所见值。"
            "虚拟表为本企业几只表的和或差，没有表底，瞬时值为近一小时内已知各分钟的平均。"
            "来源：device、meter_latest；virtual_meter、meter_minute。",
            "Newest reading of every meter. One without a reading for three of its periods is silent: its rate is then "
            "unknown, never 0; its register stays as last seen. A virtual meter is a sum or difference of the plant's: "
            "it has no register, and its rate is the mean of the hour's known minutes. Source: device, meter_latest; "
            "virtual_meter, meter_minute.",
        ),
        width=24,
        height=7,
        empty=labels.NONE,
    )
    query = f"""
SELECT x.device_id, x.site_id, x.meter, {sql.words_of("x.kind", labels.KIND, language)} AS kind, x.role,
       x.state, {sql.duration("x.age_s")} AS age,
       {rate("x.state = 'live'", "x.rate", "x.kind", "x.rate_unit", language)} AS rate,
       {register("x.total", "x.kind", "x.total_unit")} AS total
FROM (
    SELECT d.device_id, d.site_id, {sql.name(language, "d", "device_id")} AS meter, d.kind,
           {sql.words_of("d.role", labels.ROLE, language)} AS role,
           CASE WHEN m.ts IS NULL THEN 'never' WHEN {sql.fresh("m")} THEN 'live' ELSE 'stale' END AS state,
           {sql.age_s("m")} AS age_s,
           m.rate, m.total, m.rate_unit, m.total_unit
    FROM device d
    LEFT JOIN meter_latest m USING (device_id)
    WHERE d.site_id = {SITE} AND d.kind IN {METER_KINDS}
    UNION ALL
    SELECT v.meter_id, v.site_id, {sql.name(language, "v", "meter_id")}, v.kind, {sql.quote(VIRTUAL(language))},
           CASE WHEN m.rate IS NULL THEN 'stale' ELSE 'live' END, {sql.age_s("m")}, m.rate, NULL,
           {rate_unit("v.quantity")}, NULL
    FROM virtual_meter v
    CROSS JOIN LATERAL (
        SELECT max(ts) + interval '1 minute' AS ts, 60 * avg(increment) AS rate FROM meter_minute
        WHERE device_id = v.meter_id AND quantity = v.quantity AND increment IS NOT NULL
          AND ts BETWEEN $__timeTo()::timestamptz - interval '1 hour' AND $__timeTo()::timestamptz
    ) m
    WHERE v.site_id = {SITE}
) x
ORDER BY x.state = 'live', x.kind, x.device_id
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        Field(name="device_id", hidden=True),
        Field(name="site_id", hidden=True),
        Field(name="meter", label=labels.METER, link=TO_METER),
        Field(name="kind", label=labels.KIND_COLUMN, width=90),
        Field(name="role", label=labels.ROLE_COLUMN, width=90),
        fields.state(width=110),
        fields.age(width=80),
        Field(name="rate", label=labels.RATE, width=110),
        Field(name="total", label=labels.TOTAL, width=130),
    )


def plants(language: Language) -> Panel:
    """All plants beside each other."""
    about = About(
        language=language,
        title=Text("企业对比", "All plants"),
        description=Text(
            "各企业当前的功率（15 分钟）与单位产品指标（1 小时）。产品不同，单位产品能耗不可跨行业直接比较。"
            "来源：plant_window。",
            "Power (15 min) and per-product figures (1 h) of every plant now. Products differ: do not compare "
            "unit-product energy across sectors. Source: plant_window.",
        ),
        width=24,
        height=6,
        empty=labels.NONE,
    )
    query = f"""
SELECT s.site_id, {sql.name(language, "s", "site_id")} AS plant,
       {sql.words_of("s.sector", labels.SECTOR, language)} AS sector,
       max(w.power_kw) FILTER (WHERE w.window_min = 15)         AS power_kw,
       max(w.unit_energy_kgce) FILTER (WHERE w.window_min = 60) AS unit_energy_kgce,
       'kgce/' || s.product_unit                                AS product_unit,
       max(w.coverage) FILTER (WHERE w.window_min = 60)         AS coverage,
       COALESCE(max(w.quality) FILTER (WHERE w.window_min = 60), 'unknown') AS quality
FROM site s
CROSS JOIN (VALUES (15), (60)) AS asked (minutes)
LEFT JOIN LATERAL (
    SELECT * FROM plant_window p
    WHERE p.site_id = s.site_id AND p.window_min = asked.minutes AND {sql.RECENT.replace("ts", "p.ts", 1)}
    ORDER BY p.ts DESC LIMIT 1
) w ON true
WHERE s.sector <> 'base_station'
GROUP BY s.site_id, s.name, s.name_zh, s.sector, s.product_unit
ORDER BY 1
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        Field(name="site_id", hidden=True),
        Field(name="plant", label=labels.PLANT, link=TO_ENERGY),
        Field(name="sector", label=labels.SECTOR_COLUMN, width=100),
        Field(name="power_kw", label=Text("功率 kW", "Power kW"), decimals=0, width=90),
        Field(name="unit_energy_kgce", label=Text("单位能耗", "Energy/product"), decimals=1, width=110),
        Field(name="product_unit", label=labels.UNIT, width=80),
        fields.coverage(width=80),
        fields.quality(width=100),
    )


def _panels(language: Language) -> Sequence[Panel]:
    return [
        plant_windows.power_now(language),
        plant_windows.unit_energy_now(language),
        plant_windows.unit_water_now(language),
        plant_windows.energy_now(language),
        plant_windows.trust(language),
        enpi.deviation(language),
        plant_limits.standing(language),
        plant_limits.against_levels(language),
        *enpi.row(language),
        plant_windows.power_history(language),
        plant_windows.unit_energy_history(language),
        plant_windows.energy_history(language),
        plant_windows.water_history(language),
        plant_windows.production_history(language),
        plant_windows.quality_history(language),
        flows.energy_flow(language),
        flows.meter_tree(language),
        plant_limits.load_curve(language),
        plant_limits.meter_events(language),
        meters(language),
        plants(language),
        *books.row(language),
    ]


DASHBOARD = Definition(
    slug="plant-energy",
    title=labels.PLANT_ENERGY,
    description=Text(
        "一家企业的功率、单位产品能耗与取水，以及这些数字可信到什么程度。",
        "Power, unit-product energy and water of one plant, and how far these figures can be trusted.",
    ),
    refresh="30s",
    range_from="now-7d",
    variables=[sites("s.sector <> 'base_station'"), PRODUCT_UNIT, compare.ENERGY.variable],
    panels=_panels,
    annotations=[alarm_lists.marks(f"a.site_id = {SITE}"), plant_limits.event_marks(f"e.site_id = {SITE}")],
)
