"""Province 全省总览: bases and plants at a glance, utilisation against the plan, load, alarms, freshness."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.kit import fields, panels, sql, thresholds
from dashboards.kit.dashboard import Definition
from dashboards.kit.fields import Cell, Field
from dashboards.kit.panels import About
from dashboards.pages.gangue import BASELINE, CF_STEPS
from dashboards.parts import alarm_lists, books, gaps, plant_limits, waste
from dashboards.parts.cities import city_map
from dashboards.parts.plants import TO_ENERGY, days_back
from dashboards.words import alarm as labels_alarm
from dashboards.words import labels
from dashboards.words import plant as labels_plant
from schemas.words import Language, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.kit.panels import Panel


def at_a_glance(language: Language) -> Panel:
    """How many plants and sets, and how many of them report."""
    about = About(
        language=language,
        title=Text("一览", "At a glance"),
        description=Text(
            "企业与基站数；在线 = 至少一台设备在 3 个上报周期内有读数；单位能耗超限 = 30 天等级低于限定值。"
            "来源：site、arrival 视图、plant_rolling。",
            "Plants and base stations; live: at least one device with a reading within three of its periods; over the "
            "limit: by the grade of 30 days. Source: site, view arrival, plant_rolling.",
        ),
        width=14,
        height=4,
    )
    query = f"""
WITH live AS MATERIALIZED (
    SELECT DISTINCT a.site_id FROM arrival a JOIN device d USING (device_id) WHERE {sql.fresh("a")}
)
SELECT count(*) FILTER (WHERE s.sector <> 'base_station')::float8                              AS plants,
       count(*) FILTER (WHERE s.sector <> 'base_station' AND l.site_id IS NOT NULL)::float8    AS plants_live,
       count(*) FILTER (WHERE s.sector = 'base_station')::float8                               AS stations,
       count(*) FILTER (WHERE s.sector = 'base_station' AND l.site_id IS NOT NULL)::float8     AS stations_live,
       (SELECT {sql.bad_ones("grade = 0", "grade IS NOT NULL AND quality <> 'estimated'")} AS over_limit FROM (
            SELECT newest.grade, newest.quality FROM product_line p CROSS JOIN LATERAL (
                SELECT r.grade, r.quality FROM plant_rolling r
                WHERE r.site_id = p.site_id AND r.line_id = p.line_id AND r.window_h = 720 AND {days_back(3, "r.ts")}
                ORDER BY r.ts DESC LIMIT 1
            ) newest
        ) g)                                                                                   AS over_limit
FROM site s
LEFT JOIN live l USING (site_id)
"""  # noqa: S608 - fragments of ours
    return panels.stat(
        about,
        query,
        Field(name="plants", label=labels_plant.PLANTS, decimals=0),
        Field(name="plants_live", label=Text("企业在线", "plants live"), decimals=0),
        Field(name="stations", label=Text("基站", "base stations"), decimals=0),
        Field(name="stations_live", label=Text("基站在线", "stations live"), decimals=0),
        Field(
            name="over_limit",
            label=Text("产线超限", "lines over"),
            decimals=0,
            thresholds=fields.ANY_IS_BAD,
        ),
    )


def units(language: Language) -> Panel:
    """Every gangue unit: load against the baseline, coal rate."""
    about = About(
        language=language,
        title=Text("煤矸石机组：出力系数与煤耗 · 24 h", "Gangue units: capacity factor and coal rate · 24 h"),
        description=Text(
            f"各机组 24 小时出力系数（全省基准见参考数据，{thresholds.CAPACITY_FACTOR_PCT} %）、"
            "供电标准煤耗与化验覆盖；低者在前。来源：gangue_window。",
            "Each unit's capacity factor of 24 hours "
            f"(baseline in the reference data: {thresholds.CAPACITY_FACTOR_PCT} %), "
            "net coal rate and laboratory coverage; lowest first. Source: gangue_window.",
        ),
        width=24,
        height=5,
        empty=labels.NONE,
    )
    query = f"""
SELECT d.site_id, d.device_id, {sql.name(language, "d", "device_id")} AS unit, {sql.city(language)} AS city,
       w.capacity_factor_pct, w.capacity_factor_pct - {BASELINE} AS against_baseline,
       w.net_coal_rate_gce_kwh, w.laboratory_share, COALESCE(w.quality, 'unknown') AS quality
FROM device d
JOIN site s USING (site_id)
LEFT JOIN LATERAL (
    SELECT * FROM gangue_window g
    WHERE g.device_id = d.device_id AND g.span = 'day' AND {days_back(2, "g.ts")}
    ORDER BY g.ts DESC LIMIT 1
) w ON true
WHERE d.kind = 'gangue_unit'
ORDER BY w.capacity_factor_pct NULLS FIRST, d.device_id
LIMIT 100
"""  # noqa: S608 - fragments of ours
    to_unit = fields.Link("gangue", Text("看机组", "Gangue unit"), {"site": "site_id", "unit": "device_id"})
    return panels.table(
        about,
        query,
        Field(name="site_id", hidden=True),
        Field(name="device_id", hidden=True),
        Field(name="unit", label=labels_plant.UNIT, link=to_unit),
        Field(name="city", label=labels.CITY_COLUMN, width=80),
        Field(
            name="capacity_factor_pct",
            label=labels_plant.CAPACITY_FACTOR,
            unit="%",
            decimals=0,
            minimum=0,
            maximum=100,
            width=150,
            cell=Cell.GAUGE,
            thresholds=CF_STEPS,
        ),
        Field(name="against_baseline", label=Text("较基准", "vs baseline"), unit="pp", decimals=0, width=90),
        Field(name="net_coal_rate_gce_kwh", label=labels_plant.NET_COAL_RATE, unit="gce/kWh", decimals=0, width=130),
        Field(
            name="laboratory_share",
            label=labels_plant.LABORATORY,
            grafana_unit="percentunit",
            decimals=0,
            width=90,
        ),
        fields.quality(width=90),
    )


def plants(language: Language) -> Panel:
    """Every plant with its energy standing, alarms and freshness."""
    about = About(
        language=language,
        title=Text("各企业", "Plants"),
        description=Text(
            "各企业：30 天等级、24 小时单位产品能耗与距限定值（依估算得出的标 ◇，不算超限）、"
            "活动告警、最近读数；点名称看能耗。产品不同，单位能耗不可跨行业比较。"
            "来源：plant_rolling、alarm、meter_latest。",
            "Each plant: grade of 30 days, energy per product of 24 hours and its gap to the limit (one that "
            "rests on an estimate bears ◇ and is not called over), active alarms, newest "
            "reading; a name leads to its energy. Products differ: do not compare across sectors. "
            "Source: plant_rolling, alarm, meter_latest.",
        ),
        width=24,
        height=8,
        empty=labels.NONE,
    )
    query = f"""
SELECT s.site_id, {sql.name(language, "s", "site_id")} AS plant, {sql.city(language)} AS city,
       {sql.words_of("s.sector", labels.SECTOR, language)} AS sector,
       {plant_limits.grade("month")}, day.unit_energy_kgce, 'kgce/' || s.product_unit AS per,
       {gaps.LIMIT.text("day", language)},
       day.unit_water_m3,
       {gaps.QUOTA.text("day", language)},
       day.coverage, COALESCE(day.quality, 'unknown') AS quality,
       CASE WHEN al.active > 0 OR fresh.live THEN COALESCE(al.active, 0) END::float8 AS alarms,
       {sql.duration("fresh.age_s")} AS age
FROM site s
LEFT JOIN LATERAL (
    SELECT * FROM plant_rolling r
    WHERE r.site_id = s.site_id AND r.line_id = 'plant' AND r.window_h = 24 AND {days_back(1, "r.ts")}
    ORDER BY r.ts DESC LIMIT 1
) day ON true
LEFT JOIN LATERAL (
    SELECT r.grade, r.quality FROM plant_rolling r
    WHERE r.site_id = s.site_id AND r.line_id = 'plant' AND r.window_h = 720 AND {days_back(3, "r.ts")}
    ORDER BY r.ts DESC LIMIT 1
) month ON true
LEFT JOIN (
    SELECT a.site_id, count(*) AS active FROM alarm a WHERE {alarm_lists.ACTIVE} GROUP BY a.site_id
) al ON al.site_id = s.site_id
LEFT JOIN (
    SELECT m.site_id, min({sql.age_s("m")}) AS age_s, bool_or({sql.fresh("m", "d")}) AS live
    FROM meter_latest m JOIN device d USING (device_id)
    GROUP BY m.site_id
) fresh ON fresh.site_id = s.site_id
WHERE s.sector <> 'base_station'
ORDER BY alarms DESC NULLS LAST, day.gap_to_limit_pct DESC NULLS LAST, s.site_id
LIMIT 300
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        Field(name="site_id", hidden=True),
        Field(name="plant", label=labels.PLANT, link=TO_ENERGY),
        Field(name="city", label=labels.CITY_COLUMN, width=80),
        Field(name="sector", label=labels.SECTOR_COLUMN, width=110),
        Field(name="grade", label=labels_plant.GRADE, words=plant_limits.GRADE_WORDS, width=120),
        Field(name="unit_energy_kgce", label=labels.ENERGY_PER_PRODUCT, decimals=1, width=100),
        Field(name="per", label=labels.UNIT, width=90),
        gaps.LIMIT.field(),
        Field(name="unit_water_m3", label=labels.WATER_PER_PRODUCT, decimals=2, width=110),
        gaps.QUOTA.field(),
        fields.coverage(width=80),
        fields.quality(width=100),
        Field(name="alarms", label=labels_alarm.ALARMS, decimals=0, width=70, thresholds=fields.ANY_IS_WARNING),
        fields.age(width=80),
    )


def _panels(language: Language) -> Sequence[Panel]:
    return [
        at_a_glance(language),
        alarm_lists.by_severity(language, width=10),
        alarm_lists.active_list(language, height=6, limit=20),
        waste.utilisation(language),
        plants(language),
        city_map.city_map(language),
        units(language),
        *books.row(language),
    ]


DASHBOARD = Definition(
    slug="province",
    title=labels_plant.PROVINCE,
    description=Text(
        "全省基地与企业一览：固废利用进度、出力、能效、告警与数据新鲜度。",
        "Bases and plants at a glance: use of solid waste, load, energy, alarms and freshness.",
    ),
    refresh="30s",
    variables=[],
    panels=_panels,
)
