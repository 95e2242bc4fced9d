"""Use of solid waste 固废利用: made and used this year, what the year comes to at this pace, and the plan."""

from __future__ import annotations

from dashboards.kit import fields, panels, sql
from dashboards.kit.fields import Cell, Field
from dashboards.kit.panels import TIME_ZONE, About, Panel
from dashboards.parts.plants import WHOLE
from dashboards.words import labels
from dashboards.words import plant as labels_plant
from schemas.words import Language, Text

USED = {"gangue": "gangue_t"}
"""Materials whose use is measured: what a unit burns is used."""
MADE = {"fly_ash": "fly_ash_t", "gypsum": "gypsum_t"}
"""Materials that units make; what becomes of them has no meter, so their use is unknown, as that of slag is."""
PACE_DAYS = 30
"""Days by whose pace the rest of the year is reckoned. (unsourced)"""
LEAST_DAYS = 15
"""Of these, how many must have been measured whole of every unit. (unsourced)"""
AT = "least($__timeTo()::timestamptz, now())"
"""SQL: the moment of which the panel tells; written out in each bound, so that history is read from there."""
BEGUN = f"date_trunc('year', {AT} - interval '1 microsecond', '{TIME_ZONE}')"
"""SQL: when its year began. A range that ends at New Year tells of the year that is over, not of one of no length."""
WHOLE_YEAR = 0.98
"""Share of the year so far from which on it counts as known in full. (unsourced)"""


def utilisation(language: Language) -> Panel:
    """Progress of the year towards the targets, and what the year comes to at this pace, per base."""
    about = About(
        language=language,
        title=Text("大宗固废综合利用（本年）", "Use of solid waste (this year)"),
        description=Text(
            "煤矸石：入炉量即利用量。飞灰、石膏：机组只计产生量，去向尚无计量，利用量未知；冶炼渣产生量也无计量。"
            f"预计 = 本年已用 + 近 {PACE_DAYS} 天中完整计量日的日均 × 本年剩余天数；"
            f"任一机组完整日不足 {LEAST_DAYS} 天即未知。"
            "较目标：◇ 为本年至今有未计量的时段，至少如此；不足才标 ✕。目标为 2020 年省规划，基地目标未公布；"
            "只看部分站点的账户为所见站点合计，不与目标比较。来源：gangue_sum、reference_target。",
            "Gangue that is burnt is used. Of fly ash and gypsum the units measure what they make; where it goes has "
            "no meter, so how much is used is unknown, and of slag even how much is made. Forecast: used so far, and "
            f"for each day left the mean of those of the last {PACE_DAYS} days that were measured whole; unknown where "
            f"these are fewer than {LEAST_DAYS} of a unit. Against the target: ◇ is at least so much, because not all "
            "of the year so far was measured. Targets by the province's plan of 2020, none is published per base; an "
            "account of some sites sees their sum, held against no target. Source: gangue_sum, reference_target.",
        ),
        width=24,
        height=7,
        empty=labels.NONE,
    )
    query = _query(language)
    return panels.table(
        about,
        query,
        Field(name="material", label=labels_plant.MATERIAL),
        Field(name="base", label=labels_plant.BASE, width=75),
        Field(name="made_t", label=labels_plant.GENERATED, decimals=0, width=90, unknown=labels_plant.NOT_METERED),
        Field(name="used_t", label=labels_plant.USED, decimals=0, width=90),
        Field(
            name="progress_pct",
            label=labels_plant.PROGRESS,
            unit="%",
            decimals=1,
            minimum=0,
            maximum=100,
            width=100,
            cell=Cell.GAUGE,
            color=fields.PRIMARY,
        ),
        Field(name="year_known", label=labels_plant.YEAR_KNOWN, grafana_unit="percentunit", decimals=0, width=80),
        Field(name="forecast_t", label=labels_plant.FORECAST, decimals=0, width=110),
        Field(name="target_t", label=labels_plant.TARGET, decimals=0, width=90, unknown=labels_plant.NO_TARGET),
        Field(name="against_target", label=labels_plant.AGAINST_TARGET, marked=True, width=100),
    )


def _query(language: Language) -> str:
    """Query of a row a target: days give what was used, those measured whole of the last ones the pace of the rest.

    Of a moment within a day only the hours before it count, for its day's row holds later ones where it is past.
    """
    columns = ", ".join(f"sum(g.{column}) AS {material}" for material, column in {**USED, **MADE}.items())
    passed = ", ".join(f"b.{material}" for material in {**USED, **MADE})
    summed = ", ".join(f"sum({material}) AS {material}" for material in {**USED, **MADE})
    used = " ".join(f"WHEN '{material}' THEN u.{material}" for material in USED)
    made = " ".join(f"WHEN '{material}' THEN u.{material}" for material in MADE)
    paces = ", ".join(
        f"CASE WHEN count(g.{column}) >= {LEAST_DAYS} THEN avg(g.{column}) END AS {material}_a_day"
        for material, column in USED.items()
    )
    pace = ", ".join(
        f"CASE WHEN d.device_id IS NOT NULL THEN p.{material}_a_day ELSE 0 END AS {material}_a_day" for material in USED
    )
    all_paces = ", ".join(
        f"CASE WHEN count(*) = count({material}_a_day) THEN sum({material}_a_day) END AS {material}_a_day"
        for material in USED
    )
    ahead = " ".join(f"WHEN '{material}' THEN u.{material} + u.{material}_a_day * y.days_left" for material in USED)
    base = sql.city(language, "t.base")
    mark = f"CASE WHEN t.forecast_t >= t.target_t THEN '●' WHEN t.year_known >= {WHOLE_YEAR} THEN '✕' ELSE '◇' END"
    against = f"{mark} || ' ' || {sql.signed_pct('100 * (t.forecast_t / t.target_t - 1)')}"
    return f"""
WITH year AS (
    SELECT at, begun, extract(epoch FROM begun + interval '1 year' - at) / 86400 AS days_left
    FROM (SELECT {AT} AS at) AS range
    CROSS JOIN LATERAL (SELECT {BEGUN} AS begun) AS of_it
), burnt AS MATERIALIZED (
    SELECT g.device_id, max(g.site_id) AS site_id, {columns},
           sum(g.coverage * CASE g.span WHEN 'day' THEN 86400 ELSE 3600 END) AS known_s
    FROM gangue_sum g
    WHERE g.span = 'day' AND g.ts >= {BEGUN} AND g.ts <= {AT} - interval '1 day'
       OR g.span = 'hour' AND g.ts >= date_trunc('day', {AT}, '{TIME_ZONE}') AND g.ts < {AT}
    GROUP BY g.device_id
), pace AS MATERIALIZED (
    SELECT g.device_id, {paces}
    FROM gangue_sum g
    WHERE g.span = 'day' AND g.ts > {AT} - interval '{PACE_DAYS + 1} days' AND g.ts <= {AT} - interval '1 day'
      AND {WHOLE}
    GROUP BY g.device_id
), units AS (
    SELECT s.city, {passed}, coalesce(b.known_s, 0) AS known_s, {pace}
    FROM (SELECT device_id FROM device WHERE kind = 'gangue_unit' UNION SELECT device_id FROM burnt) AS unit
    LEFT JOIN device d USING (device_id)
    LEFT JOIN burnt b USING (device_id)
    LEFT JOIN pace p USING (device_id)
    JOIN site s ON s.site_id = coalesce(d.site_id, b.site_id)
), per_base AS (
    SELECT coalesce(city, '') AS base, {summed}, {all_paces}, sum(known_s) / NULLIF(count(*), 0) AS known_s
    FROM units
    GROUP BY GROUPING SETS ((city), ())
), targets AS (
    SELECT t.material, t.name, t.name_zh, t.base, u.base AS has_units,
           CASE WHEN {sql.SEES_ALL} THEN t.target_t END AS target_t,
           CASE t.material {made} END AS made_t,
           CASE t.material {used} END AS used_t,
           CASE t.material {ahead} END AS forecast_t,
           CASE t.material {used} END * 0 + least(1, u.known_s / extract(epoch FROM y.at - y.begun)) AS year_known
    FROM reference_target t
    JOIN reference_current USING (version)
    CROSS JOIN year y
    LEFT JOIN per_base u ON u.base = t.base
)
SELECT t.{language.name_column} AS material,
       CASE WHEN t.base <> '' THEN {base} WHEN {sql.SEES_ALL} THEN {sql.quote(labels_plant.WHOLE_PROVINCE(language))}
            ELSE {sql.quote(labels_plant.OWN_SITES(language))} END AS base,
       t.made_t, t.used_t, 100 * t.used_t / t.target_t AS progress_pct, t.year_known, t.forecast_t, t.target_t,
       coalesce({against}, CASE WHEN t.target_t IS NULL THEN {sql.quote(labels_plant.NO_TARGET(language))} END)
           AS against_target
FROM targets t
WHERE t.target_t IS NOT NULL OR t.has_units IS NOT NULL
ORDER BY t.base <> '', array_position(ARRAY['gangue', 'fly_ash', 'gypsum', 'slag'], t.material), t.base
"""  # noqa: S608 - fragments of ours
