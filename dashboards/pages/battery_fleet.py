"""Battery fleet 电池总览: who reports, where the mains is out, which sets are the worst, and what the BMS claims."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.kit import fields, panels, sql
from dashboards.kit.dashboard import Definition
from dashboards.kit.fields import Field
from dashboards.kit.panels import About
from dashboards.parts import battery_sets, books, compare, fleet_health
from dashboards.parts.battery_sets import CITY, DISCHARGES, FRESH_SETS, REASON, SETS, spread_field, temperature_field
from dashboards.parts.cities import city_risk
from dashboards.words import battery as labels_battery
from dashboards.words import labels, not_yet
from schemas.words import Language, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.kit.panels import Panel


def reporting(language: Language) -> Panel:
    """Sets that report against sets registered."""
    about = About(
        language=language,
        title=Text("电池组上报", "Sets reporting"),
        description=Text(
            "在线上报 = 最近读数不早于 3 个上报周期；中断 = 已登记而没有在线上报（含从未上报）。"
            "来源：device、battery_latest。",
            "Reporting: newest reading not older than three of the set's periods. Silent: registered, not reporting, "
            "those never seen among them. Source: device, battery_latest.",
        ),
        width=8,
        height=4,
    )
    query = f"""
SELECT count(*)::float8                                                    AS registered,
       count(*) FILTER (WHERE {sql.fresh("b")})::float8                    AS reporting,
       {sql.bad_ones(f"NOT COALESCE({sql.fresh('b')}, false)")} AS silent
{SETS}
"""
    return panels.stat(
        about,
        query,
        Field(name="registered", label=labels.REGISTERED, decimals=0),
        Field(name="reporting", label=labels.REPORTING, decimals=0),
        Field(name="silent", label=labels.SILENT, decimals=0, thresholds=fields.ANY_IS_WARNING),
    )


def outages_now(language: Language) -> Panel:
    """Sites without mains, sets that discharge, sites of which nothing is known."""
    about = About(
        language=language,
        title=Text("停电与放电", "Outages and discharges"),
        description=Text(
            "市电中断：动环监控报告 mains_failed 的站点；正在放电："
            "电流 < −0.02 C 的电池组；状态未知：电源监控中断的站点，"
            "不计为正常。来源：site_power_latest、battery_latest。",
            "Without mains: sites whose FSU reports mains_failed. Discharging: sets with a current below −0.02 C. Not "
            "known: sites whose power monitoring is silent; they are not counted as well. "
            "Source: site_power_latest, battery_latest.",
        ),
        width=12,
        height=4,
    )
    query = f"""
SELECT power.mains_failed, sets.discharging, power.not_known
FROM (
    SELECT {sql.bad_ones("p.mains_failed", f"({sql.fresh('p')} AND p.mains_failed IS NOT NULL)")} AS mains_failed,
           {sql.bad_ones(f"NOT COALESCE({sql.fresh('p')}, false) OR p.mains_failed IS NULL")} AS not_known
    FROM device d
    JOIN site s USING (site_id)
    LEFT JOIN site_power_latest p USING (device_id)
    WHERE d.kind = 'site_power' AND {sql.IN_CITY}
) power
CROSS JOIN (
    SELECT {sql.bad_ones(DISCHARGES)} AS discharging
    {FRESH_SETS}
) sets
"""  # noqa: S608 - fragments of ours
    return panels.stat(
        about,
        query,
        Field(name="mains_failed", label=labels.MAINS_FAILED, decimals=0, thresholds=fields.ANY_IS_BAD),
        Field(name="discharging", label=labels.DISCHARGING, decimals=0, thresholds=fields.ANY_IS_WARNING),
        Field(name="not_known", label=labels.POWER_SILENT, decimals=0, thresholds=fields.ANY_IS_WARNING),
    )


def claimed_now(language: Language) -> Panel:
    """Median SoC and SoH, as the BMS says."""
    about = About(
        language=language,
        title=Text("BMS 声称（中位数）", "As the BMS says (median)"),
        description=Text(
            "BMS 自报的 SoC、SoH 的中位数，未经核实：梯次电池的 BMS "
            "常年报 99 % 或不动的数值。汾河自己的估计在后续看板中。"
            "来源：battery_latest.soc_pct、soh_bms_pct。",
            "Median of the SoC and SoH that the BMS claims, not verified: a second-life set's BMS often says 99 % for "
            "years. Source: battery_latest.soc_pct, soh_bms_pct.",
        ),
        width=8,
        height=6,
    )
    query = f"""
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY b.soc_pct)     AS soc,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY b.soh_bms_pct) AS soh
{FRESH_SETS}
"""
    return panels.gauge(
        about,
        query,
        Field(name="soc", label=labels.SOC_BMS, unit="%", decimals=0, minimum=0, maximum=100, color=fields.ESTIMATED),
        Field(name="soh", label=labels.SOH_BMS, unit="%", decimals=0, minimum=0, maximum=100, color=fields.ESTIMATED),
    )


def by_city(language: Language) -> Panel:
    """One row per city."""
    about = About(
        language=language,
        title=Text("各城市", "By city"),
        description=Text(
            "按城市汇总；压差与温度只统计在线上报的电池组。来源：battery_latest、site_power_latest。",
            "Per city; spread and temperature of reporting sets only. Source: battery_latest, site_power_latest.",
        ),
        width=24,
        height=9,
        empty=labels.NONE,
    )
    query = f"""
SELECT {sql.city(language)} AS city,
       count(*) FILTER (WHERE d.kind = 'battery')::float8                                   AS registered,
       count(*) FILTER (WHERE {sql.fresh("b")})::float8                                     AS reporting,
       {sql.bad_ones(f"NOT COALESCE({sql.fresh('b')}, false)", "d.kind = 'battery'")} AS silent,
       {sql.bad_ones("p.mains_failed", f"({sql.fresh('p')} AND p.mains_failed IS NOT NULL)")} AS mains_failed,
       {sql.bad_ones(DISCHARGES, sql.fresh("b"))} AS discharging,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY b.cell_spread_mv)
           FILTER (WHERE {sql.fresh("b")})                                                  AS spread_median,
       max(b.cell_spread_mv) FILTER (WHERE {sql.fresh("b")})::float8                        AS spread_max,
       max(b.temperature_max_c) FILTER (WHERE {sql.fresh("b")})::float8                     AS temperature_max
FROM device d
JOIN site s USING (site_id)
LEFT JOIN battery_latest b USING (device_id)
LEFT JOIN site_power_latest p USING (device_id)
WHERE d.kind IN ('battery', 'site_power') AND {sql.IN_CITY}
GROUP BY s.city
HAVING count(*) FILTER (WHERE d.kind = 'battery') > 0
ORDER BY 1
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        Field(name="city", label=labels.CITY_COLUMN, least_px=70),
        Field(name="registered", label=labels.REGISTERED, decimals=0, width=80),
        Field(name="reporting", label=labels.REPORTING, decimals=0, width=80),
        Field(name="silent", label=labels.SILENT, decimals=0, width=50, thresholds=fields.ANY_IS_WARNING),
        Field(name="mains_failed", label=labels.OUTAGES_SHORT, decimals=0, width=70, thresholds=fields.ANY_IS_BAD),
        Field(
            name="discharging", label=labels.DISCHARGING_SHORT, decimals=0, width=90, thresholds=fields.ANY_IS_WARNING
        ),
        Field(name="spread_median", label=labels.SPREAD_MEDIAN, unit="mV", decimals=0, width=110),
        spread_field("spread_max", labels.SPREAD_MAX),
        temperature_field("temperature_max"),
    )


def outages(language: Language) -> Panel:
    """Sites without mains now, the emptiest first."""
    about = About(
        language=language,
        title=Text("正在停电的站点", "Outages in progress"),
        description=Text(
            "动环监控报告市电中断、且监控在线的站点，剩余时长最短者在前。剩余 = 各组剩余电量之和 ÷ 放电功率之和；"
            "任一组未知则全站未知，并说明原因；不达合同 = 已停电时长 + 剩余 p10 小于合同时长。"
            "来源：site_power_latest、battery_latest、battery_site。",
            "Sites whose FSU reports the mains as failed and is itself reporting, the shortest time left first. Left: "
            "what is in all sets over what they give; unknown, and why, if one set's is; below contract: outage so far "
            "and p10 left together. Source: site_power_latest, battery_latest, battery_site.",
        ),
        width=24,
        height=7,
        empty=Text("没有已知的停电", "no outage is known of"),
    )
    query = f"""
SELECT {sql.name(language, "s", "site_id")} AS site,
       {sql.city(language)} AS city,
       p.dc_voltage_v::float8 AS dc_voltage_v,
       p.dc_load_current_a::float8 AS dc_load_current_a,
       sets.discharging,
       sets.soc,
       n.remaining_p50_h::float8 AS remaining_p50_h, n.remaining_p10_h::float8 AS remaining_p10_h,
       n.first_opens_p10_h::float8 AS first_opens_p10_h, n.contract_h::float8 AS contract_h,
       CASE WHEN n.will_miss_contract THEN 'misses' WHEN n.will_miss_contract = false THEN 'meets' END AS contract,
       {sql.words_of(REASON, labels_battery.SITE_REASON, language)} AS reason,
       {sql.duration(sql.age_s("p"))} AS age
FROM site_power_latest p
JOIN device d USING (device_id)
JOIN site s ON s.site_id = d.site_id
LEFT JOIN battery_site n ON n.site_id = d.site_id AND n.ts > now() - interval '10 minutes'
CROSS JOIN LATERAL (
    SELECT CASE WHEN count(*) > 0
                THEN count(*) FILTER (WHERE {DISCHARGES.replace("d.detail", "o.detail")}) END::float8 AS discharging,
           min(b.soc_pct)::float8 AS soc
    FROM device o
    JOIN battery_latest b USING (device_id)
    WHERE o.site_id = d.site_id AND o.kind = 'battery' AND {sql.fresh("b", "o")}
) sets
WHERE p.mains_failed AND {sql.fresh("p")} AND {sql.IN_CITY}
ORDER BY n.remaining_p10_h NULLS LAST, sets.soc NULLS FIRST, p.dc_voltage_v, s.site_id
LIMIT 50
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        Field(name="site", label=labels.SITE),
        Field(name="city", label=labels.CITY_COLUMN, width=80),
        Field(name="dc_voltage_v", label=labels.DC_VOLTAGE, unit="V", decimals=1, width=90),
        Field(name="dc_load_current_a", label=labels.DC_LOAD, unit="A", decimals=0, width=80),
        Field(name="discharging", label=labels.DISCHARGING, decimals=0, width=120),
        Field(name="soc", label=labels.SOC_BMS_MIN, unit="%", decimals=0, width=170),
        Field(name="remaining_p50_h", label=labels_battery.REMAINING_P50, unit="h", decimals=1, width=90),
        Field(name="remaining_p10_h", label=labels_battery.REMAINING, unit="h", decimals=1, width=90),
        Field(name="first_opens_p10_h", label=labels_battery.FIRST_OPENS, unit="h", decimals=1, width=120),
        Field(name="contract_h", label=labels_battery.CONTRACT_H, unit="h", decimals=1, width=80),
        Field(name="contract", label=labels_battery.WILL_MISS, words=fleet_health.CONTRACT_WORDS, width=110),
        Field(name="reason", label=labels_battery.REASON_COLUMN, width=120, unknown=labels.NONE),
        fields.age(width=70),
    )


def energy(language: Language) -> Panel:
    """Energy into and out of the fleet per quarter of an hour, and how much of the fleet it covers."""
    about = About(
        language=language,
        title=Text("充放电量 kWh 与覆盖率（每 15 分钟）", "Energy in and out, kWh, and coverage (per 15 min)"),
        description=Text(
            "全部电池组每 15 分钟充入与放出的电量之和，以及其覆盖率 = Σ 各组覆盖率 / 已登记组数（右轴）。"
            "覆盖率低时，真实电量高于柱高。来源：battery_quarter。",
            "Energy into and out of all sets per quarter of an hour; coverage = Σ of the sets' coverage / sets "
            "registered (right axis). Where coverage is low the true energy is higher. Source: battery_quarter.",
        ),
        width=16,
        height=6,
        empty=not_yet.READINGS,
    )
    query = f"""
SELECT slots.time,
       q.energy_in_kwh,
       q.energy_out_kwh,
       COALESCE(q.coverage, 0) / NULLIF(fleet.sets, 0) AS coverage
FROM generate_series(date_bin('15 minutes', $__timeFrom()::timestamptz, {sql.ORIGIN}) + interval '15 minutes',
                     LEAST($__timeTo()::timestamptz, now() - interval '15 minutes'),
                     interval '15 minutes') AS slots(time)
CROSS JOIN (
    SELECT count(*) AS sets FROM device d JOIN site s USING (site_id) WHERE d.kind = 'battery' AND {sql.IN_CITY}
) fleet
LEFT JOIN (
    SELECT ts, sum(energy_in_kwh) AS energy_in_kwh, sum(energy_out_kwh) AS energy_out_kwh,
           sum(coverage)::float8 AS coverage
    FROM battery_quarter
    WHERE $__timeFilter(ts)
      AND ('*' IN (${{city:sqlstring}})
           OR site_id IN (SELECT site_id FROM site WHERE city IN (${{city:sqlstring}})))
    GROUP BY ts
) q ON q.ts = slots.time
WHERE EXISTS (SELECT FROM battery_quarter WHERE $__timeFilter(ts))
ORDER BY slots.time
"""  # noqa: S608 - fragments of ours
    axis = {"axisPlacement": "right", "drawStyle": "line", "fillOpacity": 0, "lineStyle": {"fill": "dash"}}
    return panels.timeseries(
        about,
        compare.TIMES.beside(query, ("energy_in_kwh", "energy_out_kwh", "coverage"), "energy_out_kwh"),
        Field(
            name="energy_in_kwh",
            label=labels.ENERGY_IN,
            unit="kWh",
            decimals=0,
            color=fields.PRIMARY,
            custom=fields.LEFT_BAR,
        ),
        Field(
            name="energy_out_kwh",
            label=labels.ENERGY_OUT,
            unit="kWh",
            decimals=0,
            color=fields.PARTIAL,
            custom=fields.RIGHT_BAR,
        ),
        Field(
            name="coverage",
            label=labels.COVERAGE,
            grafana_unit="percentunit",
            decimals=0,
            minimum=0,
            maximum=1,
            color=fields.UNKNOWN,
            custom=axis,
        ),
        compare.field("kWh"),
        bars=True,
    )


def freshness(language: Language) -> Panel:
    """How old the newest readings of the sets are."""
    classes = (
        ("60", Text("1 分钟内", "< 1 min")),
        ("180", Text("1–3 分钟", "1–3 min")),
        ("900", Text("3–15 分钟", "3–15 min")),
        ("3600", Text("15–60 分钟", "15–60 min")),
        ("'Infinity'", Text("1 小时以上", "> 1 h")),
    )
    rows = ",\n        ".join(
        f"({number}, {sql.quote(text(language))}, {limit}::float8)" for number, (limit, text) in enumerate(classes)
    )
    about = About(
        language=language,
        title=Text("数据新鲜度", "Freshness"),
        description=Text(
            "全部已登记电池组最近读数的年龄分布；从未上报的单列。来源：device、battery_latest.ts。",
            "Age of the newest reading of every registered set; sets never seen stand apart. "
            "Source: device, battery_latest.ts.",
        ),
        width=8,
        height=6,
        empty=labels.NONE,
    )
    query = f"""
WITH sets AS MATERIALIZED (
    SELECT {sql.age_s("b")} AS age_s, b.ts IS NULL AS never
    {SETS}
), classes (number, age, upto) AS (
    VALUES
        {rows}
)
SELECT age, sets FROM (
    SELECT c.number, c.age,
           (SELECT count(*) FROM sets
            WHERE NOT never AND age_s < c.upto AND age_s >= COALESCE((SELECT max(o.upto) FROM classes o
                                                                      WHERE o.number < c.number), 0))::float8 AS sets
    FROM classes c
    UNION ALL
    SELECT {len(classes)}, {sql.quote(labels.NEVER_SEEN(language))}, (SELECT count(*) FROM sets WHERE never)::float8
) counted
WHERE EXISTS (SELECT FROM sets)
ORDER BY number
"""  # noqa: S608 - fragments of ours
    return panels.bar_chart(
        about,
        query,
        "age",
        Field(name="age", label=labels.AGE_CLASS),
        Field(name="sets", label=labels.SETS, decimals=0, color=fields.SECONDARY),
    )


def _panels(language: Language) -> Sequence[Panel]:
    return [
        fleet_health.backup_now(language),
        outages_now(language),
        reporting(language),
        fleet_health.health_now(language),
        outages(language),
        city_risk.by_city(language),
        fleet_health.soh_distribution(language),
        fleet_health.soh_by_city(language),
        fleet_health.worst(language),
        fleet_health.next_tests(language),
        by_city(language),
        battery_sets.worst_spread(language),
        battery_sets.spread_distribution(language),
        battery_sets.worst_rise(language),
        battery_sets.temperature_distribution(language),
        energy(language),
        freshness(language),
        claimed_now(language),
        battery_sets.claimed_distribution(language),
        *books.row(language),
    ]


DASHBOARD = Definition(
    slug="battery-fleet",
    title=labels.BATTERY_FLEET,
    description=Text(
        "全部梯次电池组：谁在上报、哪里停电、哪些最差、BMS 声称什么。",
        "All second-life sets: who reports, where the mains is out, which are the worst, what the BMS claims.",
    ),
    refresh="10s",
    variables=[CITY, compare.TIMES.variable],
    panels=_panels,
)
