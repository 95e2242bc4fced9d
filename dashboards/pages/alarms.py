"""Alarms 告警: what is active, what happened, and whether operators can keep up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.kit import fields, panels, sql
from dashboards.kit.dashboard import Definition, Variable
from dashboards.kit.fields import Field, Word
from dashboards.kit.panels import About
from dashboards.parts import alarm_lists, books, compare
from dashboards.words import alarm as labels_alarm
from dashboards.words import labels
from schemas.words import Language, Text
from schemas.words.alarm_reasons import REASONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.kit.panels import Panel


CONDITION_WORDS = {
    "holds": Word(labels_alarm.HOLDS, fields.BAD),
    "over": Word(labels_alarm.OVER, fields.UNKNOWN),
}

FILTERED = (
    "('*' IN (${city:sqlstring}) OR s.city IN (${city:sqlstring}))"
    " AND ('*' IN (${site:sqlstring}) OR a.site_id IN (${site:sqlstring}))"
    " AND ('*' IN (${severity:sqlstring}) OR a.severity IN (${severity:sqlstring}))"
    " AND ('*' IN (${kind:sqlstring}) OR a.kind IN (${kind:sqlstring}))"
)
"""What the page's filters leave: city, plant or base station, severity and kind."""

TARGET_PER_10_MIN = 1
"""EEMUA 191: fewer than one alarm in ten minutes can be handled."""

FLOOD_PER_10_MIN = 10
"""More than ten in ten minutes is a flood."""


def _cities(language: Language) -> str:
    return f"""
SELECT DISTINCT s.city AS __value, {sql.city(language)} AS __text
FROM site s
ORDER BY 2, 1
"""  # noqa: S608 - fragments of ours


def _sites(language: Language) -> str:
    return f"""
SELECT s.site_id AS __value, {sql.name_and_identifier(language, "s", "site_id")} AS __text
FROM site s
WHERE EXISTS (SELECT FROM alarm a WHERE a.site_id = s.site_id AND a.state <> 'normal')
  AND ('*' IN (${{city:sqlstring}}) OR s.city IN (${{city:sqlstring}}))
  AND {sql.searched("s.site_id", "s.name", "s.name_zh")}
ORDER BY {sql.typed_first("s.site_id")}, 2, 1
LIMIT 500
"""  # noqa: S608 - fragments of ours


def _severities(language: Language) -> str:
    values = ", ".join(
        f"({at}, '{each}', {sql.quote(text(language))})"
        for at, (each, text) in enumerate(labels_alarm.SEVERITY.items())
    )
    return f"SELECT __value, __text FROM (VALUES {values}) AS v (at, __value, __text) ORDER BY at"  # noqa: S608 - fragments of ours


def _kinds(language: Language) -> str:
    return f"""
SELECT DISTINCT a.kind AS __value, {alarm_lists.kind(language)} AS __text
FROM alarm a
WHERE a.state <> 'normal'
ORDER BY 2, 1
"""  # noqa: S608 - fragments of ours


def _reason(column: str, language: Language) -> str:
    """Why something happened, fenhe's own reasons in this language."""
    return column if language is Language.EN else sql.case_of(column, REASONS)


def put_aside(language: Language) -> Panel:
    """What no longer stands in the list of active alarms and is not done with: shelved, returned, out of service."""
    about = About(
        language=language,
        title=Text("搁置、已恢复未确认、停用", "Shelved, returned, out of service"),
        description=Text(
            "不在活动列表里、但还没有了结的告警：被搁置的（条件可能仍成立）、已恢复但无人确认的、停用的。"
            "条件仍成立者在前。来源：alarm。",
            "Alarms that left the list above and are not done with: shelved ones (the condition may still hold), those "
            "that are over and were never acknowledged, and those out of service. Still active ones first. "
            "Source: alarm.",
        ),
        width=24,
        height=6,
        empty=labels.NONE,
    )
    query = f"""
SELECT a.alarm_id, a.severity, a.state, {alarm_lists.kind(language)} AS kind,
       CASE WHEN a.active THEN 'holds' ELSE 'over' END AS condition,
       {alarm_lists.place(language)},
       a.event_at, a.shelved_until, last.actor, NULLIF({_reason("last.reason", language)}, '') AS reason
FROM alarm a
LEFT JOIN device d USING (device_id)
LEFT JOIN site s ON s.site_id = a.site_id
{alarm_lists.LAST_WORD}
WHERE a.state IN ('shelved', 'returned_unacknowledged', 'out_of_service') AND {FILTERED}
ORDER BY a.active DESC, {alarm_lists.SEVERITY_ORDER}, a.event_at DESC
LIMIT 100
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        Field(name="alarm_id", hidden=True),
        alarm_lists.severity_field(),
        Field(name="state", label=labels_alarm.STATE_COLUMN, words=alarm_lists.STATE_WORDS, width=150),
        Field(name="kind", label=labels_alarm.KIND_COLUMN, width=140),
        Field(name="condition", label=labels_alarm.CONDITION, words=CONDITION_WORDS, width=110),
        alarm_lists.SITE_FIELD,
        alarm_lists.DEVICE_FIELD,
        fields.moment("event_at", labels_alarm.SINCE),
        fields.moment("shelved_until", labels_alarm.SHELVED_UNTIL, unknown=labels.NONE),
        Field(name="actor", label=labels_alarm.ACTOR, width=90, unknown=labels.NONE),
        Field(name="reason", label=labels_alarm.REASON, unknown=labels.NONE),
    )


def by_state(language: Language) -> Panel:
    """How many alarms are in which state."""
    about = About(
        language=language,
        title=Text("告警状态", "Alarms by state"),
        description=Text(
            "按 ISA-18.2 状态统计的未关闭告警；5 分钟没有任何数据入库时，没有告警即未知；"
            "超过 24 小时仍活动的为长期告警。来源：alarm、checkpoint。",
            "Open alarms by their ISA-18.2 state; where nothing was stored for 5 minutes, none is unknown; "
            "standing: active for more than 24 hours. Source: alarm, checkpoint.",
        ),
        width=24,
        height=4,
    )
    standing = f"{alarm_lists.ACTIVE} AND a.event_at < now() - interval '24 hours'"
    counted = ",\n       ".join(
        alarm_lists.counted(f"a.state = '{state}'") + f" AS {state}"
        for state in (
            "active_unacknowledged",
            "active_acknowledged",
            "returned_unacknowledged",
            "shelved",
            "suppressed",
        )
    )
    query = f"""
SELECT {counted},
       {alarm_lists.counted(standing)} AS standing
FROM alarm a
WHERE a.state <> 'normal'
"""  # noqa: S608 - fragments of ours
    return panels.stat(
        about,
        query,
        Field(
            name="active_unacknowledged",
            label=labels_alarm.UNACKNOWLEDGED,
            decimals=0,
            thresholds=fields.ANY_IS_BAD,
        ),
        Field(
            name="active_acknowledged",
            label=labels_alarm.ACKNOWLEDGED,
            decimals=0,
            thresholds=fields.ANY_IS_WARNING,
        ),
        Field(name="returned_unacknowledged", label=labels_alarm.RETURNED, decimals=0),
        Field(name="shelved", label=labels_alarm.SHELVED, decimals=0),
        Field(name="suppressed", label=labels_alarm.SUPPRESSED, decimals=0),
        Field(name="standing", label=labels_alarm.STANDING, decimals=0, thresholds=fields.ANY_IS_WARNING),
    )


def rate(language: Language) -> Panel:
    """Alarms put before operators per ten minutes."""
    about = About(
        language=language,
        title=Text("每 10 分钟告警数", "Alarms per 10 minutes"),
        description=Text(
            "每 10 分钟提示给值班员的告警数；EEMUA 191：每位值班员应少于 1，超过 10 为洪泛。来源：alarm_transition。",
            "Alarms put before operators in ten minutes; EEMUA 191: fewer than 1 per operator, more than 10 is a "
            "flood. Source: alarm_transition.",
        ),
        width=8,
        height=6,
    )
    query = f"""
SELECT slots.time,
       COALESCE(r.presented, 0)::float8 AS presented,
       {TARGET_PER_10_MIN}::float8 AS target,
       {FLOOD_PER_10_MIN}::float8 AS flood
FROM generate_series(date_bin('10 minutes', $__timeFrom()::timestamptz, {sql.ORIGIN}) + interval '10 minutes',
                     LEAST($__timeTo()::timestamptz, now() - interval '10 minutes'),
                     interval '10 minutes') AS slots(time)
LEFT JOIN (
    SELECT date_bin('10 minutes', at, {sql.ORIGIN}) AS ts, count(*) AS presented
    FROM alarm_transition
    WHERE presented AND $__timeFilter(at)
    GROUP BY 1
) r ON r.ts = slots.time
ORDER BY slots.time
"""  # noqa: S608 - fragments of ours
    return panels.timeseries(
        about,
        compare.TIMES.beside(query, ("presented", "target", "flood"), "presented"),
        Field(name="presented", label=labels_alarm.PRESENTED, decimals=0, color=fields.PRIMARY),
        fields.line("target", labels_alarm.TARGET, fields.GOOD),
        fields.line("flood", labels_alarm.FLOOD, fields.BAD),
        compare.field(),
        bars=True,
    )


def most_frequent(language: Language) -> Panel:
    """What makes most of the load."""
    about = About(
        language=language,
        title=Text("最频繁的告警（30 天）", "Most frequent alarms (30 days)"),
        description=Text(
            "近 30 天提示次数最多的 15 项：通常少数几项占去大部分。来源：alarm_most_frequent。",
            "The 15 that were put before operators most often in 30 days: usually a few make most of the load. "
            "Source: alarm_most_frequent.",
        ),
        width=16,
        height=6,
        empty=labels.NONE,
    )
    query = f"""
SELECT {alarm_lists.kind(language, "f.kind")} AS kind,
       COALESCE({sql.name(language, "d", "device_id")}, {sql.name(language, "s", "site_id")}, f.device_id) AS device,
       f.presented::float8 AS presented, f.share::float8 AS share
FROM (SELECT * FROM alarm_most_frequent ORDER BY presented DESC, device_id LIMIT 15) f
LEFT JOIN device d USING (device_id)
LEFT JOIN site s ON s.site_id = f.site_id
ORDER BY f.presented DESC, f.device_id
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        Field(name="kind", label=labels_alarm.KIND_COLUMN, width=140),
        Field(name="device", label=labels_alarm.DEVICE, least_px=180),
        Field(name="presented", label=labels_alarm.COUNT, decimals=0, width=70),
        Field(
            name="share",
            label=labels.SHARE,
            grafana_unit="percentunit",
            decimals=0,
            minimum=0,
            maximum=1,
            width=130,
            cell=fields.Cell.GAUGE,
            color=fields.PRIMARY,
        ),
    )


def history(language: Language) -> Panel:
    """What happened within the range."""
    about = About(
        language=language,
        title=Text("告警历史", "History"),
        description=Text(
            "时间范围内的状态变化，新者在前，含操作者与理由。来源：alarm_transition、alarm。",
            "Changes of state within the range, newest first, with who did it and why. "
            "Source: alarm_transition, alarm.",
        ),
        width=24,
        height=8,
        empty=labels.NONE,
    )
    query = f"""
SELECT a.alarm_id, t.at, {alarm_lists.kind(language)} AS kind, a.severity, t.to_state AS state,
       {alarm_lists.place(language)},
       t.actor, NULLIF({_reason("t.reason", language)}, '') AS reason
FROM (SELECT * FROM alarm_transition WHERE $__timeFilter(at) ORDER BY at DESC LIMIT 1000) t
JOIN alarm a USING (alarm_id)
LEFT JOIN device d USING (device_id)
LEFT JOIN site s ON s.site_id = a.site_id
WHERE {FILTERED}
ORDER BY t.at DESC, t.id DESC
LIMIT 200
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        Field(name="alarm_id", hidden=True),
        fields.moment("at", labels_alarm.AT),
        Field(name="kind", label=labels_alarm.KIND_COLUMN, width=150),
        alarm_lists.severity_field(),
        Field(name="state", label=labels_alarm.STATE_COLUMN, words=alarm_lists.STATE_WORDS, width=140),
        alarm_lists.SITE_FIELD,
        alarm_lists.DEVICE_FIELD,
        Field(name="actor", label=labels_alarm.ACTOR, width=100),
        Field(name="reason", label=labels_alarm.REASON, unknown=labels.NONE),
    )


def _panels(language: Language) -> Sequence[Panel]:
    return [
        by_state(language),
        alarm_lists.by_severity(language, width=24),
        alarm_lists.active_list(language, FILTERED),
        put_aside(language),
        rate(language),
        most_frequent(language),
        history(language),
        *books.row(language),
    ]


DASHBOARD = Definition(
    slug="alarms",
    title=labels_alarm.ALARMS,
    description=Text(
        "现在有哪些告警、发生过什么、值班员是否应付得来。",
        "What is active, what happened, and whether operators can keep up.",
    ),
    refresh="10s",
    variables=[
        Variable(name="city", label=labels.CITY_COLUMN, query=_cities, with_all=True),
        Variable(name="site", label=labels_alarm.SITE, query=_sites, with_all=True),
        Variable(name="severity", label=labels_alarm.SEVERITY_COLUMN, query=_severities, with_all=True),
        Variable(name="kind", label=labels_alarm.KIND_COLUMN, query=_kinds, with_all=True),
        compare.TIMES.variable,
    ],
    panels=_panels,
)
