"""A battery set's passport 电池护照: identity, health, use, temperatures, estimates with their evidence, alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.kit import fields, panels, sizes, sql
from dashboards.kit.fields import Field
from dashboards.kit.panels import About, Panel
from dashboards.parts.alarm_lists import kind, severity_field
from dashboards.words import alarm as labels_alarm
from dashboards.words import battery as labels_battery
from dashboards.words import battery_soh, labels
from dashboards.words import passport as words
from schemas.words import Language, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.words.passport import PassportLine

SET = "${set:sqlstring}"
SOURCE = Text("来源：battery_passport_part。", "Source: battery_passport_part.")


def _said(column: str, item: PassportLine, language: Language) -> str:
    """An item's value as text, or the word for its absence."""
    value = f"(p.{column} ->> {sql.quote(item.key)})"
    return f"COALESCE({_known(value, column, item, language)}, {sql.quote(item.absent(language))})"


def _known(value: str, column: str, item: PassportLine, language: Language) -> str:
    if item.is_moment:
        return f"to_char({value}::timestamptz AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI')"
    if item.words is not None:
        said = sql.list_words_of(value, item.words, language)
        if not item.inferred:
            return said
        flag = f"(p.{column} ->> {sql.quote(item.inferred)}) = 'true'"
        return f"{said} || CASE WHEN {flag} THEN {sql.quote(words.BY_VOLTAGE(language))} ELSE '' END"
    if item.decimals is None:
        return value
    ends = [value, *([f"(p.{column} ->> {sql.quote(item.to)})"] if item.to else [])]
    numbers = " || '–' || ".join(f"round({end}::numeric * {item.scale}, {item.decimals})" for end in ends)
    return f"{numbers} || {sql.quote(' ' + item.unit if item.unit else '')}"


def _list(about: About, column: str, items: Sequence[PassportLine]) -> Panel:
    language = about.language
    rows = ",\n    ".join(
        f"({number}, {sql.quote(item.text(language))}, {_said(column, item, language)})"
        for number, item in enumerate(items)
    )
    query = f"""
SELECT k.item, k.said
FROM battery_passport_part p
CROSS JOIN LATERAL (VALUES
    {rows}
) AS k (number, item, said)
WHERE p.device_id = {SET}
ORDER BY k.number
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        Field(name="item", label=words.ITEM, width=215),
        Field(name="said", label=words.SAID, least_px=140, marked=True, cell=fields.Cell.COLORED),
    )


def identity(language: Language) -> Panel:
    """Who the set is, as registered."""
    about = About(
        language=language,
        title=words.IDENTITY,
        description=Text(
            "登记的身份；国家溯源编码（GB/T 34014）照登记原样，不作校验。" + SOURCE.zh,
            "As registered; the national traceability code (GB/T 34014) as given, not checked. " + SOURCE.en,
        ),
        width=12,
        height=sizes.list_height(len(words.HEALTH_ITEMS)),
        empty=labels.NONE,
    )
    return _list(about, "identity", words.IDENTITY_ITEMS)


def health(language: Language) -> Panel:
    """How the set is, with its interval and evidence, and what is advised."""
    about = About(
        language=language,
        title=words.HEALTH,
        description=Text(
            "汾河的估计及其 90 % 区间、方法与证据；没有证据即未知。BMS 声称值仅供对照。" + SOURCE.zh,
            "fenhe's estimate with its 90 % interval, method and evidence; unknown without any. What the BMS claims "
            "stands beside it. " + SOURCE.en,
        ),
        width=12,
        height=sizes.list_height(len(words.HEALTH_ITEMS)),
        empty=Text("尚无评估", "not assessed yet"),
    )
    return _list(about, "health", words.HEALTH_ITEMS)


def use(language: Language) -> Panel:
    """What the set did."""
    about = About(
        language=language,
        title=words.USE,
        description=Text(
            "自首次上报（或登记的更换）以来；等效满循环 = 累计放出 ÷ 额定容量。" + SOURCE.zh,
            "Since it was first heard of, or took its place; equivalent full cycles: drawn in all over nominal "
            "capacity. " + SOURCE.en,
        ),
        width=12,
        height=sizes.list_height(len(words.USE_ITEMS)),
        empty=labels.NONE,
    )
    return _list(about, "use", words.USE_ITEMS)


def temperatures(language: Language) -> Panel:
    """How long the set was how warm."""
    about = About(
        language=language,
        title=words.TEMPERATURE_HOURS,
        description=Text(
            "按每 15 分钟的最高温度统计的小时数，最多近三年（数据保留期内）；无温度读数的不计。" + SOURCE.zh,
            "Hours by each quarter's highest temperature, as far back as quarters are kept; without a reading of the "
            "temperature none. " + SOURCE.en,
        ),
        width=12,
        height=sizes.list_height(len(words.USE_ITEMS)),
        empty=labels.NONE,
    )
    rows = ", ".join(
        f"({number}, {sql.quote(band)}, {sql.quote(text(language))})"
        for number, (band, text) in enumerate(words.BANDS.items())
    )
    query = f"""
WITH counted AS MATERIALIZED (  -- once, not for each band
    SELECT p.temperature_hours AS hours FROM battery_passport_part p WHERE p.device_id = {SET}
)
SELECT b.said AS band, COALESCE((c.hours ->> b.band)::float8, 0) AS hours
FROM counted c
CROSS JOIN (VALUES {rows}) AS b (number, band, said)
WHERE c.hours <> '{{}}'
ORDER BY b.number
"""  # noqa: S608 - fragments of ours
    return panels.bar_chart(
        about,
        query,
        "band",
        Field(name="band", label=words.BAND),
        Field(name="hours", label=words.HOURS, decimals=0, color=fields.SECONDARY),
    )


def estimates(language: Language) -> Panel:
    """Each discharge that said something, newest first."""
    about = About(
        language=language,
        title=words.ESTIMATES,
        description=Text(
            "新者在前：本次放电单独得出的 SoH、融合后的 SoH 与 90 % 区间、方法、旁证；没有得出的说明原因。"
            "放出不足 20 % 的放电不列（JSON 中有）。" + SOURCE.zh,
            "Newest first: what a discharge said alone, the fused SoH after it with its 90 % interval, method, and "
            "what bears it out; where it said nothing, why. Discharges of less than 20 % are left out; the JSON has "
            "them. " + SOURCE.en,
        ),
        width=24,
        height=8,
        empty=Text("还没有放电证据", "no discharge gives evidence yet"),
    )
    query = f"""
SELECT (e.row ->> 'discharge_at')::timestamptz AS discharge_at,
       (e.row -> 'this_discharge' ->> 'soh_pct')::float8 AS alone_pct, (e.row ->> 'soh_pct')::float8 AS soh_pct,
       round((e.row ->> 'soh_low_pct')::numeric, 1) || '–' || round((e.row ->> 'soh_high_pct')::numeric, 1) AS interval,
       {sql.words_of("e.row ->> 'method'", labels_battery.METHOD, language)} AS method,
       {sql.list_words_of("e.row ->> 'witnesses'", battery_soh.WITNESS, language)} AS witnesses,
       (e.row -> 'this_discharge' ->> 'drawn_ah')::float8 AS drawn_ah,
       (e.row -> 'this_discharge' ->> 'temperature_mean_c')::float8 AS mean_c,
       (e.row -> 'this_discharge' ->> 'resistance_mohm')::float8 AS resistance_mohm,
       {sql.words_of("e.row ->> 'change'", battery_soh.CHANGE, language)} AS change,
       {
        sql.words_of(
            "COALESCE(e.row -> 'this_discharge' ->> 'reason', e.row ->> 'reason')", labels_battery.REASON, language
        )
    } AS reason,
       e.row ->> 'quality' AS quality
FROM battery_passport_part p
CROSS JOIN LATERAL jsonb_array_elements(p.estimates) AS e (row)
WHERE p.device_id = {SET} AND (
    e.row ->> 'change' IS NOT NULL
    OR COALESCE(e.row -> 'this_discharge' ->> 'reason', e.row ->> 'reason') IS DISTINCT FROM 'too_shallow'
)
ORDER BY 1 DESC
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        fields.moment("discharge_at", labels_battery.BEGIN),
        Field(name="alone_pct", label=words.SOH_ALONE, unit="%", decimals=1, width=110),
        Field(name="soh_pct", label=words.SOH_AFTER, unit="%", decimals=1, width=120),
        Field(name="interval", label=labels_battery.SOH_INTERVAL, width=120, unknown=labels.NONE),
        Field(name="method", label=labels_battery.METHOD_COLUMN, width=110, unknown=labels.NONE),
        Field(name="witnesses", label=words.WITNESSES, least_px=150, unknown=labels.NONE),
        Field(name="drawn_ah", label=words.DRAWN, unit="Ah", decimals=1, width=90),
        Field(name="mean_c", label=words.MEAN_C, unit="°C", decimals=0, width=120),
        Field(
            name="resistance_mohm",
            label=labels_battery.RESISTANCE,
            unit="mΩ",
            decimals=1,
            width=130,
            unknown=labels.NOT_MEASURED,
        ),
        Field(name="change", label=words.CHANGE, width=130, unknown=labels.NONE),
        Field(name="reason", label=labels_battery.REASON_COLUMN, width=130, unknown=labels.NONE),
        fields.quality(width=90),
    )


def alarms(language: Language) -> Panel:
    """All that was raised of the set and not disproved."""
    about = About(
        language=language,
        title=words.ALARMS,
        description=Text(
            "本组全部告警（被证伪的除外），新者在前。" + SOURCE.zh,
            "All alarms of the set that were not disproved, newest first. " + SOURCE.en,
        ),
        width=24,
        height=6,
        empty=labels.NONE,
    )
    query = f"""
SELECT a.row ->> 'alarm_id' AS alarm_id, a.row ->> 'severity' AS severity,
       {kind(language, "a.row ->> 'kind'")} AS kind,
       (a.row ->> 'event_at')::timestamptz AS event_at, (a.row ->> 'cleared_at')::timestamptz AS cleared_at,
       round((a.row ->> 'value')::numeric, 2) || ' ' || (a.row ->> 'unit') AS value
FROM battery_passport_part p
CROSS JOIN LATERAL jsonb_array_elements(p.alarms) AS a (row)
WHERE p.device_id = {SET}
ORDER BY 4 DESC
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        Field(name="alarm_id", hidden=True),
        severity_field(),
        Field(name="kind", label=labels_alarm.KIND_COLUMN, least_px=150),
        fields.moment("event_at", labels_alarm.SINCE),
        fields.moment("cleared_at", words.CLEARED, unknown=labels.NONE),
        Field(name="value", label=labels_alarm.VALUE, width=150, unknown=labels.NONE),
    )
