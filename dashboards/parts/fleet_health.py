"""Panels of the battery fleet on what fenhe itself knows: health with evidence, backup time, what to test or retire."""

from __future__ import annotations

from dashboards.kit import fields, panels, sql, thresholds
from dashboards.kit.fields import Cell, Field, Step, Word
from dashboards.kit.panels import About, Panel
from dashboards.parts.battery_sets import TO_SET, WORST
from dashboards.words import battery as labels_battery
from dashboards.words import labels
from schemas.metrics.battery_prospects import Advice
from schemas.words import Language, Text

IN_CITY = "('*' IN (${city:sqlstring}) OR h.city IN (${city:sqlstring}))"
ADVICE_WORDS = {
    str(advice): Word(text, color)
    for (advice, text), color in zip(
        labels_battery.ADVICE.items(), (fields.GOOD, fields.PARTIAL, fields.BAD, fields.UNKNOWN), strict=True
    )
}
CONTRACT_WORDS = {
    "meets": Word(labels_battery.MEETS, fields.GOOD),
    "misses": Word(labels_battery.MISSES, fields.BAD),
}
SOH_STEPS = (
    Step(None, fields.BAD),
    Step(thresholds.SOH_RETIRE_PCT, fields.PARTIAL),
    Step(thresholds.SOH_WATCH_PCT, fields.GOOD),
)
WATCH, RETIRE = thresholds.SOH_WATCH_PCT, thresholds.SOH_RETIRE_PCT
CLASSES = (
    ("≥ 90", 90, 1000), ("80–90", 80, 90), (f"{WATCH}–80", WATCH, 80), (f"{RETIRE}–{WATCH}", RETIRE, WATCH),
    (f"< {RETIRE}", -1, RETIRE),
)  # fmt: skip
"""Bands of SoH, %: the last two are those of watching and retiring."""


def soh_by_city(language: Language) -> Panel:
    """All sets by city and band of SoH."""
    about = About(
        language=language,
        title=Text("全部电池组：城市 × SoH 区间（组数）", "All sets: city × band of SoH (sets)"),
        description=Text(
            "每格为该城市中 SoH（汾河估计，25 °C、指定截止电压）落在该区间的组数，颜色深浅与数字相同；"
            "未知 = 没有可用的放电证据，不当作健康。来源：battery_health_latest、device。",
            "Sets of a city whose SoH (fenhe's own, at 25 °C and the named cut-off) lies in a band; the shade "
            "says what "
            "the figure says. Unknown: no discharge gives evidence, which is not health. "
            "Source: battery_health_latest, device.",
        ),
        width=24,
        height=9,
        empty=labels.NONE,
    )
    counted = ",\n       ".join(
        f"count(*) FILTER (WHERE h.soh_pct >= {low} AND h.soh_pct < {high})::float8 AS band_{number}"
        for number, (_, low, high) in enumerate(CLASSES)
    )
    query = f"""
SELECT {sql.city(language)} AS city, count(*)::float8 AS registered,
       {counted},
       count(*) FILTER (WHERE h.soh_pct IS NULL)::float8 AS band_unknown
FROM device d
JOIN site s USING (site_id)
LEFT JOIN battery_health_latest h USING (device_id)
WHERE d.kind = 'battery' AND {sql.IN_CITY}
GROUP BY s.city
ORDER BY 1
"""  # noqa: S608 - fragments of ours
    heat = {"decimals": 0, "minimum": 0.0, "width": 74, "cell": Cell.HEAT}
    return panels.table(
        about,
        query,
        Field(name="city", label=labels.CITY_COLUMN, least_px=80),
        Field(name="registered", label=labels.SETS, decimals=0, width=70),
        *(
            Field(name=f"band_{number}", label=Text(name, name), **heat)  # type: ignore[arg-type]
            for number, (name, _, _) in enumerate(CLASSES)
        ),
        Field(name="band_unknown", label=labels_battery.NOT_KNOWN, decimals=0, width=74, color=fields.UNKNOWN,
              cell=Cell.COLORED),
    )  # fmt: skip


def health_now(language: Language) -> Panel:
    """How much of the fleet is known, and what is advised."""
    about = About(
        language=language,
        title=Text("健康与建议", "Health and advice"),
        description=Text(
            "有估计：有 SoH 的组占登记组数；一年内可观测：12 个月内有 ≥ 1 小时放电的占比；"
            f"建议：SoH < {WATCH} % 关注、< {RETIRE} % 退役，"
            f"或备电 p10 低于合同，或浮充压差 > {thresholds.SPREAD_RETIRE_MV} mV。来源：battery_health_latest。",
            "Of all registered sets: with an estimate, those that have a SoH; observable, a discharge of an hour or "
            "more in 12 months. Advice: "
            f"watch below {WATCH} % SoH, retire below {RETIRE} %, or backup p10 below the contract, "
            f"or float spread above {thresholds.SPREAD_RETIRE_MV} mV. "
            "Source: battery_health_latest.",
        ),
        width=16,
        height=4,
    )
    known = f"h.advice <> '{Advice.UNKNOWN}'"
    advice = ",\n       ".join(
        sql.bad_ones(f"h.advice = '{each}'", known) + f" AS {each}" for each in (Advice.WATCH, Advice.RETIRE)
    )
    query = f"""
SELECT avg((h.soh_pct IS NOT NULL)::int)::float8       AS estimated,
       avg(COALESCE(h.observable, false)::int)::float8 AS observable,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY h.soh_pct)::float8 AS median,
       {advice}
FROM device d
JOIN site s USING (site_id)
LEFT JOIN battery_health_latest h USING (device_id)
WHERE d.kind = 'battery' AND {sql.IN_CITY}
HAVING count(*) > 0
"""  # noqa: S608 - fragments of ours
    share = {"grafana_unit": "percentunit", "decimals": 0}
    return panels.stat(
        about,
        query,
        Field(name="estimated", label=labels_battery.MEASURED_SHARE, **share),  # type: ignore[arg-type]
        Field(name="observable", label=labels_battery.OBSERVABLE, **share),  # type: ignore[arg-type]
        Field(name="median", label=Text("SoH 中位数", "median SoH"), unit="%", decimals=0),
        Field(name="watch", label=labels_battery.WATCH, decimals=0, thresholds=fields.ANY_IS_WARNING),
        Field(name="retire", label=labels_battery.RETIRE, decimals=0, thresholds=fields.ANY_IS_BAD),
    )


def backup_now(language: Language) -> Panel:
    """Backup time against the contract."""
    about = About(
        language=language,
        title=Text("站点备电时长（p10）对合同", "Sites: backup time (p10) against the contract"),
        description=Text(
            "p10：十次中九次不短于此；按站点负载、温度与估计容量，站内各组合计。低于合同时长即不达；"
            "任一组未知或中断则全站未知，不计为达到。来源：battery_site。",
            "p10: nine times of ten it lasts no less; from the site's load, temperature and the estimated capacity of "
            "all its sets. One set unknown or silent makes the site unknown, which does not count as met. "
            "Source: battery_site.",
        ),
        width=12,
        height=4,
    )
    query = f"""
SELECT count(*) FILTER (WHERE n.misses_contract = false)::float8 AS meets,
       {sql.bad_ones("n.misses_contract", "n.misses_contract IS NOT NULL")} AS misses,
       count(*) FILTER (WHERE n.misses_contract IS NULL)::float8 AS not_known
FROM battery_site n
JOIN site s USING (site_id)
WHERE {sql.IN_CITY}
HAVING count(*) > 0
"""  # noqa: S608 - fragments of ours
    return panels.stat(
        about,
        query,
        Field(name="meets", label=labels_battery.MEETS, decimals=0),
        Field(name="misses", label=labels_battery.MISSES, decimals=0, thresholds=fields.ANY_IS_BAD),
        Field(name="not_known", label=labels_battery.NOT_KNOWN, decimals=0, color=fields.UNKNOWN),
    )


def soh_distribution(language: Language) -> Panel:
    """Histogram of fenhe's own SoH."""
    about = About(
        language=language,
        title=Text("SoH 分布 %（汾河估计）", "SoH, % (estimate)"),
        description=Text(
            "只含有放电证据的组；其余见“未知”。来源：battery_health_latest.soh_pct。",
            "Only sets with a discharge as evidence; the others are unknown. Source: battery_health_latest.soh_pct.",
        ),
        width=12,
        height=9,
        empty=labels.NONE,
    )
    query = f"""
SELECT h.soh_pct::float8 AS soh
FROM battery_health_latest h
WHERE {IN_CITY} AND h.soh_pct IS NOT NULL
"""  # noqa: S608 - fragments of ours
    field = Field(name="soh", label=labels.SETS, unit="%", decimals=0, color=fields.PRIMARY)
    return panels.histogram(about, query, field, bucket=5)


def worst(language: Language) -> Panel:
    """Sets that are the worst by what fenhe knows."""
    about = About(
        language=language,
        title=Text(f"最差 {WORST} 组", f"Worst {WORST} sets"),
        description=Text(
            "建议退役者在前，其次 SoH 低者；区间为 90 %，证据为那次放电。点名称看单组。来源：battery_health_latest。",
            "Sets to retire first, then the lowest SoH; the interval is 90 %, the evidence that discharge. A "
            "name leads "
            "to the set. Source: battery_health_latest.",
        ),
        width=24,
        height=7,
        empty=labels.NONE,
    )
    query = f"""
SELECT h.device_id, {sql.name(language, "d", "device_id")} AS battery_set, {sql.city(language, "h.city")} AS city,
       h.advice, {sql.list_words_of("h.advice_reasons", labels_battery.ADVICE_REASON, language)} AS advice_reasons,
       h.soh_pct::float8 AS soh_pct,
       round(h.soh_low_pct::numeric) || '–' || round(h.soh_high_pct::numeric) AS interval,
       {sql.words_of("h.soh_method", labels_battery.METHOD, language)} AS method,
       h.soh_evidence_at AS evidence_at,
       {sql.not_lifted("h.backup_p10_h", "h.contract_h", 2)} AS backup_p10_h, h.contract_h::float8 AS contract_h,
       h.float_spread_mv::float8 AS float_spread_mv,
       {sql.words_of("h.soh_reason", labels_battery.REASON, language)} AS reason
FROM battery_health_latest h
JOIN device d USING (device_id)
WHERE {IN_CITY}
ORDER BY array_position(ARRAY['retire', 'watch', 'keep', 'unknown'], h.advice), h.soh_pct NULLS LAST, h.device_id
LIMIT {WORST}
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        Field(name="device_id", hidden=True),
        Field(name="battery_set", label=labels.SET, link=TO_SET),
        Field(name="city", label=labels.CITY_COLUMN, width=60),
        Field(name="advice", label=labels_battery.ADVICE_COLUMN, words=ADVICE_WORDS, width=110),
        Field(name="advice_reasons", label=labels_battery.ADVICE_REASON_COLUMN, width=95, unknown=labels.NONE),
        Field(name="soh_pct", label=labels_battery.SOH, unit="%", decimals=0, width=60, thresholds=SOH_STEPS),
        Field(name="interval", label=labels_battery.SOH_INTERVAL, width=90, unknown=labels.NONE),
        Field(name="method", label=labels_battery.METHOD_COLUMN, width=100, unknown=labels.NONE),
        fields.moment("evidence_at", labels_battery.EVIDENCE, unknown=labels.NONE),
        Field(name="backup_p10_h", label=labels_battery.BACKUP_P10, unit="h", decimals=2, width=80),
        Field(name="contract_h", label=labels_battery.CONTRACT_H, unit="h", decimals=1, width=60),
        Field(
            name="float_spread_mv",
            label=labels_battery.FLOAT_SPREAD,
            unit="mV",
            decimals=0,
            width=80,
            thresholds=fields.SPREAD_STEPS,
        ),
        Field(name="reason", label=labels_battery.REASON_COLUMN, width=120, unknown=labels.NONE),
    )


def next_tests(language: Language) -> Panel:
    """Where a core-capacity test tells most."""
    about = About(
        language=language,
        title=Text("建议的核对性放电（前 20 站）", "Capacity tests to do next (20 sites)"),
        description=Text(
            "合同电量 × SoH 的不确定度，站内各组之和：先测这里最能减少未知。来源：battery_test_proposal。",
            "Contracted energy times the doubt about the SoH, over a site's sets: a test here removes most doubt. "
            "Source: battery_test_proposal.",
        ),
        width=24,
        height=7,
        empty=labels.NONE,
    )
    query = f"""
SELECT p.rank::float8 AS rank, {sql.name(language, "s", "site_id")} AS site, {sql.city(language, "p.city")} AS city,
       p.uncertain_kwh::float8 AS uncertain_kwh, p.sets::float8 AS sets, p.never_measured::float8 AS never_measured,
       {sql.not_lifted("p.backup_p10_h", "p.contract_h", 2)} AS backup_p10_h, p.contract_h::float8 AS contract_h
FROM battery_test_proposal p
JOIN site s USING (site_id)
WHERE {IN_CITY.replace("h.city", "p.city")}
ORDER BY p.rank
LIMIT 20
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        Field(name="rank", label=labels_battery.RANK, decimals=0, width=50),
        Field(name="site", label=labels.SITE),
        Field(name="city", label=labels.CITY_COLUMN, width=80),
        Field(name="uncertain_kwh", label=labels_battery.UNCERTAIN_KWH, unit="kWh", decimals=1, width=100),
        Field(name="sets", label=labels.SETS, decimals=0, width=60),
        Field(name="never_measured", label=labels_battery.NEVER_MEASURED, decimals=0, width=110),
        Field(name="backup_p10_h", label=labels_battery.BACKUP_P10, unit="h", decimals=2, width=100),
        Field(name="contract_h", label=labels_battery.CONTRACT_H, unit="h", decimals=1, width=80),
    )
