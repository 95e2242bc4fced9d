"""What a shift's handover is made of: the queries, and the tables and lines that its sheet shows of their answers."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from dashboards.kit import sql
from dashboards.parts import alarm_lists
from dashboards.preview.macros import Query
from dashboards.preview.operators.alarm_figures import moment
from dashboards.words import alarm as labels_alarm
from dashboards.words import labels
from dashboards.words import shift as words
from schemas.alarms import AlarmState
from schemas.words.alarm_reasons import reason
from storage.alarm_tables import operator

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dashboards.kit.fields import Word
    from dashboards.preview.reader import Rows
    from dashboards.preview.view import View
    from schemas.words import Language, Text

MOST = 100
"""Rows of a list; how many more there are is said."""
NOT_DONE_WITH = (*operator.BEFORE_OPERATORS, AlarmState.SHELVED)
_WITHIN = "(%(site)s = '*' OR a.site_id = %(site)s) AND (%(city)s = '*' OR a.region = %(city)s)"
_IN_TIME = "t.at >= to_timestamp(%(from_s)s) AND t.at < to_timestamp(%(to_s)s)"


class Shift(NamedTuple):
    """Which hours of which sites, as parameters of the queries."""

    from_s: float
    to_s: float
    """Seconds since the epoch."""
    site: str = "*"
    city: str = "*"


class Handover(NamedTuple):
    """What one sheet asks."""

    standing: Query
    counts: Query
    to_do: Query
    done: Query
    notes: Query
    sites: Query


def _ms(column: str) -> str:
    return f"(extract(epoch FROM {column}) * 1000)::bigint"


def queries(shift: Shift, language: Language) -> Handover:
    """All queries of a sheet."""
    bound = shift._asdict()
    named = f"{alarm_lists.kind(language)} AS kind,\n       {alarm_lists.place(language)}"
    joined = "LEFT JOIN device d USING (device_id)\nLEFT JOIN site s ON s.site_id = a.site_id"
    states = ", ".join(f"'{state}'" for state in NOT_DONE_WITH)
    standing = f"""
SELECT a.severity, count(*)::int AS alarms
FROM alarm a
WHERE {alarm_lists.ACTIVE} AND {_WITHIN}
GROUP BY 1
ORDER BY {alarm_lists.SEVERITY_ORDER}
"""  # noqa: S608 - fragments of ours
    counts = f"""
SELECT count(DISTINCT t.alarm_id) FILTER (WHERE t.presented)::int AS alarms,
       count(*) FILTER (WHERE t.presented)::int AS times,
       count(DISTINCT t.alarm_id) FILTER (WHERE t.presented AND NOT a.active)::int AS over,
       count(*) FILTER (WHERE t.actor <> 'fenhe')::int AS acts,
       count(DISTINCT t.actor) FILTER (WHERE t.actor <> 'fenhe')::int AS people
FROM alarm_transition t
JOIN alarm a USING (alarm_id)
WHERE {_IN_TIME} AND {_WITHIN}
"""  # noqa: S608 - fragments of ours
    to_do = f"""
SELECT a.alarm_id, a.severity, {named}, a.state, {_ms("a.event_at")} AS since,
       last.actor, NULLIF(last.reason, '') AS reason, count(*) OVER ()::int AS of_all
FROM alarm a
{joined}
{alarm_lists.LAST_WORD}
WHERE a.state IN ({states}) AND {_WITHIN}
ORDER BY {alarm_lists.SEVERITY_ORDER}, a.event_at
LIMIT {MOST}
"""  # noqa: S608 - fragments of ours
    done = f"""
SELECT a.alarm_id, {_ms("t.at")} AS at, {named}, t.event, t.actor, NULLIF(t.reason, '') AS reason,
       count(*) OVER ()::int AS of_all
FROM alarm_transition t
JOIN alarm a USING (alarm_id)
{joined}
WHERE t.actor <> 'fenhe' AND {_IN_TIME} AND {_WITHIN}
ORDER BY t.at DESC, t.id DESC
LIMIT {MOST}
"""  # noqa: S608 - fragments of ours
    notes = f"""
SELECT {_ms("n.at")} AS at, n.actor, {sql.name(language, "s", "site_id")} AS site, n.note
FROM shift_note n
LEFT JOIN site s USING (site_id)
WHERE n.at >= to_timestamp(%(from_s)s) AND n.at < to_timestamp(%(to_s)s)
  AND (n.site_id = '' OR %(site)s = '*' OR n.site_id = %(site)s)
  AND (n.site_id = '' OR %(city)s = '*' OR s.city = %(city)s)
ORDER BY n.at DESC, n.id DESC
LIMIT {MOST}
"""  # noqa: S608 - fragments of ours
    sites = f"""
SELECT s.site_id, {sql.name(language, "s", "site_id")} AS name
FROM site s
ORDER BY s.sector = 'base_station', 2, 1
LIMIT 500
"""  # noqa: S608 - fragments of ours
    return Handover(*(Query(text, bound) for text in (standing, counts, to_do, done, notes, sites)))


class Sheet(NamedTuple):
    """How answers are written: in which language and colours, and where links lead."""

    view: View

    def summary(self, standing: Rows, counts: Rows) -> list[tuple[Text, str]]:
        """Lines above the lists, escaped."""
        alarms, times, over, acts, people = (int(str(each)) for each in counts.rows[0])
        holding = ", ".join(f"{self._word(alarm_lists.SEVERITY_WORDS, each)} {count}" for each, count in standing.rows)
        came_up = words.CAME_UP_COUNT(self._language).format(alarms=alarms, times=times, over=over)
        done = words.DONE_COUNT(self._language).format(acts=acts, people=people)
        return [
            (words.STANDING, holding or self._nothing),
            (words.CAME_UP, escape(came_up) if alarms else self._nothing),
            (words.DEALT_WITH, escape(done) if acts else self._nothing),
        ]

    def to_do(self, rows: Rows) -> str:
        """What is not done with, worst first."""
        cells: Sequence[tuple[Text, Callable[[dict[str, Any]], str]]] = (
            (labels_alarm.SEVERITY_COLUMN, lambda row: self._word(alarm_lists.SEVERITY_WORDS, row["severity"])),
            (labels_alarm.KIND_COLUMN, self._alarm),
            (labels_alarm.SITE, lambda row: escape(row["site"])),
            (labels_alarm.DEVICE, self._device),
            (labels_alarm.SINCE, lambda row: moment(row["since"])),
            (labels_alarm.STATE_COLUMN, lambda row: self._word(alarm_lists.STATE_WORDS, row["state"])),
            (labels_alarm.ACTOR, lambda row: escape(row["actor"] or "")),
            (labels_alarm.REASON, lambda row: escape(reason(row["reason"] or "", self._language))),
        )
        return self._list(words.TO_DO, cells, rows)

    def done(self, rows: Rows) -> str:
        """What operators did, newest first."""
        cells: Sequence[tuple[Text, Callable[[dict[str, Any]], str]]] = (
            (labels_alarm.AT, lambda row: moment(row["at"])),
            (labels_alarm.ACTOR, lambda row: escape(row["actor"])),
            (labels_alarm.EVENT, lambda row: escape(labels_alarm.EVENTS[row["event"]](self._language))),
            (labels_alarm.REASON, lambda row: escape(row["reason"] or "")),
            (labels_alarm.KIND_COLUMN, self._alarm),
            (labels_alarm.SITE, lambda row: escape(row["site"])),
            (labels_alarm.DEVICE, self._device),
        )
        return self._list(words.DONE, cells, rows)

    def notes(self, rows: Rows) -> str:
        """What was written down, newest first."""
        cells: Sequence[tuple[Text, Callable[[dict[str, Any]], str]]] = (
            (labels_alarm.AT, lambda row: moment(row["at"])),
            (labels_alarm.ACTOR, lambda row: escape(row["actor"])),
            (words.ABOUT, lambda row: escape(row["site"] or words.ALL_SITES(self._language))),
            (words.NOTE, lambda row: f'<span class="said">{escape(row["note"])}</span>'),
        )
        return self._list(words.NOTES, cells, rows)

    @property
    def _language(self) -> Language:
        return self.view.language

    @property
    def _nothing(self) -> str:
        return escape(labels.NONE(self._language))

    def _alarm(self, row: dict[str, Any]) -> str:
        return f'<a class="link" href="{escape(self.view.alarm(row["alarm_id"]))}">{escape(row["kind"])}</a>'

    def _device(self, row: dict[str, Any]) -> str:
        return escape(row["device"] or labels.WHOLE_SITE(self._language))

    def _word(self, known: dict[str, Word], value: object) -> str:
        word = known[str(value)]
        color = self.view.theme.colors.css(word.color)
        return f'<span style="color:{color}">{escape(word.text(self._language))}</span>'

    def _list(self, title: Text, cells: Sequence[tuple[Text, Callable[[dict[str, Any]], str]]], rows: Rows) -> str:
        found = [dict(zip(rows.columns, row, strict=True)) for row in rows.rows]
        heading = f"<h2>{escape(title(self._language))}</h2>"
        if not found:
            return f"{heading}<p>{self._nothing}</p>"
        head = "".join(f'<th class="t">{escape(name(self._language))}</th>' for name, _ in cells)
        body = "".join(f"<tr>{''.join(f'<td class=t>{cell(row)}</td>' for _, cell in cells)}</tr>" for row in found)
        more = int(str(found[0].get("of_all", 0))) - len(found)
        and_more = f"<p>{escape(words.AND_MORE(self._language).format(more=more))}</p>" if more > 0 else ""
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f'{heading}<div class="wide">{table}</div>{and_more}'
