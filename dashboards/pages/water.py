"""Water 用水: intake against quota, reuse, where the water went, and what runs at night."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.kit import fields, panels, sql
from dashboards.kit.dashboard import Definition
from dashboards.kit.fields import Field, Word
from dashboards.kit.panels import About
from dashboards.parts import alarm_lists, books, compare, gaps
from dashboards.parts.plants import FINISHED, PRODUCT_UNIT, SITE, TO_METER, WHOLE_PLANT, days_back, sites, whole_days
from dashboards.words import labels, not_yet
from dashboards.words import plant as labels_plant
from schemas.registry import Role
from schemas.words import Language, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.kit.panels import Panel

_NO_METER = "NOT EXISTS (SELECT FROM device d WHERE d.site_id = {site} AND d.kind = 'water' AND d.role = '{role}')"
LEAK_WORDS = {
    "one_day": Word(Text("待次日", "too early"), fields.UNKNOWN),
    "no_sub_meters": Word(Text("无分表", "no meters"), fields.UNKNOWN),
    "true": Word(labels.YES, fields.BAD),
    "false": Word(labels.NO, fields.GOOD),
}


def now(language: Language) -> Panel:
    """Intake per product and reuse of the last 24 hours."""
    about = About(
        language=language,
        title=Text("单位产品取水 m³/${product_unit} · 24 h", "Intake per product, m³/${product_unit} · 24 h"),
        description=Text(
            "单位产品取水量 = ΣV_in/ΣP；距定额 = (v − 定额)/定额，正为超出，"
            "◇ 为依估算得出；重复利用率 = V_reused/(V_in + V_reused)。"
            "来源：plant_rolling（24 小时）。",
            "Intake per product = ΣV_in/ΣP; gap = (v − quota)/quota, positive is over, ◇ rests on an "
            "estimate; reuse = V_reused/(V_in + V_reused). "
            "Source: plant_rolling, 24 h.",
        ),
        width=24,
        height=4,
    )
    no_reuse = (
        f"CASE WHEN {_NO_METER.format(site=SITE, role=Role.REUSED)} "
        f"THEN {sql.quote(labels_plant.NO_REUSE_METER(language))} END"
    )
    query = f"""
SELECT unit_water_m3,
       {gaps.QUOTA.text("r", language)},
       {gaps.ADVANCED_QUOTA.text("r", language)},
       {sql.figure_or("reuse_rate_pct", 1, "%", no_reuse)} AS reuse_rate_pct, quality
FROM plant_rolling r
WHERE site_id = {SITE} AND {WHOLE_PLANT} AND window_h = 24 AND {days_back(2)}
ORDER BY ts DESC
LIMIT 1
"""  # noqa: S608 - fragments of ours
    return panels.stat(
        about,
        query,
        Field(name="unit_water_m3", label=labels_plant.UNIT_WATER, decimals=2),
        gaps.QUOTA.field(None),
        gaps.ADVANCED_QUOTA.field(None),
        Field(name="reuse_rate_pct", label=labels_plant.REUSE),
        fields.quality(label=labels.QUALITY_COLUMN),
    )


def leak(language: Language) -> Panel:
    """Whether the balance says that water is lost."""
    about = About(
        language=language,
        title=Text("最近完整一日平衡", "Balance of the last full day"),
        description=Text(
            "平衡差 = V_in − ΣV_sub − ΔStorage − V_out；允许差 = 2·√Σ(εᵢ·Vᵢ)²；连续两日超出即疑似漏水。来源："
            "water_day。",
            "Residual = V_in − ΣV_sub − ΔStorage − V_out; tolerance = 2·√Σ(εᵢ·Vᵢ)²; a leak is suspected when two days "
            "exceed it. Source: water_day.",
        ),
        width=10,
        height=7,
        empty=labels_plant.NO_FULL_DAY,
    )
    query = f"""
SELECT residual_m3, tolerance_m3,
       CASE WHEN leak_suspected IS NOT NULL THEN leak_suspected::text
            WHEN {_NO_METER.format(site=SITE, role=Role.INTERNAL)} THEN 'no_sub_meters'
            WHEN residual_m3 IS NOT NULL THEN 'one_day' END AS leak
FROM water_day
WHERE site_id = {SITE} AND {days_back(3)} AND {FINISHED}
ORDER BY ts DESC
LIMIT 1
"""  # noqa: S608 - fragments of ours
    return panels.stat(
        about,
        query,
        Field(name="residual_m3", label=labels_plant.RESIDUAL, unit="m³", decimals=0),
        Field(name="tolerance_m3", label=labels_plant.TOLERANCE, unit="m³", decimals=0),
        Field(name="leak", label=labels_plant.LEAK, words=LEAK_WORDS),
    )


def against_quota(language: Language) -> Panel:
    """Intake per product over time beside the quotas."""
    about = About(
        language=language,
        title=Text(
            "单位产品取水 24 h 与定额 m³/${product_unit}", "Intake per product 24 h and quotas, m³/${product_unit}"
        ),
        description=Text(
            "24 小时滚动单位产品取水量；虚线为该产线登记的取水定额（参考数据 GB/T 18916）。"
            "来源：plant_rolling、reference_water_quota。",
            "Intake per product over rolling 24 hours; dashed lines are the quotas registered for the line "
            "(reference data, GB/T 18916). Source: plant_rolling, reference_water_quota.",
        ),
        width=12,
        height=7,
        empty=not_yet.DAY_OF_READINGS,
    )
    query = f"""
SELECT r.ts AS time,
       CASE WHEN r.quality <> 'estimated' THEN r.unit_water_m3 END AS measured,
       CASE WHEN r.quality = 'estimated' THEN r.unit_water_m3 END  AS estimated,
       q.general_m3_t AS quota, q.advanced_m3_t AS advanced
FROM plant_rolling r
LEFT JOIN (SELECT max(water_quota) AS key FROM product_line WHERE site_id = {SITE}) l ON true
LEFT JOIN reference_water_quota q ON q.key = l.key AND q.version = r.reference_version
WHERE r.site_id = {SITE} AND r.{WHOLE_PLANT} AND r.window_h = 24 AND $__timeFilter(r.ts)
ORDER BY r.ts
"""  # noqa: S608 - fragments of ours
    columns = ("measured", "estimated", "quota", "advanced")
    return panels.timeseries(
        about,
        compare.WATER.beside(query, columns, "coalesce(measured, estimated)"),
        Field(
            name="measured", label=labels_plant.UNIT_WATER, decimals=2, color=fields.SECONDARY, custom={"lineWidth": 2}
        ),
        fields.estimated("estimated", labels_plant.ESTIMATED, decimals=2),
        fields.line("quota", labels_plant.QUOTA, fields.BAD, decimals=2),
        fields.line("advanced", labels_plant.QUOTA_ADVANCED, fields.GOOD, decimals=2),
        compare.field(decimals=2),
    )


def per_day(language: Language) -> Panel:
    """Water in and out and reused per day."""
    about = About(
        language=language,
        title=Text("每日水量 m³", "Water per day, m³"),
        description=Text(
            "每个自然日的取水、排出与回用。无柱：当日未结束，或数据不全。来源：plant_day。",
            "Intake, outflow and reuse of each local day. No bar: the day is under way, or not known in full. "
            "Source: plant_day.",
        ),
        width=12,
        height=7,
        empty=not_yet.WHOLE_DAY,
    )
    query = f"""
SELECT ts AS time, {whole_days("water_in_m3", "water_out_m3", "water_reused_m3")}
FROM plant_day
WHERE site_id = {SITE} AND {WHOLE_PLANT} AND $__timeFilter(ts)
ORDER BY ts
"""  # noqa: S608 - fragments of ours
    return panels.timeseries(
        about,
        compare.WATER.beside(query, ("water_in_m3", "water_out_m3", "water_reused_m3"), "water_in_m3"),
        Field(
            name="water_in_m3",
            label=labels_plant.INTAKE,
            unit="m³",
            decimals=0,
            color=fields.PRIMARY,
            custom=fields.LEFT_BAR,
        ),
        Field(
            name="water_out_m3",
            label=labels_plant.OUTFLOW,
            unit="m³",
            decimals=0,
            color=fields.UNKNOWN,
            custom=fields.RIGHT_BAR,
        ),
        Field(
            name="water_reused_m3",
            label=Text("回用", "reused"),
            unit="m³",
            decimals=0,
            color=fields.SECONDARY,
            custom={"drawStyle": "line", "lineWidth": 2, "fillOpacity": 0},
        ),
        compare.field("m³"),
        bars=True,
    )


def balance(language: Language) -> Panel:
    """Where the water of the last day went."""
    about = About(
        language=language,
        title=Text("水平衡：最近完整一日去向 m³", "Water balance: where the last full day's water went, m³"),
        description=Text(
            "取水 = 分表合计 + 蓄水变化 + 排出 + 平衡差；有一只表不全的日子无法平衡，各项都不画。来源：water_day。",
            "Intake = sub-meters + into storage + outflow + residual; a day that one meter does not know cannot be "
            "balanced, and none of it is drawn. Source: water_day.",
        ),
        width=14,
        height=7,
        empty=not_yet.WHOLE_DAY,
    )
    items = (
        ("intake_m3", labels_plant.INTAKE),
        ("sub_meters_m3", labels_plant.SUB_METERS),
        ("storage_m3", labels_plant.STORAGE),
        ("outflow_m3", labels_plant.OUTFLOW),
        ("residual_m3", labels_plant.RESIDUAL),
    )
    known = "CASE WHEN w.residual_m3 IS NOT NULL THEN"
    rows = ",\n    ".join(f"({sql.quote(text(language))}, {known} w.{column} END)" for column, text in items)
    query = f"""
SELECT parts.item, parts.volume
FROM (SELECT * FROM water_day WHERE site_id = {SITE} AND {days_back(3)} AND {FINISHED} ORDER BY ts DESC LIMIT 1) w
CROSS JOIN LATERAL (VALUES
    {rows}
) AS parts (item, volume)
"""  # noqa: S608 - fragments of ours
    return panels.bar_chart(
        about,
        query,
        "item",
        Field(name="item", label=labels_plant.ITEM),
        Field(name="volume", label=Text("水量", "volume"), decimals=0, color=fields.SECONDARY),
    )


def residual_history(language: Language) -> Panel:
    """Residual against its tolerance, day by day."""
    about = About(
        language=language,
        title=Text("平衡差与允许差 m³/日", "Residual and its tolerance, m³ per day"),
        description=Text(
            "柱为每日平衡差，虚线为允许差；缺柱的日子未知。来源：water_day。",
            "Bars are each day's residual, the dashed line its tolerance; a day without a bar is unknown. "
            "Source: water_day.",
        ),
        width=12,
        height=7,
        empty=not_yet.WHOLE_DAY,
    )
    query = f"""
SELECT ts AS time, residual_m3, tolerance_m3
FROM water_day
WHERE site_id = {SITE} AND $__timeFilter(ts)
ORDER BY ts
"""  # noqa: S608 - fragments of ours
    return panels.timeseries(
        about,
        query,
        Field(name="residual_m3", label=labels_plant.RESIDUAL, unit="m³", decimals=0, color=fields.PRIMARY),
        fields.line("tolerance_m3", labels_plant.TOLERANCE, fields.BAD, unit="m³"),
        bars=True,
    )


def night_history(language: Language) -> Panel:
    """Night flow of the whole intake."""
    about = About(
        language=language,
        title=Text("夜间进水 m³/h（全厂）", "Intake at night, m³/h (whole plant)"),
        description=Text(
            "02:00–05:00 内连续四个 15 分钟流量均值的最小值；整夜生产的企业画的是超出产量所能解释的部分（残差）："
            "取各小时中最低者，正常时在零或略低于零，漏水时升高。不足 92 点的日子未知。来源：night_flow。",
            "Lowest mean of four consecutive quarters between 02:00 and 05:00. Of a plant that makes product all "
            "night: how much more than its production explains; the lowest hour of it is usually at or a little "
            "below zero, and a leak lifts it. Unknown with fewer than 92 points. Source: night_flow.",
        ),
        width=12,
        height=7,
        empty=not_yet.NIGHT,
    )
    query = f"""
SELECT ts AS time,
       CASE WHEN method <> 'regression' THEN night_flow_m3_h END AS night_flow_m3_h,
       CASE WHEN method = 'regression' THEN night_flow_m3_h END  AS beyond_m3_h
FROM night_flow
WHERE site_id = {SITE} AND meter_id = '' AND $__timeFilter(ts)
ORDER BY ts
"""  # noqa: S608 - fragments of ours
    field = Field(
        name="night_flow_m3_h", label=labels_plant.NIGHT_FLOW, unit="m³/h", decimals=1, color=fields.SECONDARY,
        custom={"lineWidth": 2},
    )  # fmt: skip
    beyond = Field(
        name="beyond_m3_h", label=labels_plant.BEYOND_PRODUCTION, unit="m³/h", decimals=1, color=fields.PRIMARY,
        custom={"lineWidth": 2},
    )  # fmt: skip
    query = compare.WATER.beside(query, ("night_flow_m3_h", "beyond_m3_h"), "coalesce(night_flow_m3_h, beyond_m3_h)")
    return panels.timeseries(about, query, field, beyond, compare.field("m³/h", decimals=1))


def night_by_meter(language: Language) -> Panel:
    """Newest night flow of each meter."""
    about = About(
        language=language,
        title=Text("各水表夜间最小流量", "Night flow by meter"),
        description=Text(
            "每只水表最近完整一日的夜间最小流量、与此前 28 日中位数之比，以及方法。来源：night_flow。",
            "Each water meter's night flow of the newest day that is over, against the median of the 28 days before "
            "it, and how it was come to. Source: night_flow.",
        ),
        width=24,
        height=6,
        empty=labels.NONE,
    )
    methods = sql.case_of("n.method", {key: text(language) for key, text in labels_plant.METHODS.items()})
    query = f"""
SELECT n.meter_id AS device_id, n.site_id, {sql.name(language, "d", "device_id")} AS meter,
       n.night_flow_m3_h, past.median, 100 * (n.night_flow_m3_h / NULLIF(past.median, 0) - 1) AS change_pct,
       {methods} AS method, n.points::float8 AS points, n.quality
FROM (
    SELECT DISTINCT ON (meter_id) * FROM night_flow
    WHERE site_id = {SITE} AND meter_id <> '' AND {days_back(3)} AND {FINISHED}
    ORDER BY meter_id, ts DESC
) n
LEFT JOIN device d ON d.device_id = n.meter_id
LEFT JOIN LATERAL (
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY p.night_flow_m3_h) AS median
    FROM night_flow p
    WHERE p.site_id = n.site_id AND p.meter_id = n.meter_id AND p.ts < n.ts AND p.ts >= n.ts - interval '28 days'
) past ON true
ORDER BY change_pct DESC NULLS LAST, n.meter_id
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        Field(name="device_id", hidden=True),
        Field(name="site_id", hidden=True),
        Field(name="meter", label=labels.METER, link=TO_METER),
        Field(name="night_flow_m3_h", label=labels_plant.NIGHT_FLOW, unit="m³/h", decimals=1, width=130),
        Field(
            name="median",
            label=Text("28 日中位", "28-day median"),
            unit="m³/h",
            decimals=1,
            width=120,
            unknown=labels_plant.NONE_BEFORE,
        ),
        Field(
            name="change_pct",
            label=Text("变化", "Change"),
            unit="%",
            decimals=0,
            width=80,
            unknown=labels_plant.NOTHING_TO_COMPARE,
        ),
        Field(name="method", label=labels_plant.METHOD, width=90),
        Field(name="points", label=labels_plant.POINTS, decimals=0, width=60),
        fields.quality(width=90),
    )


def _panels(language: Language) -> Sequence[Panel]:
    of_water = "a.kind IN ('balance', 'quota') OR a.device_id IN (SELECT device_id FROM device WHERE kind = 'water')"
    leaks = f"a.site_id = {SITE} AND ({of_water})"
    return [
        now(language),
        leak(language),
        balance(language),
        against_quota(language),
        per_day(language),
        residual_history(language),
        night_history(language),
        night_by_meter(language),
        alarm_lists.active_list(language, leaks, height=6, brief=True),
        *books.row(language),
    ]


DASHBOARD = Definition(
    slug="water",
    title=labels_plant.WATER,
    description=Text(
        "一家企业的取水定额、重复利用、水平衡与夜间流量。",
        "Intake against quota, reuse, balance and night flow of one plant.",
    ),
    refresh="30s",
    range_from="now-30d",
    variables=[sites("s.sector <> 'base_station'"), PRODUCT_UNIT, compare.WATER.variable],
    panels=_panels,
    annotations=[alarm_lists.marks(f"a.site_id = {SITE}")],
)
