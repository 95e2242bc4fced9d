"""Alarms on any page: their words, the list of those that stand, how many of each severity, marks on charts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.kit import fields, panels, sql
from dashboards.kit.dashboard import Annotation
from dashboards.kit.fields import Field, Step, Word
from dashboards.kit.panels import About
from dashboards.words import alarm as labels_alarm
from dashboards.words import labels
from schemas.alarms import AlarmState
from schemas.metrics.signal import Severity
from schemas.words import Language, Text

if TYPE_CHECKING:
    from dashboards.kit.panels import Panel


SEVERITY_COLORS = {
    Severity.CRITICAL: fields.BAD,
    Severity.HIGH: fields.BAD,
    Severity.MEDIUM: fields.PARTIAL,
    Severity.LOW: fields.PRIMARY,
}

SEVERITY_WORDS = {str(each): Word(text, SEVERITY_COLORS[each]) for each, text in labels_alarm.SEVERITY.items()}

STATE_COLORS = {
    AlarmState.ACTIVE_UNACKNOWLEDGED: fields.BAD,
    AlarmState.ACTIVE_ACKNOWLEDGED: fields.PARTIAL,
    AlarmState.RETURNED_UNACKNOWLEDGED: fields.PRIMARY,
}

_BEFORE_AN_OPERATOR = (AlarmState.ACTIVE_UNACKNOWLEDGED, AlarmState.ACTIVE_ACKNOWLEDGED)
STATE_WORDS = {
    str(each): Word(text, STATE_COLORS.get(each, fields.UNKNOWN)) for each, text in labels_alarm.STATE.items()
}


def counted(condition: str) -> str:
    """Count of the alarms `a` of which the condition holds; null where it would be none and nothing is stored."""
    found = f"count(*) FILTER (WHERE {condition})"
    return f"CASE WHEN {found} > 0 OR {sql.STORED_NOW} THEN {found} END::float8"


ACTIVE_WORDS = {str(each): STATE_WORDS[str(each)] for each in _BEFORE_AN_OPERATOR}
ACTIVE = f"a.active AND a.state IN ({', '.join(map(sql.quote, ACTIVE_WORDS))})"
"""Before an operator now; shelved and suppressed ones are not."""

SEVERITY_ORDER = "array_position(ARRAY['critical', 'high', 'medium', 'low'], a.severity)"


def kind(language: Language, column: str = "a.kind") -> str:
    """Kind of an alarm in this language."""
    return sql.case_of(column, {value: text(language) for value, text in labels_alarm.KIND_WORDS.items()})


def place(language: Language) -> str:
    """Plant or base station, and the device: every row names both."""
    return (
        f"COALESCE({sql.name(language, 's', 'site_id')}, a.site_id) AS site,\n"
        f"       CASE WHEN a.device_id <> a.site_id THEN COALESCE({sql.name(language, 'd', 'device_id')}, a.device_id)"
        " END AS device"
    )


LAST_WORD = """LEFT JOIN LATERAL (
    SELECT t.actor, t.reason FROM alarm_transition t
    WHERE t.alarm_id = a.alarm_id AND t.at > now() - interval '90 days' AND t.actor <> 'fenhe'
    ORDER BY t.at DESC, t.id DESC LIMIT 1
) last ON true"""
"""SQL: what a person did last to an alarm `a`, and why."""

SITE_FIELD = Field(name="site", label=labels_alarm.SITE, width=200)

DEVICE_FIELD = Field(name="device", label=labels_alarm.DEVICE, unknown=labels.WHOLE_SITE, width=200)


def severity_field() -> Field:
    """Severity as a marked word."""
    return Field(name="severity", label=labels_alarm.SEVERITY_COLUMN, words=SEVERITY_WORDS, width=100)


def with_unit(amount: str, unit: str) -> str:
    """A figure with the unit that its row names: three digits that count, thousands separated; null stays null."""
    figure = f"to_char(({amount})::numeric, CASE WHEN abs({amount}) < 10 THEN 'FM999990.09' "
    figure += f"WHEN abs({amount}) < 100 THEN 'FM999990.0' ELSE 'FM999,999,999,990' END)"
    shown = f"replace(replace(NULLIF({unit}, ''), 'm3', 'm³'), 'mohm', 'mΩ')"
    return f"rtrim({figure}, '.') || COALESCE(' ' || {shown}, '')"


def marks(where: str) -> Annotation:
    """Every alarm of something within the range, marked on the charts of its page; `where` says of what, on `a`."""

    def query(language: Language) -> str:
        severity = sql.words_of("a.severity", labels_alarm.SEVERITY, language)
        return f"""
SELECT a.event_at AS time, {severity} || ' · ' || {kind(language)} AS text
FROM alarm a
WHERE $__timeFilter(a.event_at) AND ({where})
ORDER BY a.event_at DESC
LIMIT 100
"""  # noqa: S608 - fragments of ours

    return Annotation(name=labels_alarm.ALARMS, query=query, color=fields.BAD)


def active_list(
    language: Language,
    where: str = "true",
    *,
    width: int = 24,
    height: int = 9,
    limit: int = 100,
    brief: bool = False,
) -> Panel:
    """Alarms before an operator now, worst and newest first, one row a device; `where` says of what.

    `brief` leaves figures out and lists each alarm by itself: for a page of one plant or set.
    """
    about = About(
        language=language,
        title=Text("活动告警", "Active alarms"),
        description=Text(
            "条件仍成立、未被搁置或抑制的告警：级别高者在前，其次为新发生者。同一设备的多个告警往往同一原因，在总表中合为一行，"
            "其余类型列在“另有”。时间为事件时间。来源：alarm。",
            "Alarms whose condition holds and that are neither shelved nor suppressed: worst first, then newest. "
            "In the list of all, several of one device, often of one cause, are one row, with the other kinds under "
            "“also”. Times are "
            "event times. Source: alarm.",
        ),
        width=width,
        height=height,
        empty=labels_alarm.NO_ACTIVE,
    )
    # A brief list is of one plant or set already: there is room for each of its alarms, and none for another column.
    device = "PARTITION BY a.alarm_id" if brief else "PARTITION BY a.site_id, a.device_id, a.state"
    separator = "、" if language is Language.ZH else ", "
    words = kind(language, "each.kind")
    others = (
        f"(SELECT string_agg(DISTINCT {words}, '{separator}')"  # noqa: S608 - fragments of ours
        " FROM unnest(a.kinds) AS each (kind) WHERE each.kind <> a.kind)"
    )
    query = f"""
SELECT a.alarm_id, a.severity, a.state, {kind(language)} AS kind, {others} AS others,
       {place(language)},
       {sql.city(language)} AS city,
       a.event_at,
       {sql.duration("GREATEST(0, extract(epoch FROM now() - a.event_at))")} AS lasted,
       {with_unit("a.value", "a.unit")} AS value, {with_unit("a.baseline", "a.unit")} AS baseline,
       {with_unit("a.cost", "a.cost_unit")} AS cost
FROM (
    SELECT a.*, array_agg(a.kind) OVER ({device}) AS kinds,
           row_number() OVER ({device} ORDER BY {SEVERITY_ORDER}, a.event_at, a.alarm_id) AS place
    FROM alarm a
    LEFT JOIN site s ON s.site_id = a.site_id
    WHERE {ACTIVE} AND ({where})
) a
LEFT JOIN device d USING (device_id)
LEFT JOIN site s ON s.site_id = a.site_id
WHERE a.place = 1
ORDER BY {SEVERITY_ORDER}, a.event_at DESC
LIMIT {limit}
"""  # noqa: S608 - fragments of ours
    shown = [
        Field(name="alarm_id", hidden=True),
        severity_field(),
        Field(name="state", label=labels_alarm.STATE_COLUMN, words=ACTIVE_WORDS, width=120),
        Field(name="kind", label=labels_alarm.KIND_COLUMN, width=140),
        Field(name="others", label=labels_alarm.ALSO, width=140, unknown=labels.NONE, hidden=brief),
        Field(name="site", label=labels_alarm.SITE, width=180, hidden=brief),
        Field(name="device", label=labels_alarm.DEVICE, unknown=labels.WHOLE_SITE, width=180),
        fields.moment("event_at", labels_alarm.SINCE, hidden=brief),
        Field(name="lasted", label=labels_alarm.LASTED, width=70),
        Field(name="value", label=labels_alarm.VALUE, width=90),
        Field(name="baseline", label=labels_alarm.EXPECTED, width=110, hidden=brief, unknown=labels.NONE),
        Field(name="city", label=labels.CITY_COLUMN, width=80, hidden=brief),
        Field(name="cost", label=labels_alarm.COST, width=110, hidden=brief, unknown=labels.NONE),
    ]
    return panels.table(about, query, *shown)


def by_severity(language: Language, *, width: int) -> Panel:
    """Active alarms by severity."""
    about = About(
        language=language,
        title=Text("活动告警级别", "Active alarms by severity"),
        description=Text(
            "活动告警按级别统计；5 分钟没有任何数据入库时，没有告警即未知。来源：alarm、checkpoint。",
            "Active alarms by severity; where nothing was stored for 5 minutes, none is unknown. "
            "Source: alarm, checkpoint.",
        ),
        width=width,
        height=4,
    )
    columns = ",\n       ".join(
        counted(f"a.severity = '{severity}'") + f" AS {severity}" for severity in labels_alarm.SEVERITY
    )
    query = f"SELECT {columns}\nFROM alarm a\nWHERE {ACTIVE}"
    return panels.stat(
        about,
        query,
        *(
            Field(
                name=str(severity),
                label=text,
                decimals=0,
                thresholds=(Step(None, fields.PLAIN), Step(1, SEVERITY_COLORS[severity])),
            )
            for severity, text in labels_alarm.SEVERITY.items()
        ),
    )
