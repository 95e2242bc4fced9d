"""Alarms in the database, as a worker's transaction reads and writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg.types.json import Jsonb

from storage.alarm_tables import moved
from storage.encoding.arrays import Column, PgType
from storage.statements import each, trusted, unnest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from psycopg import Connection

TEXT, TIME = PgType.TEXT, PgType.TIMESTAMPTZ


class Asked(NamedTuple):
    """A condition, and the moment from which on its alarms are asked for."""

    site_id: str
    device_id: str
    metric: str
    kind: str
    from_ts: int


class StoredAlarm(NamedTuple):
    """An alarm's row, as far as a worker decides by it."""

    alarm_id: str
    site_id: str
    device_id: str
    metric: str
    kind: str
    state: str
    active: bool
    severity: str
    event_ts: int
    raised_ts: int
    last_raised_ts: int
    cleared_ts: int | None
    ended_ts: int | None
    pending_ts: int | None
    group_id: str
    occurrences: int
    disproved: bool
    detector: str


COLUMNS = (
    "a.alarm_id, a.site_id, a.device_id, a.metric, a.kind, a.state, a.active, a.severity, a.event_at, a.raised_at,"
    " coalesce(a.last_raised_at, a.raised_at), a.cleared_at, a.ended_at, a.return_pending_at, a.group_id,"
    " a.occurrences, a.disproved, a.detector"
)
_KNOWN = trusted(
    f"SELECT {COLUMNS} FROM {unnest((TEXT, TEXT, TEXT, TEXT, TIME))}"  # noqa: S608 - own names
    " AS q (site_id, device_id, metric, kind, low) JOIN alarm a USING (site_id, device_id, metric, kind)"
    " WHERE a.state <> 'normal' OR a.ended_at >= q.low ORDER BY a.alarm_id FOR UPDATE OF a"
)


def known(connection: Connection, asked: Sequence[Asked]) -> list[StoredAlarm]:
    """Alarms of some conditions that are open or ended after a moment, locked, in order of their beginning.

    Those of a device that has moved are found at its former site as well, and brought along.
    """
    if not asked:
        return []
    moved.follow_conditions(connection, [item[:4] for item in asked])
    columns = [
        Column(kind, values) for kind, values in zip((TEXT,) * 4 + (TIME,), zip(*asked, strict=True), strict=True)
    ]
    rows = [StoredAlarm(*row) for row in connection.execute(_KNOWN, columns, binary=True)]
    return sorted(rows, key=lambda row: (row.raised_ts, row.alarm_id))


class OpenAlarm(NamedTuple):
    """An open alarm, as far as others may belong to it."""

    site_id: str
    device_id: str
    metric: str
    kind: str
    raised_ts: int
    group_id: str


def open_at(
    connection: Connection, site_ids: Sequence[str], regions: Sequence[str], kinds: Sequence[str]
) -> list[OpenAlarm]:
    """Open alarms of some sites, and those of some kinds in some regions."""
    rows = connection.execute(
        "SELECT site_id, device_id, metric, kind, raised_at, group_id FROM alarm"
        " WHERE state <> 'normal' AND detector <> ''"
        " AND (site_id = ANY(%b) OR (region = ANY(%b) AND kind = ANY(%b)))",
        (Column(TEXT, site_ids), Column(TEXT, regions), Column(TEXT, kinds)),
        binary=True,
    )
    return [OpenAlarm(*row) for row in rows]


def settings(connection: Connection) -> dict[tuple[str, str, str, str], dict[str, float]]:
    """What operators have set, by kind, site, device and metric."""
    found: dict[tuple[str, str, str, str], dict[str, float]] = {}
    for *key, parameter, value in connection.execute(
        "SELECT kind, site_id, device_id, metric, parameter, value FROM alarm_setting"
    ):
        found.setdefault((key[0], key[1], key[2], key[3]), {})[parameter] = value
    return found


class MaintenanceWindow(NamedTuple):
    """Planned maintenance; device '' stands for the whole site."""

    number: int
    site_id: str
    device_id: str
    from_ts: int
    to_ts: int


def maintenance(connection: Connection, site_ids: Sequence[str], from_ts: int) -> list[MaintenanceWindow]:
    """Maintenance at some sites that ends after a moment."""
    rows = connection.execute(
        "SELECT id, site_id, device_id, starts_at, ends_at FROM maintenance WHERE site_id = ANY(%b)"
        " AND ends_at > 'epoch'::timestamptz + %s * interval '1 ms' AND cancelled_by IS NULL",
        (Column(TEXT, site_ids), from_ts),
        binary=True,
    )
    return [MaintenanceWindow(*row) for row in rows]


_MOMENT = "'epoch'::timestamptz + %({0})s::bigint * interval '1 ms'"
FIGURES = ("value", "baseline", "low", "high", "z", "unit", "window_s", "cost", "cost_unit", "detector", "evidence")
"""Columns of what an alarm was judged by."""
_INSERT = trusted(
    "INSERT INTO alarm (alarm_id, site_id, device_id, metric, kind, region, severity, safety, event_at, raised_at,"  # noqa: S608 - own names
    f" group_id, {', '.join(FIGURES)})"
    " VALUES (%(alarm_id)s, %(site_id)s, %(device_id)s, %(metric)s, %(kind)s, %(region)s, %(severity)s, %(safety)s,"
    f" {_MOMENT.format('event_ts')}, {_MOMENT.format('raised_ts')}, %(group_id)s,"
    f" {', '.join(f'%({name})s' for name in FIGURES)}) ON CONFLICT (alarm_id) DO NOTHING"
)
_UPDATE = trusted(
    "UPDATE alarm SET severity = %(severity)s, disproved = %(disproved)s, occurrences = %(occurrences)s,"  # noqa: S608 - own names
    f" event_at = {_MOMENT.format('event_ts')}, raised_at = {_MOMENT.format('raised_ts')},"
    f" last_raised_at = {_MOMENT.format('last_raised_ts')},"
    f" ended_at = {_MOMENT.format('ended_ts')},"
    f" cleared_at = {_MOMENT.format('cleared_ts')}, return_pending_at = {_MOMENT.format('pending_ts')},"
    f" {', '.join(f'{name} = coalesce(%({name})s, {name})' for name in FIGURES)}"
    " WHERE alarm_id = %(alarm_id)s"
)
_APPLY = "SELECT alarm_apply(%s, %s, 'fenhe', %s, 'epoch'::timestamptz + %s::bigint * interval '1 ms', %s)"


class AlarmEventRow(NamedTuple):
    """An event for `alarm_apply`."""

    alarm_id: str
    event: str
    reason: str
    event_ts: int | None
    detail: Mapping[str, Any]


def insert(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write new alarms, in state normal; their first event follows. Columns by name, moments as `…_ms`."""
    each(connection, _INSERT, [{**row, "evidence": Jsonb(row["evidence"])} for row in rows])


def update(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write what is known of alarms now; a figure that is None stays as it was."""
    each(
        connection,
        _UPDATE,
        [{**row, "evidence": None if row["evidence"] is None else Jsonb(row["evidence"])} for row in rows],
    )


def apply(connection: Connection, events: Iterable[AlarmEventRow]) -> None:
    """Have events happen, in order. Raises psycopg's ObjectNotInPrerequisiteState for one that is impossible."""
    each(
        connection,
        _APPLY,
        [(item.alarm_id, item.event, item.reason, item.event_ts, Jsonb(dict(item.detail))) for item in events],
    )
