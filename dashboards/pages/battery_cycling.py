"""Cycling 循环用途: sets that are run for peak shaving or storage: throughput, efficiency, earnings, fade."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.kit import fields, panels, sql
from dashboards.kit.dashboard import Definition, Related, Variable
from dashboards.kit.fields import Field, Link, Word
from dashboards.kit.panels import About
from dashboards.parts import alarm_lists, books
from dashboards.parts.battery_sets import CITY, REST_C
from dashboards.words import battery as labels_battery
from dashboards.words import cycling as words
from dashboards.words import labels
from schemas.words import Language, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.kit.panels import Panel

SET = "${set:sqlstring}"
QUARTER_H = 0.25
TO_CYCLES = Link("battery-cycling", Text("看它的循环", "Its cycles"), {"set": "device_id"})
FADE_WORDS = {
    fade: Word(text, color)
    for (fade, text), color in zip(
        words.FADE.items(),
        (fields.BAD, fields.GOOD, fields.GOOD, fields.PARTIAL, fields.UNKNOWN, fields.UNKNOWN),
        strict=True,
    )
}
RISEN = "CASE WHEN y.fade = 'slower' AND y.fade_pct < -y.doubt_pct THEN 'risen' ELSE y.fade END"
"""A health that rose by more than its doubt is no good news: cells do not heal; a sensor or the set changed."""


def _sets(language: Language) -> str:
    return f"""
SELECT c.device_id AS __value, {sql.name_and_identifier(language, "d", "device_id")} AS __text
FROM battery_cycling_set c
JOIN device d USING (device_id)
WHERE {sql.searched("d.device_id", "d.name", "d.name_zh")}
ORDER BY {sql.typed_first("d.device_id")}, 2, 1
LIMIT 500
"""  # noqa: S608 - fragments of ours


def fleet(language: Language) -> Panel:
    """All sets that cycle, those that fade faster than expected on top."""
    about = About(
        language=language,
        title=Text("循环运行的电池组", "Sets that cycle"),
        description=Text(
            "登记用途为削峰或储能的组。等效满循环 = 放出 ÷ 额定容量；"
            "往返效率 = 近 30 日闭合循环（充满到充满：浮充满 1 小时）的放出 ÷ 充入，没有闭合循环即未知；"
            "缺数、未见充电或放多于充的循环剔除并计数。"
            "预期衰减每年 2.5 个百分点（±1）；首末两次估计证据都良好才比较，"
            "自最近一次换组、重新标定或更正起算；± 不小于预期时为时尚早。"
            "SoH 上升超过 ± 的不是好消息：电池不会自愈，应查电流传感器或是否换过组。来源：battery_cycling。",
            "Sets registered for peak shaving or storage. Full cycles: drawn over nominal capacity; round trip: out "
            "over in of the closed cycles (from full, an hour on float, to full) of 30 days, unknown while none is "
            "closed; cycles with a part not measured, without charge, or with more out than in, are left out and "
            "counted. 2.5 points a year (±1) of fade are expected; compared only where first and newest estimate are "
            "good, since the set was last exchanged, recalibrated or corrected; too early while ± is no less than "
            "what is expected. A SoH that rose by more than ± is no good news: cells do not heal; look at the current "
            "sensor, or for an exchange that nobody registered. Source: battery_cycling.",
        ),
        width=24,
        height=8,
        empty=words.NO_SET,
    )
    query = f"""
SELECT y.device_id, {sql.name(language, "d", "device_id")} AS battery_set, {sql.city(language)} AS city,
       {sql.words_of("y.use", words.USE, language)} AS use,
       y.month_out_kwh, y.month_full_cycles, y.closed::float8 AS closed, y.left_out::float8 AS left_out,
       (100 * y.efficiency)::float8 AS efficiency_pct, y.soh_pct::float8 AS soh_pct, {RISEN} AS fade,
       y.fade_pct::float8 AS fade_pct,
       round(y.expected_fade_pct::numeric, 1) || ' ± ' || round(y.doubt_pct::numeric, 1) AS expected
FROM battery_cycling y
JOIN device d USING (device_id)
JOIN site s ON s.site_id = y.site_id
WHERE {sql.IN_CITY}
ORDER BY array_position(ARRAY['faster', 'risen', 'unknown', 'too_early', 'expected', 'slower'], {RISEN}),
         y.efficiency NULLS FIRST, y.device_id
LIMIT 300
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        Field(name="device_id", hidden=True),
        Field(name="battery_set", label=labels.SET, link=TO_CYCLES),
        Field(name="city", label=labels.CITY_COLUMN, width=80),
        Field(name="use", label=words.USE_COLUMN, width=110),
        Field(name="month_out_kwh", label=words.MONTH_OUT, unit="kWh", decimals=0, width=120),
        Field(name="month_full_cycles", label=words.MONTH_CYCLES, decimals=1, width=150),
        Field(name="closed", label=words.CLOSED, decimals=0, width=100),
        Field(name="left_out", label=words.LEFT_OUT, decimals=0, width=80),
        Field(name="efficiency_pct", label=words.EFFICIENCY, unit="%", decimals=1, width=80),
        Field(name="soh_pct", label=labels_battery.SOH, unit="%", decimals=0, width=80),
        Field(name="fade", label=words.FADE_COLUMN, words=FADE_WORDS, width=180),
        Field(name="fade_pct", label=words.FADED, decimals=1, width=130),
        Field(name="expected", label=words.EXPECTED, width=140),
    )


def cycles(language: Language) -> Panel:
    """The chosen set's cycles, newest first."""
    about = About(
        language=language,
        title=Text("所选组的循环", "Cycles of the set"),
        description=Text(
            "从充满（浮充满 1 小时）到再次充满为一个闭合循环，更短的浮充算在循环之内；"
            "未闭合、缺数、未见充电或放多于充的没有效率，并说明原因。来源：battery_cycle。",
            "From full (an hour on float) to full again is a closed cycle; a shorter float lies within it. One that is "
            "open, not measured throughout, without charge, or gave more than it took, has no efficiency, and says "
            "why. Source: battery_cycle.",
        ),
        width=24,
        height=7,
        empty=words.NO_CYCLE,
    )
    query = f"""
SELECT y.ts, y.ended_at, y.out_kwh, y.in_kwh, y.full_cycles, (100 * y.efficiency)::float8 AS efficiency_pct,
       {sql.words_of("y.reason", words.CYCLE_REASON, language)} AS reason
FROM battery_cycle y
WHERE y.device_id = {SET} AND y.ts <= $__timeTo()::timestamptz
  AND COALESCE(y.ended_at, now()) >= $__timeFrom()::timestamptz
ORDER BY y.ts DESC
LIMIT 200
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        fields.moment("ts", labels_battery.BEGIN),
        fields.moment("ended_at", words.ENDED),
        Field(name="out_kwh", label=words.OUT, unit="kWh", decimals=2, width=90),
        Field(name="in_kwh", label=words.IN, unit="kWh", decimals=2, width=90),
        Field(name="full_cycles", label=words.FULL_CYCLES, decimals=2, width=90),
        Field(name="efficiency_pct", label=words.EFFICIENCY, unit="%", decimals=1, width=80),
        Field(name="reason", label=words.WHY_NONE, least_px=150, unknown=labels.NONE),
    )


def tariff(language: Language) -> Panel:
    """What the chosen set moved, and earned, by period of its tariff."""
    about = About(
        language=language,
        title=Text("按电价时段：放电时长与收益", "By tariff: hours and earnings"),
        description=Text(
            "每 15 分钟按登记的分时电价归入时段；时长 = 电流超过静置界限的刻钟数 ÷ 4；收益 =（放出 − 充入）× 电价，"
            "没有登记电价即未知；已知占比 = 读数覆盖的时间 ÷ 所选范围内该时段全部时间；"
            "占比低时，时长至少如此，收益可能更高也可能更低。来源：battery_tariff_quarters。",
            "Each quarter of an hour by the registered tariff. Hours: quarters in which more flowed than in a rest, "
            "over four. Earned: (out − in) × price, unknown without a tariff. Known: time covered by readings over all "
            "time of that period within the range; where little is known, hours are at least so many, and what was "
            "earned may be more or less. Source: battery_tariff_quarters.",
        ),
        width=24,
        height=5,
        empty=words.NO_CYCLE,
    )
    idle_kwh = f"({REST_C} * n.nominal_ah * n.nominal_v / 1000 * {QUARTER_H})"
    query = f"""
SELECT COALESCE(q.period, {sql.quote(words.NO_PERIOD(language))}) AS period, q.yuan_kwh,
       CASE WHEN count(q.energy_out_kwh) > 0
            THEN ({QUARTER_H} * count(*) FILTER (WHERE q.energy_out_kwh > {idle_kwh}))::float8 END AS hours_out,
       CASE WHEN count(q.energy_in_kwh) > 0
            THEN ({QUARTER_H} * count(*) FILTER (WHERE q.energy_in_kwh > {idle_kwh}))::float8 END AS hours_in,
       sum(q.energy_out_kwh) AS out_kwh, sum(q.energy_in_kwh) AS in_kwh,
       q.yuan_kwh * (sum(q.energy_out_kwh) - sum(q.energy_in_kwh)) AS yuan,
       (sum(q.coverage) / count(*))::float8 AS coverage
FROM battery_cycling_set c
JOIN battery_set n USING (device_id)
CROSS JOIN LATERAL battery_tariff_quarters(c.device_id, $__timeFrom()::timestamptz, $__timeTo()::timestamptz) q
WHERE c.device_id = {SET}
GROUP BY q.period, q.yuan_kwh
ORDER BY q.yuan_kwh DESC NULLS LAST, q.period
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        Field(name="period", label=words.PERIOD, least_px=100),
        Field(name="yuan_kwh", label=words.PRICE, decimals=2, width=120),
        Field(name="hours_out", label=words.HOURS_OUT, unit="h", decimals=0, width=90),
        Field(name="hours_in", label=words.HOURS_IN, unit="h", decimals=0, width=90),
        Field(name="out_kwh", hidden=True),
        Field(name="in_kwh", hidden=True),
        Field(name="yuan", label=words.EARNED, decimals=0, width=100),
        fields.coverage(label=words.KNOWN, width=80),
    )


def _panels(language: Language) -> Sequence[Panel]:
    return [fleet(language), cycles(language), tariff(language), *books.row(language)]


DASHBOARD = Definition(
    slug="battery-cycling",
    title=words.CYCLING,
    description=Text(
        "削峰填谷与储能的电池组：吞吐、往返效率、分时收益、衰减对预期。",
        "Sets run for peak shaving and storage: throughput, round trip, earnings by tariff, fade against forecast.",
    ),
    refresh="1m",
    range_from="now-30d",
    variables=[CITY, Variable(name="set", label=labels.SET, query=_sets)],
    related=[Related("battery-set", labels_battery.BATTERY_SET)],
    panels=_panels,
    annotations=[alarm_lists.marks(f"a.device_id = {SET}")],
)
