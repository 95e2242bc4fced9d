"""Requests to derive a site's rows again from its raw readings, and how far each has come."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schemas.time import FOREVER_TS, LONG_AGO_TS
from storage.encoding.arrays import Column, PgType
from storage.encoding.texts import storable
from storage.statements import MOMENT, trusted
from storage.tables import READING_TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from psycopg import Connection

    from schemas.readings import Kind


class Request(NamedTuple):
    """A site and a stretch of time to derive again; times are ms."""

    id: int
    site_id: str
    from_ts: int
    to_ts: int
    next_ts: int | None
    """Where the next step begins; None: nothing is done yet."""
    next_group: int
    """Group of the site's devices that the next step takes."""
    rows_written: int
    finished_ts: int | None
    error: str
    """What is to be known of it (`schemas.words.rederive`)."""

    @property
    def is_of_all_time(self) -> bool:
        """Whether all that was ever measured at the site is asked for."""
        return self.from_ts <= LONG_AGO_TS and self.to_ts >= FOREVER_TS


PUT_OFF_S = 5.0
"""A request whose step failed is not tried again before; twice as long after each further failure in a row."""
LONGEST_S = 3_600.0
"""The longest that it is put off."""

_FIELDS = "id, site_id, from_at, to_at, next_at, next_group, rows_written, finished_at, error"


def ask(
    connection: Connection,
    site_ids: Iterable[str],
    *,
    reason: str,
    from_ts: int = LONG_AGO_TS,
    to_ts: int = FOREVER_TS,
) -> list[int]:
    """Ask for sites to be derived again within a stretch of time; returns the requests' numbers.

    An open request of the same site and reason is widened and starts anew.
    """
    statement = (
        f"INSERT INTO recompute_request (site_id, from_at, to_at, reason) VALUES (%s, {MOMENT}, {MOMENT}, %s)"  # noqa: S608 - own text
        " ON CONFLICT (site_id, reason) WHERE finished_at IS NULL DO UPDATE SET"
        " from_at = least(recompute_request.from_at, excluded.from_at),"
        " to_at = greatest(recompute_request.to_at, excluded.to_at), next_at = NULL, next_group = 0, rows_written = 0,"
        " error = '', failures = 0, due_at = NULL"
        " RETURNING id"
    )
    found = []
    for site_id in sorted(site_ids):
        row = connection.execute(trusted(statement), (site_id, from_ts, to_ts, reason)).fetchone()
        assert row is not None  # noqa: S101 - inserted or updated
        found.append(int(row[0]))
    return found


def claim(connection: Connection, request_id: int | None = None) -> Request | None:
    """Take an open request for one step, until the transaction ends; None where there is none that nobody has.

    Of several the oldest, but one whose last step failed comes behind all others, and not before its time. One that is
    asked for by its number is taken at once.
    """
    row = connection.execute(
        trusted(
            f"SELECT {_FIELDS} FROM recompute_request WHERE finished_at IS NULL"  # noqa: S608 - own text
            " AND CASE WHEN %s::bigint IS NULL THEN coalesce(due_at <= clock_timestamp(), true) ELSE id = %s END"
            " ORDER BY failures > 0, id LIMIT 1 FOR UPDATE SKIP LOCKED"
        ),
        (request_id, request_id),
        binary=True,
    ).fetchone()
    return None if row is None else Request(*row)


def read(connection: Connection, request_id: int) -> Request:
    """Read a request; LookupError where there is none of this number."""
    row = connection.execute(
        trusted(f"SELECT {_FIELDS} FROM recompute_request WHERE id = %s"),  # noqa: S608 - own text
        (request_id,),
        binary=True,
    ).fetchone()
    if row is None:
        msg = f"there is no recompute request {request_id}"
        raise LookupError(msg)
    return Request(*row)


def note(connection: Connection, request: Request, *, is_finished: bool) -> None:
    """Write how far a claimed request has come: its step did not fail."""
    finished = "clock_timestamp()" if is_finished else "NULL"
    connection.execute(
        trusted(
            f"UPDATE recompute_request SET next_at = {MOMENT}, next_group = %s, rows_written = %s, error = %s,"  # noqa: S608 - own text
            f" failures = 0, due_at = NULL, finished_at = {finished} WHERE id = %s"
        ),
        (request.next_ts, request.next_group, request.rows_written, request.error, request.id),
    )


def put_off(connection: Connection, request: Request, error: str) -> None:
    """Note that a step of a request failed and why, and try it later: unless somebody else has done it meanwhile."""
    connection.execute(
        trusted(
            "UPDATE recompute_request SET error = %s, failures = failures + 1, due_at = clock_timestamp()"  # noqa: S608 - own text
            " + least(%s * 2.0 ^ least(failures, 20), %s) * interval '1 s' WHERE id = %s AND finished_at IS NULL"
            f" AND next_at IS NOT DISTINCT FROM {MOMENT} AND next_group = %s"
        ),
        (storable(error), PUT_OFF_S, LONGEST_S, request.id, request.next_ts, request.next_group),
    )


def stretch_of(connection: Connection, devices: Sequence[tuple[Kind, str]]) -> tuple[int, int] | None:
    """Device time of the first and the newest reading of some devices; None where they have none."""
    by_table: dict[str, list[str]] = {}
    for kind, device_id in devices:
        by_table.setdefault(READING_TABLES[kind].name, []).append(device_id)
    ends: list[tuple[int | None, int | None]] = []
    for table, device_ids in by_table.items():
        row = connection.execute(
            trusted(
                "SELECT min(e.first), max(e.last) FROM unnest(%b::text[]) AS d (device_id), LATERAL (SELECT"  # noqa: S608 - own names
                f" (SELECT r.ts FROM {table} r WHERE r.device_id = d.device_id ORDER BY r.ts LIMIT 1) AS first,"
                f" (SELECT r.ts FROM {table} r WHERE r.device_id = d.device_id ORDER BY r.ts DESC LIMIT 1) AS last) e"
            ),
            (Column(PgType.TEXT, device_ids),),
            binary=True,
        ).fetchone()
        ends += [] if row is None else [row]
    return _together(ends)


def widened(
    connection: Connection, stretch: tuple[int, int] | None, site_id: str, tables: Sequence[str]
) -> tuple[int, int] | None:
    """A stretch together with that of the rows of a site in some tables of sites; None where there is nothing."""
    ends: list[tuple[int | None, int | None]] = [] if stretch is None else [stretch]
    for table in tables:
        row = connection.execute(
            trusted(f"SELECT min(ts), max(ts) FROM {table} WHERE site_id = %s"),  # noqa: S608 - own names
            (site_id,),
            binary=True,
        ).fetchone()
        ends += [] if row is None else [row]
    return _together(ends)


def _together(ends: Sequence[tuple[int | None, int | None]]) -> tuple[int, int] | None:
    """The stretch that holds some others, of which those without a row are null; None where all are."""
    known = [end for pair in ends for end in pair if end is not None]
    return (min(known), max(known)) if known else None
