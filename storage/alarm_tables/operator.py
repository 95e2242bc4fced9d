"""The operator's hand: alarms listed, shown and dealt with by the functions of migration 0031."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, LiteralString, NamedTuple

from psycopg import sql
from psycopg.rows import dict_row

from schemas.alarms import AlarmState
from schemas.readings import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psycopg import Connection

_LIST = """
    SELECT alarm_id, site_id, device_id, metric, kind, region, state, active, severity, event_at, detected_at,
           cleared_at, acknowledged_by, shelved_until, suppressed_by, group_id, occurrences, amended, disproved,
           value, baseline, unit, cost, cost_unit
    FROM alarm
    WHERE state = ANY(%(states)s) AND (%(site)s::text IS NULL OR site_id = %(site)s)
    ORDER BY array_position(ARRAY['critical', 'high', 'medium', 'low'], severity), event_at, alarm_id
    LIMIT %(limit)s
"""

_POSSIBLE = "SELECT event FROM alarm_rule WHERE state = %s"
_DEVICE = "SELECT kind, name, name_zh FROM device WHERE device_id = %s"
_SITE = "SELECT sector = 'base_station', name, name_zh FROM site WHERE site_id = %s"

_COMPANIONS = """
    SELECT alarm_id, kind, severity, state, event_at
    FROM alarm
    WHERE site_id = %s AND device_id = %s AND alarm_id <> %s AND state = ANY(%s)
    ORDER BY array_position(ARRAY['critical', 'high', 'medium', 'low'], severity), event_at, alarm_id
    LIMIT 20
"""

_OF_KIND = """
    FROM alarm
    WHERE kind = %(kind)s AND NOT safety AND alarm_id <> %(alarm_id)s AND state = ANY(%(states)s)
      AND (%(sites)s::text[] IS NULL OR site_id = ANY(%(sites)s) OR region = ANY(%(cities)s))
"""
_ALIKE: LiteralString = f"SELECT alarm_id, state {_OF_KIND} ORDER BY event_at, alarm_id"
_ALIKE_COUNT: LiteralString = f"SELECT count(*) {_OF_KIND}"

_EARLIER = """
    SELECT a.alarm_id, a.severity, a.event_at, a.over_at, a.region,
           coalesce(nullif(s.name, ''), a.site_id) AS site_en,
           coalesce(nullif(s.name_zh, ''), nullif(s.name, ''), a.site_id) AS site_zh,
           coalesce(nullif(d.name, ''), d.device_id, nullif(v.name, ''), v.meter_id) AS device_en,
           coalesce(nullif(d.name_zh, ''), nullif(d.name, ''), d.device_id,
                    nullif(v.name_zh, ''), nullif(v.name, ''), v.meter_id) AS device_zh,
           said.actor, said.reason
    FROM (
        SELECT alarm_id, severity, event_at, coalesce(ended_at, cleared_at) AS over_at, region, site_id, device_id
        FROM alarm
        WHERE kind = %(kind)s AND alarm_id <> %(alarm_id)s AND NOT active AND NOT disproved
          AND event_at < %(before)s
          AND (%(sites)s::text[] IS NULL OR site_id = ANY(%(sites)s) OR region = ANY(%(cities)s))
        ORDER BY device_id = %(device_id)s DESC, site_id = %(site_id)s DESC, event_at DESC, alarm_id
        LIMIT 5
    ) a
    LEFT JOIN site s ON s.site_id = a.site_id
    LEFT JOIN device d ON d.device_id = a.device_id
    LEFT JOIN virtual_meter v ON v.site_id = a.site_id AND v.meter_id = a.device_id
    LEFT JOIN LATERAL (
        SELECT t.actor, t.reason FROM alarm_transition t
        WHERE t.alarm_id = a.alarm_id AND t.actor <> 'fenhe' AND t.reason <> '' ORDER BY t.id DESC LIMIT 1
    ) said ON true
    ORDER BY a.device_id = %(device_id)s DESC, a.site_id = %(site_id)s DESC, a.event_at DESC, a.alarm_id
"""
"""The five are chosen first: what was said of the others, of which there may be thousands, is not looked up."""

BEFORE_OPERATORS = (
    AlarmState.ACTIVE_UNACKNOWLEDGED,
    AlarmState.ACTIVE_ACKNOWLEDGED,
    AlarmState.RETURNED_UNACKNOWLEDGED,
)
"""States that somebody is to look at now."""


class VisibleSites(NamedTuple):
    """What somebody sees: these sites, and all of these cities."""

    sites: list[str]
    cities: list[str]

    def hold(self, alarm: Mapping[str, Any]) -> bool:
        """Whether an alarm is within."""
        return alarm["site_id"] in self.sites or alarm["region"] in self.cities


class History(NamedTuple):
    """An alarm and all that happened to it, oldest first; columns by name, moments in ms."""

    alarm: Mapping[str, Any]
    transitions: list[dict[str, Any]]


def alarms(
    connection: Connection, *, states: tuple[AlarmState, ...], site_id: str | None = None, limit: int = 100
) -> list[dict[str, Any]]:
    """Alarms in some states, the most severe first."""
    with connection.cursor(row_factory=dict_row, binary=True) as cursor:
        cursor.execute(_LIST, {"states": [str(state) for state in states], "site": site_id, "limit": limit})
        return cursor.fetchall()


def history(connection: Connection, alarm_id: str, within: VisibleSites | None = None) -> History:
    """One alarm with its history. An id may be cut to its first 8 digits.

    Raises LookupError where there is none, or none within what somebody sees.
    """
    full = find(connection, alarm_id)
    with connection.cursor(row_factory=dict_row, binary=True) as cursor:
        alarm = cursor.execute("SELECT * FROM alarm WHERE alarm_id = %s", (full,)).fetchone()
        assert alarm is not None  # noqa: S101 - just found
        if within is not None and not within.hold(alarm):
            msg = f"no alarm begins with {alarm_id!r}"
            raise LookupError(msg)
        cursor.execute("SELECT * FROM alarm_transition WHERE alarm_id = %s ORDER BY id", (full,))
        return History(alarm, cursor.fetchall())


def companions(connection: Connection, alarm: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The other alarms of the same device that somebody is to look at: one leak seen by three detectors."""
    with connection.cursor(row_factory=dict_row, binary=True) as cursor:
        states = [str(state) for state in BEFORE_OPERATORS]
        cursor.execute(_COMPANIONS, [alarm["site_id"], alarm["device_id"], alarm["alarm_id"], states])
        return cursor.fetchall()


def alike(connection: Connection, alarm: Mapping[str, Any], within: VisibleSites | None = None) -> list[dict[str, Any]]:
    """The other alarms of the same kind that somebody is to look at, wherever they see them; id and state.

    None of those of safety: each of them is looked at for itself.
    """
    if alarm["safety"]:
        return []
    with connection.cursor(row_factory=dict_row, binary=True) as cursor:
        return cursor.execute(_ALIKE, _of_kind(alarm, within)).fetchall()


def alike_count(connection: Connection, alarm: Mapping[str, Any], within: VisibleSites | None = None) -> int:
    """How many `alike` finds."""
    row = None if alarm["safety"] else connection.execute(_ALIKE_COUNT, _of_kind(alarm, within)).fetchone()
    return 0 if row is None else int(row[0])


def earlier(
    connection: Connection, alarm: Mapping[str, Any], within: VisibleSites | None = None
) -> list[dict[str, Any]]:
    """Past alarms of the same kind, those of the same device first, then of the same site: what it was then.

    With the last word that a person had on each, if anybody had one. One of a region names that alone.
    """
    wanted = _of_kind(alarm, within) | {
        "device_id": alarm["device_id"],
        "site_id": alarm["site_id"],
        "before": dt.datetime.fromtimestamp(alarm["event_at"] / 1000, tz=dt.UTC),
    }
    with connection.cursor(row_factory=dict_row, binary=True) as cursor:
        return cursor.execute(_EARLIER, wanted).fetchall()


def _of_kind(alarm: Mapping[str, Any], within: VisibleSites | None) -> dict[str, Any]:
    return {
        "kind": alarm["kind"],
        "alarm_id": alarm["alarm_id"],
        "states": [str(state) for state in BEFORE_OPERATORS],
        "sites": None if within is None else within.sites,
        "cities": [] if within is None else within.cities,
    }


class Named(NamedTuple):
    """A device as people call it."""

    kind: Kind
    en: str
    zh: str


def possible(connection: Connection, state: str) -> set[str]:
    """What the table of rules lets happen to an alarm in a state."""
    return {row[0] for row in connection.execute(_POSSIBLE, (state,))}


def device_of(connection: Connection, device_id: str) -> Named | None:
    """The device that an alarm is of; None for an alarm of a site or a region."""
    row = connection.execute(_DEVICE, (device_id,)).fetchone()
    return None if row is None else Named(Kind(row[0]), row[1] or device_id, row[2] or row[1] or device_id)


class NamedSite(NamedTuple):
    """A plant or base station as people call it."""

    is_base_station: bool
    en: str
    zh: str


def site_of(connection: Connection, site_id: str) -> NamedSite | None:
    """The site that an alarm is at; None for an alarm of a region."""
    row = connection.execute(_SITE, (site_id,)).fetchone()
    return None if row is None else NamedSite(bool(row[0]), row[1] or site_id, row[2] or row[1] or site_id)


def find(connection: Connection, beginning: str) -> str:
    """Find the one alarm whose id begins so. Raises LookupError where there is none, or more than one."""
    rows = connection.execute(
        "SELECT alarm_id FROM alarm WHERE starts_with(alarm_id, %s) LIMIT 2", (beginning,)
    ).fetchall()
    if len(rows) != 1 or not beginning:
        msg = f"{'no' if not rows else 'more than one'} alarm begins with {beginning!r}"
        raise LookupError(msg)
    return str(rows[0][0])


def call(connection: Connection, function: str, *arguments: object) -> Any:  # noqa: ANN401 - what the function gives
    """Call one of the operator's functions and commit.

    Raises psycopg.Error with the database's own words where it is refused.
    """
    statement = sql.SQL("SELECT {}({})").format(
        sql.Identifier(function), sql.SQL(", ").join([sql.Placeholder()] * len(arguments))
    )
    with connection.transaction():
        row = connection.execute(statement, arguments).fetchone()
    return None if row is None else row[0]
