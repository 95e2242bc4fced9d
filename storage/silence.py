"""Progress of partitions and silent sites, and open alarms as the clock's stage needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from storage.alarms import COLUMNS, Stored
from storage.arrays import Column, PgType
from storage.statements import trusted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from psycopg import Connection

    from storage.checkpoint import Position


def load_progress(connection: Connection, position: Position) -> tuple[int, int] | None:
    """How far a partition has come: event time and time of the record, ms."""
    return connection.execute(
        "SELECT event_at, record_at FROM partition_progress WHERE topic = %s AND partition = %s", position, binary=True
    ).fetchone()


def save_progress(connection: Connection, position: Position, event_ms: int, record_ms: int) -> None:
    """Write how far it has come."""
    connection.execute(
        "INSERT INTO partition_progress VALUES (%s, %s, 'epoch'::timestamptz + %s * interval '1 ms',"
        " 'epoch'::timestamptz + %s * interval '1 ms') ON CONFLICT (topic, partition)"
        " DO UPDATE SET event_at = excluded.event_at, record_at = excluded.record_at",
        (*position, event_ms, record_ms),
    )


class Open(NamedTuple):
    """An open alarm, and what the clock says of it."""

    stored: Stored
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
    width = len(Stored._fields)
    return [
        Open(Stored(*row[:width]), *row[width:])
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
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('fenhe region'), hashtext(%s))", (region,))
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
