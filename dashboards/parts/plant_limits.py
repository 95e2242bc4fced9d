"""Panels of plant energy that hold a plant against its limits and its own past: levels, load curve, meter events."""

from __future__ import annotations

from dashboards.kit import fields, panels, sql
from dashboards.kit.dashboard import Annotation
from dashboards.kit.fields import Field, Word
from dashboards.kit.panels import About, Panel
from dashboards.parts import compare, gaps
from dashboards.parts.plants import SITE, TO_METER, WHOLE, WHOLE_PLANT, days_back
from dashboards.words import labels, not_yet
from dashboards.words import plant as labels_plant
from schemas.words import Language, Text
from schemas.words.meter_rules import METER_RULES

_COLORS = (fields.BAD, fields.GOOD, fields.PRIMARY, fields.PARTIAL)
_AS_ESTIMATED = 10
"""Added to a grade that rests on an estimate: it is neither over nor within a limit, and never red."""
GRADE_WORDS = {
    value: Word(text, color) for (value, text), color in zip(labels_plant.GRADES.items(), _COLORS, strict=True)
} | {
    str(int(value) + _AS_ESTIMATED): Word(Text(f"◇ {text.zh[2:]}", f"◇ {text.en[2:]}"), fields.ESTIMATED)
    for value, text in labels_plant.GRADES.items()
}


def grade(row: str) -> str:
    """SQL: a window's grade, apart where it rests on an estimate."""
    return f"{row}.grade + CASE WHEN {row}.quality = 'estimated' THEN {_AS_ESTIMATED} ELSE 0 END AS grade"


def standing(language: Language) -> Panel:
    """Grade and distance to the limits now."""
    about = About(
        language=language,
        title=Text("对标", "Against the limits"),
        description=Text(
            "各产线：等级按 30 天单位产品能耗；距离 = (e − L)/L，按 24 小时，正为超出"
            "（等级或距离依估算得出的标 ◇，不算超限）；"
            "能耗按限额所用的量和单位列出（铝液为交流电耗）。没有公布领跑者值时以先进值代替。"
            "限值为标准所列经修正。来源：plant_rolling。",
            "Per line: grade by the energy per product of 30 days; gap (e − L)/L by 24 hours, positive is over "
            "(either bears ◇ where it rests on an estimate and is not called over). "
            "Energy is what the limit is of, in its unit (of liquid aluminium, electricity). Where no leader is "
            "published level 1 stands in. Limits are the standard's after corrections. Source: plant_rolling.",
        ),
        width=24,
        height=5,
        empty=labels.NONE,
    )
    query = f"""
SELECT {sql.name(language, "l", "line_id")} AS line, {grade("month")},
       CASE WHEN day.limit_level_3 IS NULL THEN day.unit_energy_kgce
            ELSE day.limit_level_3 * (1 + day.gap_to_limit_pct / 100) END AS held,
       day.limit_level_3, COALESCE(e.unit, 'kgce/' || l.product_unit) AS unit,
       {gaps.LIMIT.text("day", language)},
       {gaps.LEADER.text("day", language)},
       COALESCE(day.quality, 'unknown') AS quality
FROM product_line l
LEFT JOIN LATERAL (
    SELECT * FROM plant_rolling r
    WHERE r.site_id = l.site_id AND r.line_id = l.line_id AND r.window_h = 24 AND {days_back(2, "r.ts")}
    ORDER BY r.ts DESC LIMIT 1
) day ON true
LEFT JOIN LATERAL (
    SELECT grade, quality FROM plant_rolling r
    WHERE r.site_id = l.site_id AND r.line_id = l.line_id AND r.window_h = 720 AND {days_back(3, "r.ts")}
    ORDER BY r.ts DESC LIMIT 1
) month ON true
LEFT JOIN reference_energy_limit e
       ON e.version = day.reference_version AND e.key = l.product AND day.limit_level_3 IS NOT NULL
WHERE l.site_id = {SITE}
ORDER BY l.line_id <> 'plant', l.line_id
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        Field(name="line", label=labels_plant.LINE),
        Field(name="grade", label=labels_plant.GRADE, words=GRADE_WORDS, width=104),
        Field(name="held", label=Text("能耗 24 h", "Energy 24 h"), decimals=1, width=90),
        Field(name="limit_level_3", label=Text("限定值", "Limit"), decimals=1, width=70, unknown=labels.NONE),
        Field(name="unit", label=labels.UNIT, width=62),
        gaps.LIMIT.field(),
        gaps.LEADER.field(),
        fields.quality(width=90),
    )


def against_levels(language: Language) -> Panel:
    """Energy per product over time beside its limits."""
    about = About(
        language=language,
        title=Text(
            "单位产品综合能耗 24 h 与限额 kgce/${product_unit}",
            "Energy per product 24 h and limits, kgce/${product_unit}",
        ),
        description=Text(
            "24 小时滚动单位产品综合能耗（ΣE/ΣP），每小时一点；估算值另列。限额取自该行自己的参考数据版本。"
            "来源：plant_rolling。",
            "Energy per product over rolling 24 hours (ΣE/ΣP), one point an hour; estimated ones stand apart. "
            "The limits are those the row was held against. Source: plant_rolling.",
        ),
        width=24,
        height=6,
        empty=not_yet.DAY_OF_READINGS,
    )
    query = f"""
SELECT ts AS time,
       CASE WHEN quality <> 'estimated' THEN unit_energy_kgce END AS measured,
       CASE WHEN quality = 'estimated' THEN unit_energy_kgce END AS estimated,
       limit_level_1, limit_level_2, limit_level_3
FROM plant_rolling
WHERE site_id = {SITE} AND {WHOLE_PLANT} AND window_h = 24 AND $__timeFilter(ts)
ORDER BY ts
"""  # noqa: S608 - fragments of ours
    limits = ("limit_level_1", "limit_level_2", "limit_level_3")
    return panels.timeseries(
        about,
        compare.ENERGY.beside(query, ("measured", "estimated", *limits), "coalesce(measured, estimated)"),
        Field(
            name="measured", label=labels_plant.UNIT_ENERGY, decimals=1, color=fields.PRIMARY, custom={"lineWidth": 2}
        ),
        fields.estimated("estimated", labels_plant.ESTIMATED, decimals=1),
        fields.line("limit_level_1", labels_plant.LEVEL_1, fields.GOOD, decimals=1),
        fields.line("limit_level_2", labels_plant.LEVEL_2, fields.PARTIAL, decimals=1),
        fields.line("limit_level_3", labels_plant.LEVEL_3, fields.BAD, decimals=1),
        compare.field(decimals=1),
    )


def load_curve(language: Language) -> Panel:
    """Mean power by day and hour."""
    about = About(
        language=language,
        title=Text("负荷曲线：每日每时平均功率 kW", "Load curve: mean power by day and hour, kW"),
        description=Text(
            "每小时进线电量减外送 = 平均功率；纵轴为北京时间的钟点。空白为未知，"
            "或该小时未结束、数据不全。来源：plant_hour.energy_kwh。",
            "Electricity in less out of each hour is its mean power; hours of Beijing time upwards. "
            "Empty is unknown, under way, or not known in full. "
            "Source: plant_hour.energy_kwh.",
        ),
        width=24,
        height=8,
        empty=not_yet.WHOLE_HOUR,
    )
    hour = "extract(hour FROM ts AT TIME ZONE 'Asia/Shanghai')"
    columns = ",\n       ".join(
        f'max(energy_kwh) FILTER (WHERE {hour} = {each}) AS "{each:02}:00"' for each in range(24)
    )
    query = f"""
SELECT date_trunc('day', ts, 'Asia/Shanghai') AS time,
       {columns}
FROM plant_hour
WHERE site_id = {SITE} AND {WHOLE_PLANT} AND $__timeFilter(ts) AND ts <= now() - interval '1 hour' AND {WHOLE}
GROUP BY 1
"""  # noqa: S608 - fragments of ours
    return panels.heatmap(
        about, query, *(Field(name=f"{each:02}:00") for each in range(24)), bucket=panels.Bucket.DAY, unit="kW"
    )


def event_marks(where: str) -> Annotation:
    """What befell registers within the range, marked on the charts of a page; `where` says which, on `e`."""

    def query(language: Language) -> str:
        event = sql.case_of("e.kind", {kind: text(language) for kind, text in labels_plant.EVENTS.items()})
        return f"""
SELECT e.ts AS time, {event} || ' · ' || {sql.name(language, "d", "device_id")} AS text
FROM meter_event e
JOIN device d USING (device_id)
WHERE $__timeFilter(e.ts) AND ({where})
ORDER BY e.ts DESC
LIMIT 100
"""  # noqa: S608 - fragments of ours

    return Annotation(name=labels_plant.METER_EVENTS, query=query, color=fields.PARTIAL)


def meter_events(language: Language) -> Panel:
    """What befell the plant's registers."""
    about = About(
        language=language,
        title=Text("表计事件（近 30 天）", "Events of meters (30 days)"),
        description=Text(
            "清零、翻转、换表、冻结、缺数等，连同判据；计入 = 归到该时段的增量。来源：meter_event。",
            "Resets, rollovers, replacements, freezes, gaps and the like, and why each was taken for that; attributed "
            "is the increment given to that time. Source: meter_event.",
        ),
        width=24,
        height=7,
        empty=labels.NONE,
    )
    query = f"""
SELECT e.device_id, e.site_id, {sql.name(language, "d", "device_id")} AS meter,
       {sql.case_of("e.kind", {kind: text(language) for kind, text in labels_plant.EVENTS.items()})} AS event,
       e.ts, e.until_at, e.increment, e.rule
FROM meter_event e
JOIN device d USING (device_id)
WHERE e.site_id = {SITE} AND {days_back(30, "e.ts")}
ORDER BY e.ts DESC
LIMIT 50
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        Field(name="device_id", hidden=True),
        Field(name="site_id", hidden=True),
        Field(name="meter", label=labels.METER, link=TO_METER, width=130),
        Field(name="event", label=labels_plant.EVENT, width=90),
        fields.moment("ts", labels_plant.FROM),
        fields.moment("until_at", labels_plant.UNTIL, unknown=labels_plant.LASTING),
        Field(name="increment", label=labels_plant.ATTRIBUTED, decimals=1, width=90),
        Field(name="rule", label=labels_plant.RULE, chinese=METER_RULES),
    )
