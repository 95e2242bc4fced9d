"""Progress of partitions, silent sites, alarms as the clock's stage needs them, and what fills a silence."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from storage.alarm_tables.alarms import COLUMNS, StoredAlarm
from storage.encoding.arrays import Column, PgType
from storage.statements import MOMENT, trusted
from storage.tables import READING_TABLES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from psycopg import Connection

    from schemas.readings import Kind
    from storage.checkpoint import Position


_SAVE_PROGRESS = trusted(
    "INSERT INTO partition_progress (topic, partition, event_at, record_at, level_at, lag_ms)"  # noqa: S608 - own text
    f" VALUES (%s, %s, {MOMENT}, {MOMENT}, {MOMENT}, %s)"
    " ON CONFLICT (topic, partition) DO UPDATE SET event_at = excluded.event_at, record_at = excluded.record_at,"
    " level_at = excluded.level_at, lag_ms = excluded.lag_ms"
)


def load_progress(connection: Connection, position: Position) -> tuple[int, int, int, int] | None:
    """How far a partition has come: event time, time of the record, since when its lag stays, and that lag, ms."""
    return connection.execute(
        "SELECT event_at, record_at, coalesce(level_at, record_at),"
        " coalesce(lag_ms, (extract(epoch FROM record_at - event_at) * 1000)::bigint)"
        " FROM partition_progress WHERE topic = %s AND partition = %s",
        position,
        binary=True,
    ).fetchone()


def save_progress(connection: Connection, position: Position, progress: tuple[int, int, int, int]) -> None:
    """Write how far it has come, as `load_progress` gives it."""
    connection.execute(_SAVE_PROGRESS, (*position, *progress), binary=True)


def arrivals(connection: Connection, device_ids: Sequence[str]) -> dict[str, int]:
    """When the newest reading of some devices arrived, ms; laboratories have none."""
    rows = connection.execute(
        "SELECT device_id, received_at FROM arrival WHERE device_id = ANY(%b)",
        (Column(PgType.TEXT, device_ids),),
        binary=True,
    )
    return dict(rows.fetchall())


class Open(NamedTuple):
    """An open alarm, and what the clock says of it."""

    stored: StoredAlarm
    suppressed_by: str | None
    shelf_over: bool
    acknowledged_h: float | None
    """For how long it has been acknowledged."""


_OPEN = trusted(
    f"SELECT {COLUMNS}, a.suppressed_by, coalesce(a.shelved_until <= clock_timestamp(), false),"  # noqa: S608 - own names
    " (extract(epoch FROM clock_timestamp() - a.acknowledged_at) / 3600)::float8"
    " FROM alarm a WHERE a.state <> 'normal' AND a.site_id = ANY(%b) ORDER BY a.alarm_id FOR UPDATE"
)


def open_alarms(connection: Connection, site_ids: Sequence[str]) -> list[Open]:
    """Open alarms of some sites, locked; '' stands for those of regions."""
    width = len(StoredAlarm._fields)
    return [
        Open(StoredAlarm(*row[:width]), *row[width:])
        for row in connection.execute(_OPEN, (Column(PgType.TEXT, site_ids),), binary=True)
    ]


def silent_sites(connection: Connection, site_ids: Sequence[str]) -> set[str]:
    """Which of some sites are noted as silent."""
    rows = connection.execute(
        "SELECT site_id FROM site_silence WHERE site_id = ANY(%b)", (Column(PgType.TEXT, site_ids),)
    )
    return {row[0] for row in rows}


def note_silent(connection: Connection, silent: Mapping[str, tuple[str, int]], heard: Collection[str]) -> None:
    """Note sites that have fallen silent (region, since ms), and take out those that are heard again."""
    if silent:
        ordered = sorted(silent)
        connection.execute(
            "INSERT INTO site_silence SELECT * FROM unnest(%b::text[], %b::text[], %b::timestamptz[])"
            " ON CONFLICT DO NOTHING",
            (
                Column(PgType.TEXT, ordered),
                Column(PgType.TEXT, [silent[name][0] for name in ordered]),
                Column(PgType.TIMESTAMPTZ, [silent[name][1] for name in ordered]),
            ),
        )
    if heard:
        connection.execute("DELETE FROM site_silence WHERE site_id = ANY(%b)", (Column(PgType.TEXT, sorted(heard)),))


def count_silent(connection: Connection, regions: Collection[str]) -> dict[str, int]:
    """Silent sites by region, with the regions held against other partitions until this transaction ends."""
    for region in sorted(regions):
        connection.execute("SELECT take_turn('region ' || %s)", (region,))
    rows = connection.execute(
        "SELECT region, count(*) FROM site_silence WHERE region = ANY(%b) GROUP BY 1",
        (Column(PgType.TEXT, sorted(regions)),),
    )
    return {row[0]: row[1] for row in rows}


def regions_in_alarm(connection: Connection) -> set[str]:
    """Regions that have an open alarm."""
    rows = connection.execute("SELECT device_id FROM alarm WHERE site_id = '' AND state <> 'normal'")
    return {row[0] for row in rows}


def region_alarms(connection: Connection, regions: Collection[str]) -> list[Open]:
    """Open alarms of some regions, locked; hold the regions first."""
    return [item for item in open_alarms(connection, [""]) if item.stored.device_id in regions]


_UNFILLED = trusted(
    f"SELECT {COLUMNS} FROM alarm a WHERE a.device_id = ANY(%b) AND a.metric = '' AND a.kind = 'no_data'"  # noqa: S608 - own names
    f" AND NOT a.active AND a.event_at < {MOMENT} AND a.cleared_at > {MOMENT} AND NOT EXISTS (SELECT"
    " FROM alarm_transition t WHERE t.alarm_id = a.alarm_id AND t.event_at = a.cleared_at AND t.detail ? 'filled')"
    " ORDER BY a.alarm_id FOR UPDATE"
)


def unfilled(connection: Connection, device_ids: Sequence[str], from_ts: int, to_ts: int) -> list[StoredAlarm]:
    """Alarms of silences that are over, reach into a stretch of time and are not known to be filled, locked.

    `device_ids` are devices, or sites for alarms of whole sites.
    """
    asked = (Column(PgType.TEXT, device_ids), to_ts, from_ts)
    return [StoredAlarm(*row) for row in connection.execute(_UNFILLED, asked, binary=True)]


class AroundSilence(NamedTuple):
    """What is stored of a device around a silence."""

    last_ts: int | None
    """Its last reading by the beginning of the silence; None where there is none."""
    gap_ms: int | None
    """The longest time without a reading from that one to the end of the silence."""


_HEARD = {
    kind: trusted(
        "SELECT min(ts), (extract(epoch FROM max(next_ts - ts)) * 1000)::bigint FROM ("  # noqa: S608 - own names
        "SELECT r.ts, lead(r.ts, 1, q.until) OVER (ORDER BY r.ts) AS next_ts"
        f" FROM (SELECT {MOMENT} AS since, {MOMENT} AS until, %s AS device_id) AS q JOIN {table.name} r"
        " USING (device_id) WHERE r.ts <= q.until"
        f" AND r.ts >= (SELECT max(b.ts) FROM {table.name} b WHERE b.device_id = q.device_id AND b.ts <= q.since)"
        ") AS heard"
    )
    for kind, table in READING_TABLES.items()
}


def heard(connection: Connection, kind: Kind, device_id: str, from_ts: int, to_ts: int) -> AroundSilence:
    """What is stored by now of a device from the beginning of a silence to its end."""
    row = connection.execute(_HEARD[kind], (from_ts, to_ts, device_id), binary=True).fetchone()
    assert row is not None  # noqa: S101 - an aggregate
    return AroundSilence(*row)
