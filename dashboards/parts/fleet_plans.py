"""The fleet's plans 电池计划: sites at risk, capacity tests of the next month, sets to retire or exchange."""

from __future__ import annotations

from dashboards.kit import fields, panels, sql, thresholds
from dashboards.kit.fields import Field, Word
from dashboards.kit.panels import About, Panel
from dashboards.parts.battery_sets import TO_SET
from dashboards.parts.fleet_health import SOH_STEPS
from dashboards.words import battery as labels_battery
from dashboards.words import labels
from dashboards.words import plans as words
from schemas.words import Language, Text

LISTED = 300
"""Rows of a table at most: a month's work, not the whole fleet."""
LEAST_WH = 0.5
"""A test that is worth less is not proposed. (unsourced)"""

VERDICT_WORDS = {
    verdict: Word(text, color)
    for (verdict, text), color in zip(
        words.VERDICT.items(), (fields.GOOD, fields.PARTIAL, fields.BAD, fields.UNKNOWN), strict=True
    )
}
OTHERS_WORDS = {
    others: Word(text, color)
    for (others, text), color in zip(
        words.OTHERS.items(), (fields.PARTIAL, fields.UNKNOWN, fields.PARTIAL, fields.GOOD), strict=True
    )
}
KEEPS_WORDS = {"true": Word(labels.YES, fields.GOOD), "false": Word(labels.NO, fields.PARTIAL)}
TO_PARTNER = TO_SET._replace(variables={"set": "partner_id"})


def outlook(language: Language) -> Panel:
    """How many sites hold, are in doubt, fall short or are unknown."""
    about = About(
        language=language,
        title=Text("本周若停电，各站能否撑到合同时长", "If the mains fails this week: do sites keep their contract?"),
        description=Text(
            "撑得住：p10 ≥ 合同；说不准：p10 < 合同 ≤ p50；多半撑不到：p50 < 合同；未知：有组未知或中断，不算撑得住。"
            "无天气预报：按今日温度计。来源：battery_site_risk。",
            "Holds: p10 ≥ contract; in doubt: p10 < contract ≤ p50; likely short: p50 < contract; unknown: a set of "
            "the site is unknown or silent, which is not holding. Without a forecast: judged at today's temperature. "
            "Source: battery_site_risk.",
        ),
        width=24,
        height=4,
    )
    known = "r.verdict <> 'unknown'"
    counts = ",\n       ".join(
        sql.bad_ones(f"r.verdict = '{each}'", known) + f" AS {each}" for each in ("short", "doubtful")
    )
    query = f"""
SELECT {counts},
       count(*) FILTER (WHERE r.verdict = 'unknown')::float8  AS unknown,
       count(*) FILTER (WHERE r.verdict = 'holds')::float8    AS holds,
       count(*) FILTER (WHERE NOT r.has_forecast)::float8 AS without_forecast
FROM battery_site_risk r
JOIN site s USING (site_id)
WHERE {sql.IN_CITY}
HAVING count(*) > 0
"""  # noqa: S608 - fragments of ours
    return panels.stat(
        about,
        query,
        Field(name="short", label=words.VERDICT["short"], decimals=0, thresholds=fields.ANY_IS_BAD),
        Field(name="doubtful", label=words.VERDICT["doubtful"], decimals=0, thresholds=fields.ANY_IS_WARNING),
        Field(name="unknown", label=words.VERDICT["unknown"], decimals=0, color=fields.UNKNOWN),
        Field(name="holds", label=words.VERDICT["holds"], decimals=0),
        Field(name="without_forecast", label=words.WITHOUT_FORECAST, decimals=0, color=fields.UNKNOWN),
    )


def why_unknown(language: Language) -> Panel:
    """For what reason sites are unknown, and how many for each."""
    about = About(
        language=language,
        title=Text("未知的站点：为何", "Unknown sites: why"),
        description=Text(
            "每个未知站点只计一次；有组容量未知者按最不清楚的一组分：从未放电，或放过电但不足以判断（放得太浅、未静置等，"
            "单组页面说明）。来源：battery_site_risk、battery_health_latest。",
            "Each unknown site once; where a set's capacity is not known, by that set: never discharged, or "
            "discharged and it told too little (too shallow, no rest…; the set's page says which). "
            "Source: battery_site_risk, battery_health_latest.",
        ),
        width=24,
        height=panels.LINE_HEIGHT,
        empty=words.NONE_UNKNOWN,
    )
    counts = ",\n       ".join(
        f"count(*) FILTER (WHERE why = {sql.quote(reason)})::float8 AS {reason}" for reason in words.UNKNOWN_SITE
    )
    query = f"""
SELECT {counts}
FROM (
    SELECT CASE WHEN r.reason IS DISTINCT FROM 'unknown_set' THEN coalesce(r.reason, 'unknown_set')
                WHEN h.soh_reason IS NULL OR h.soh_reason = 'no_discharge' THEN 'never_discharged'
                ELSE 'unknown_set' END AS why
    FROM battery_site_risk r
    JOIN site s USING (site_id)
    LEFT JOIN battery_health_latest h ON h.device_id = r.weakest_id
    WHERE {sql.IN_CITY} AND r.verdict = 'unknown'
) unknown
HAVING count(*) > 0
"""  # noqa: S608 - fragments of ours
    return panels.line(
        about, query, *(Field(name=reason, label=text, decimals=0) for reason, text in words.UNKNOWN_SITE.items())
    )


def at_risk(language: Language) -> Panel:
    """Sites that may not keep their contract, what fails first on top."""
    about = About(
        language=language,
        title=Text("下次停电有风险的站点", "Sites at risk in the next outage"),
        description=Text(
            "p10 小者在前，无时长者在后；有组中断的站点，时长为中断前所得。"
            "有预报时，电芯按“未来 7 日最冷一夜比昨夜冷多少”降温（有暖气的机房降得少，"
            "这是从严），电量按低温系数折减；无预报则按今日温度。不足概率由 p10、p50 按正态分布算出。"
            "证据取站内各组质量之最差。来源：battery_site_risk。",
            "Lowest p10 on top, sites without one below; of a site with a silent set the hours are those last heard. "
            "With a forecast the cells become as much colder as the coldest night of the next seven is than last night "
            "(less in a heated room: this is on the safe side), and give less in the cold. Without one the site is "
            "judged at today's temperature. The chance follows from p10 and p50 of a normal distribution. Evidence is "
            "that of the site's poorest set. Source: battery_site_risk.",
        ),
        width=24,
        height=9,
        empty=Text("没有有风险的站点", "no site is at risk"),
    )
    query = f"""
SELECT {sql.name(language, "s", "site_id")} AS site, {sql.city(language)} AS city, r.verdict,
       {sql.words_of("r.reason", words.REASON, language)} AS reason,
       (100 * r.chance_short)::float8 AS chance_pct,
       {sql.not_lifted("r.ahead_p10_h", "r.contract_h", 2)} AS ahead_p10_h, r.contract_h::float8 AS contract_h,
       {sql.not_lifted("r.backup_p10_h", "r.contract_h", 2)} AS today_p10_h,
       r.coldest_c::float8 AS coldest_c, r.evidence,
       {sql.duration("r.oldest_days * 86400")} AS oldest,
       r.weakest_id AS device_id, {sql.name(language, "d", "device_id")} AS battery_set
FROM battery_site_risk r
JOIN site s USING (site_id)
LEFT JOIN device d ON d.device_id = r.weakest_id
WHERE {sql.IN_CITY} AND r.verdict <> 'holds'
ORDER BY r.ahead_p10_h NULLS LAST, r.load_w DESC NULLS LAST, r.site_id
LIMIT {LISTED}
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        Field(name="site", label=labels.SITE),
        Field(name="city", label=labels.CITY_COLUMN, width=60),
        Field(name="verdict", label=words.VERDICT_COLUMN, words=VERDICT_WORDS, width=110),
        Field(name="reason", label=words.WHY, width=190),
        Field(name="chance_pct", label=words.CHANCE_SHORT, unit="%", decimals=0, width=100),
        Field(name="ahead_p10_h", label=words.AHEAD_P10, unit="h", decimals=2, width=140),
        Field(name="contract_h", label=labels_battery.CONTRACT_H, unit="h", decimals=1, width=60),
        Field(name="today_p10_h", label=words.TODAY_P10, unit="h", decimals=2, width=130),
        Field(name="coldest_c", label=words.COLDEST, unit="°C", decimals=0, width=120, unknown=words.NO_FORECAST),
        fields.quality("evidence", label=words.EVIDENCE, width=90),
        Field(name="oldest", label=words.OLDEST, width=100, unknown=labels.NONE),
        Field(name="device_id", hidden=True),
        Field(name="battery_set", label=words.WEAKEST, link=TO_SET),
    )


def tests(language: Language) -> Panel:
    """The month's capacity tests, day by day."""
    about = About(
        language=language,
        title=Text("未来 30 天核对性放电计划", "Capacity tests of the next 30 days"),
        description=Text(
            "价值：因不知而决策，一次停电平均少供多少电量（Wh）；价值大者在前，未知者在后，刚测过者为 0（公式见文档）。"
            "规则：每站一组；只测在线、浮充、市电正常的组；均匀分到各工作日（周一至周五，不识节假日）与各城市；"
            "当日或次日预报低于 0 °C 或有预警，移到最近的好天；其余组撑不到合同时长，备发电机。"
            "来源：battery_test_value、site_weather。",
            "Worth: by how much an outage goes short, on average, because it is decided without knowing (Wh; formula "
            "in the documentation), most on top, unknown last; one just tested is worth 0. Rules: one set a site; "
            "only sets that are heard, on float and have mains; spread evenly over working days (Monday to Friday, "
            "holidays not known) and cities; moved to the nearest fair day where frost or a warning is forecast for "
            "that day or the next; a generator where the other sets do not carry the contract. "
            "Source: battery_test_value, site_weather.",
        ),
        width=24,
        height=9,
        empty=Text("没有值得做的测试", "no test is worth it"),
    )
    query = f"""
WITH best AS (
    SELECT v.*, row_number() OVER (PARTITION BY v.site_id ORDER BY v.value_kwh DESC NULLS LAST, v.device_id) AS of_site
    FROM battery_test_value v
    JOIN site s USING (site_id)
    WHERE {sql.IN_CITY} AND v.ready AND (1000 * v.value_kwh >= {LEAST_WH} OR v.value_kwh IS NULL)
      AND NOT EXISTS (SELECT FROM site_power_latest p WHERE p.site_id = v.site_id AND p.mains_failed)
), chosen AS (
    SELECT b.*, row_number() OVER (ORDER BY b.value_kwh DESC NULLS LAST, b.device_id) AS rank
    FROM best b
    WHERE b.of_site = 1
    ORDER BY rank
    LIMIT ${{tests:sqlstring}}::int
), days AS (
    SELECT t::date AS day, row_number() OVER (ORDER BY t) - 1 AS number, count(*) OVER () AS days
    FROM generate_series((now() AT TIME ZONE 'Asia/Shanghai')::date + interval '1 day',
                         (now() AT TIME ZONE 'Asia/Shanghai')::date + interval '30 days', interval '1 day') AS t
    WHERE extract(isodow FROM t) < 6
), weather AS MATERIALIZED (
    SELECT w.site_id, w.day, w.temperature_min_c, w.bad
    FROM site_weather w
    WHERE w.day >= (now() AT TIME ZONE 'Asia/Shanghai')::date AND w.site_id IN (SELECT site_id FROM chosen)
), unfit AS (
    SELECT site_id, day FROM weather WHERE bad
    UNION
    SELECT site_id, day - 1 FROM weather WHERE bad
), slots AS (
    SELECT c.*, (row_number() OVER (ORDER BY c.city, c.rank) - 1) % (SELECT max(days) FROM days) AS slot
    FROM chosen c
), placed AS (
    SELECT DISTINCT ON (c.device_id) c.*, y.day
    FROM slots c
    CROSS JOIN days y
    LEFT JOIN unfit u ON u.site_id = c.site_id AND u.day = y.day
    WHERE u.site_id IS NULL
    ORDER BY c.device_id, abs(y.number - c.slot), y.number
)
SELECT to_char(p.day, 'YYYY-MM-DD') AS day, p.rank::float8 AS rank,
       p.device_id, {sql.name(language, "d", "device_id")} AS battery_set,
       {sql.name(language, "s", "site_id")} AS site, {sql.city(language)} AS city,
       {sql.words_of("p.decides", words.DECIDES, language)} AS decides,
       (1000 * p.value_kwh)::float8 AS value_wh, p.soh_pct::float8 AS soh_pct,
       round(p.soh_low_pct::numeric) || '–' || round(p.soh_high_pct::numeric) AS interval,
       {sql.words_of("p.soh_reason", labels_battery.REASON, language)} AS soh_reason,
       p.others, w.temperature_min_c::float8 AS night_c
FROM placed p
JOIN site s USING (site_id)
JOIN device d ON d.device_id = p.device_id
LEFT JOIN weather w ON w.site_id = p.site_id AND w.day = p.day
ORDER BY p.day, p.rank
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        Field(name="day", label=words.DAY, width=110),
        Field(name="rank", label=labels_battery.RANK, decimals=0, width=50),
        Field(name="device_id", hidden=True),
        Field(name="battery_set", label=labels.SET, link=TO_SET),
        Field(name="site", label=labels.SITE),
        Field(name="city", hidden=True),
        Field(name="decides", label=words.DECIDES_COLUMN, width=170),
        Field(name="value_wh", label=words.VALUE, decimals=0, width=140),
        Field(name="soh_pct", label=labels_battery.SOH, unit="%", decimals=0, width=60, thresholds=SOH_STEPS),
        Field(name="interval", label=labels_battery.SOH_INTERVAL, width=110, unknown=labels.NONE),
        Field(name="soh_reason", label=labels_battery.REASON_COLUMN, width=120, unknown=labels.NONE),
        Field(name="others", label=words.OTHERS_COLUMN, words=OTHERS_WORDS, width=220),
        Field(name="night_c", label=words.NIGHT, unit="°C", decimals=0, width=80, unknown=words.NO_FORECAST),
    )


def swaps(language: Language) -> Panel:
    """Sets to retire or exchange, and the hours that buys."""
    about = About(
        language=language,
        title=Text("退役与对调清单：换哪一组能多撑多久", "Retire and exchange: what each swap buys"),
        description=Text(
            "建议退役的组，与不达合同（p10）站点的最弱组；能补回欠时多者在前。时长按容量比例算，换新按额定容量算。"
            "对调：同城同型，第 k 急需站的最弱组换第 k 富余站的最强组，两站换后都达合同才列；"
            f"健康度低于 {thresholds.SOH_RETIRE_PCT} % 或单体有问题的组不挪用。"
            "全站各组证据良好才给时长，否则未知并说明。来源：battery_swap。",
            "Sets advised to retire, and the weakest set of each site below its contract (p10); what wins back most of "
            "the hours owed on top. Hours go with capacity; a new set has its nominal one. Exchange: within a city and "
            "one form of set, the weakest set of the k-th neediest site for the strongest of the site with the k-th "
            f"most to spare, where both then keep their contract; a set below {thresholds.SOH_RETIRE_PCT} % or with "
            "bad cells is not passed on. Hours only where the evidence of all sets of the site is good; else unknown, "
            "and why. Source: battery_swap.",
        ),
        width=24,
        height=9,
        empty=labels.NONE,
    )
    query = f"""
SELECT w.device_id, {sql.name(language, "d", "device_id")} AS battery_set,
       {sql.name(language, "s", "site_id")} AS site, {sql.city(language)} AS city,
       {sql.list_words_of("w.advice_reasons", labels_battery.ADVICE_REASON, language)} AS because,
       w.soh_pct::float8 AS soh_pct, w.evidence,
       {sql.not_lifted("w.backup_p10_h", "w.contract_h", 2)} AS backup_p10_h, w.contract_h::float8 AS contract_h,
       w.new_gain_h::float8 AS new_gain_h, w.new_keeps::text AS new_keeps, w.without_h::float8 AS without_h,
       w.partner_id, {sql.name(language, "o", "device_id")} AS partner,
       w.moved_gain_h::float8 AS moved_gain_h, w.partner_left_h::float8 AS partner_left_h,
       {sql.words_of("w.reason", words.GAIN_REASON, language)} AS reason
FROM battery_swap w
JOIN site s USING (site_id)
JOIN device d ON d.device_id = w.device_id
LEFT JOIN device o ON o.device_id = w.partner_id
WHERE {sql.IN_CITY}
ORDER BY w.owed_gain_h DESC NULLS LAST, w.new_gain_h DESC NULLS LAST, w.backup_p10_h NULLS LAST, w.device_id
LIMIT {LISTED}
"""  # noqa: S608 - fragments of ours
    hours = {"unit": "h", "decimals": 1}
    return panels.table(
        about,
        query,
        Field(name="device_id", hidden=True),
        Field(name="battery_set", label=labels.SET, link=TO_SET),
        Field(name="site", hidden=True),
        Field(name="city", label=labels.CITY_COLUMN, width=60),
        Field(name="because", label=labels_battery.ADVICE_REASON_COLUMN, least_px=90, unknown=labels.NONE),
        Field(name="soh_pct", label=labels_battery.SOH, unit="%", decimals=0, width=60, thresholds=SOH_STEPS),
        fields.quality("evidence", label=words.EVIDENCE, width=90),
        Field(name="backup_p10_h", label=labels_battery.BACKUP_P10, width=80, unit="h", decimals=2),
        Field(name="contract_h", label=labels_battery.CONTRACT_H, width=60, **hours),  # type: ignore[arg-type]
        Field(name="new_gain_h", label=words.NEW_GAIN, width=100, **hours),  # type: ignore[arg-type]
        Field(name="new_keeps", label=words.NEW_KEEPS, words=KEEPS_WORDS, width=85),
        Field(name="without_h", label=words.WITHOUT, width=80, **hours),  # type: ignore[arg-type]
        Field(name="partner_id", hidden=True),
        Field(name="partner", label=words.PARTNER, link=TO_PARTNER, unknown=words.NO_PARTNER),
        Field(name="moved_gain_h", label=words.MOVED_GAIN, width=70, unknown=labels.NONE, **hours),  # type: ignore[arg-type]
        Field(name="partner_left_h", label=words.PARTNER_LEFT, width=95, unknown=labels.NONE, **hours),  # type: ignore[arg-type]
        Field(name="reason", label=words.WHY_UNKNOWN, width=130, unknown=labels.NONE),
    )
