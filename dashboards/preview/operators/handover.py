"""What a shift's handover is made of: the queries, and the tables and lines that its sheet shows of their answers."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from dashboards.kit import sql
from dashboards.parts import alarm_lists
from dashboards.preview.macros import Query
from dashboards.preview.operators.alarm_figures import moment
from dashboards.preview.variables import FORMER_ALL
from dashboards.words import alarm as labels_alarm
from dashboards.words import labels
from dashboards.words import shift as words
from schemas.alarms import AlarmState
from schemas.words import Language
from schemas.words.alarm_reasons import reason
from storage.alarm_tables import operator

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from dashboards.kit.fields import Word
    from dashboards.preview.reader import Rows
    from dashboards.preview.view import View
    from schemas.words import Text

MOST = 100
"""Rows of a list; how many more there are is said."""
EVERY = "*"
"""Of a site or city: all of them."""
ALL = ""
"""Of a note: it is of no one site."""
NOT_DONE_WITH = (*operator.BEFORE_OPERATORS, AlarmState.SHELVED)
_WITHIN = "(%(site)s = '*' OR a.site_id = %(site)s) AND (%(city)s = '*' OR a.region = %(city)s)"
_IN_TIME = "t.at >= to_timestamp(%(from_s)s) AND t.at < to_timestamp(%(to_s)s)"


class Shift(NamedTuple):
    """Which hours of which sites, as parameters of the queries."""

    from_s: float
    to_s: float
    """Seconds since the epoch."""
    site: str = EVERY
    city: str = EVERY


class Place(NamedTuple):
    """Of what a sheet is, and how sure it is that nothing means none."""

    shift: Shift
    site: str | None
    """Name of the asked site; None where all are asked for, or where it is not registered or not seen."""
    has_city: bool
    is_stored: bool
    """Whether anything is stored now, so that no alarm means that there is none."""

    @classmethod
    def of(cls, shift: Shift, rows: Rows) -> Place:
        """Read the answer of the query `place`."""
        ((site, has_city, is_stored),) = rows.rows
        return cls(shift, None if site is None else str(site), bool(has_city), bool(is_stored))

    @property
    def is_registered(self) -> bool:
        """Whether there is such a place; nothing is known of another."""
        return (self.shift.site == EVERY or self.site is not None) and (self.shift.city == EVERY or self.has_city)


class Handover(NamedTuple):
    """What one sheet asks."""

    standing: Query
    counts: Query
    to_do: Query
    done: Query
    notes: Query
    sites: Query
    """One or two of those that may be seen: whether there is a choice."""
    place: Query


def chosen(asked: str) -> str:
    """Site or city of an address, which may say in several ways that it is of all."""
    return EVERY if asked in {"", FORMER_ALL} else asked


def preset(offered: Collection[str], place: Place) -> str | None:
    """Of which site a note is where nobody has said so yet: of what its sheet is of, or of the only one there is."""
    if place.shift.site != EVERY:
        return place.shift.site if place.site is not None else None
    if ALL in offered:
        return ALL
    return next(iter(offered)) if len(offered) == 1 else None


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
SELECT {_ms("n.at")} AS at, n.actor, {sql.name(language, "s", "site_id")} AS site, n.note,
       count(*) OVER ()::int AS of_all
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
ORDER BY 1
LIMIT 2
"""  # noqa: S608 - fragments of ours
    place = f"""
SELECT (SELECT {sql.name(language, "s", "site_id")} FROM site s WHERE s.site_id = %(site)s) AS site,
       EXISTS (SELECT FROM site s WHERE s.city = %(city)s) AS has_city, {sql.STORED_NOW} AS is_stored
"""  # noqa: S608 - fragments of ours
    return Handover(*(Query(text, bound) for text in (standing, counts, to_do, done, notes, sites, place)))


class Sheet(NamedTuple):
    """How answers are written: in which language and colours, and where links lead."""

    view: View
    place: Place

    def place_facts(self, all_sites: Text) -> list[tuple[Text, str]]:
        """Lines that always stand: of which site and of which city the sheet is, escaped."""
        site, city = self.place.shift.site, self.place.shift.city
        unknown = f"{{}} {labels.UNKNOWN_VALUE(self._language)}"
        city_name = city if self._language is Language.ZH else labels.CITY.get(city, city)
        of_site = all_sites(self._language) if site == EVERY else self.place.site or unknown.format(f"“{site}”")
        of_city = city_name if self.place.has_city else unknown.format(f"“{city}”")
        return [
            (labels_alarm.SITE, escape(of_site)),
            (labels.CITY_COLUMN, escape(words.ALL_CITIES(self._language) if city == EVERY else of_city)),
        ]

    def summary(self, standing: Rows, counts: Rows) -> list[tuple[Text, str]]:
        """Lines above the lists, escaped."""
        alarms, times, over, acts, people = (int(str(each)) for each in counts.rows[0])
        holding = ", ".join(f"{self._word(alarm_lists.SEVERITY_WORDS, each)} {count}" for each, count in standing.rows)
        came_up = words.CAME_UP_COUNT(self._language).format(alarms=alarms, times=times, over=over)
        done = words.DONE_COUNT(self._language).format(acts=acts, people=people)
        return [
            (words.STANDING, holding or self._no_alarm),
            (words.CAME_UP, escape(came_up) if alarms else self._no_alarm),
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
        return self._list(words.TO_DO, cells, rows, nothing=self._no_alarm)

    def done(self, rows: Rows) -> str:
        """What operators did, newest first."""
        cells: Sequence[tuple[Text, Callable[[dict[str, Any]], str]]] = (
            (labels_alarm.AT, lambda row: moment(row["at"])),
            (labels_alarm.ACTOR, lambda row: escape(row["actor"])),
            (labels_alarm.EVENT, lambda row: escape(labels_alarm.EVENTS[row["event"]](self._language))),
            (labels_alarm.REASON, lambda row: escape(reason(row["reason"] or "", self._language))),
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
        return self._list(words.NOTES, cells, rows, and_more=words.MORE_NOTES)

    @property
    def _language(self) -> Language:
        return self.view.language

    @property
    def _nothing(self) -> str:
        return escape((labels.NONE if self.place.is_registered else labels.UNKNOWN)(self._language))

    @property
    def _no_alarm(self) -> str:
        return self._nothing if self.place.is_stored else escape(labels.UNKNOWN(self._language))

    def _alarm(self, row: dict[str, Any]) -> str:
        return f'<a class="link" href="{escape(self.view.alarm(row["alarm_id"]))}">{escape(row["kind"])}</a>'

    def _device(self, row: dict[str, Any]) -> str:
        return escape(row["device"] or labels.WHOLE_SITE(self._language))

    def _word(self, known: dict[str, Word], value: object) -> str:
        word = known[str(value)]
        color = self.view.theme.colors.css(word.color)
        return f'<span style="color:{color}">{escape(word.text(self._language))}</span>'

    def _list(
        self,
        title: Text,
        cells: Sequence[tuple[Text, Callable[[dict[str, Any]], str]]],
        rows: Rows,
        *,
        nothing: str | None = None,
        and_more: Text = words.AND_MORE,
    ) -> str:
        found = [dict(zip(rows.columns, row, strict=True)) for row in rows.rows]
        heading = f"<h2>{escape(title(self._language))}</h2>"
        if not found:
            return f"{heading}<p>{nothing or self._nothing}</p>"
        head = "".join(f'<th class="t">{escape(name(self._language))}</th>' for name, _ in cells)
        body = "".join(f"<tr>{''.join(f'<td class=t>{cell(row)}</td>' for _, cell in cells)}</tr>" for row in found)
        more = int(str(found[0]["of_all"])) - len(found)
        left_out = f"<p>{escape(and_more(self._language).format(more=more))}</p>" if more > 0 else ""
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f'{heading}<div class="wide">{table}</div>{left_out}'
