"""How long from a reading's publication to its commit, as PostgreSQL itself recorded it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from storage.pool import limit_statements
from storage.statements import trusted
from storage.tables import READING_TABLES

if TYPE_CHECKING:
    from psycopg import Connection


class Latency(NamedTuple):
    """Milliseconds from a live reading's device time to its commit; None where nothing was measured."""

    p50: float | None
    p99: float | None
    readings: int


_TABLES = sorted({table.name for table in READING_TABLES.values()} - {"reading_lab"})


def _sql(one: str) -> str:
    """Percentiles over `one` select of (xmin, ts) from each table of live readings."""
    return (
        "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ms), percentile_cont(0.99) WITHIN GROUP (ORDER BY ms),"  # noqa: S608
        " count(*) FROM (SELECT extract(epoch FROM pg_xact_commit_timestamp(x) - ts)::float8 * 1000 AS ms FROM ("
        + " UNION ALL ".join(one.format(name) for name in _TABLES)
        + ") r) l"
    )


_EACH = trusted(_sql("SELECT xmin AS x, ts FROM {} WHERE ts >= %(since)s AND ts < %(until)s"))
_NEWEST = trusted(
    _sql(
        "(SELECT xmin AS x, max(ts) AS ts FROM {} WHERE ts >= %(since)s AND ts < %(until)s"
        " GROUP BY xmin::text, xmin, device_id)"
    )
)


def commit_latency(
    connection: Connection,
    since_ts: int,
    until_ts: int,
    *,
    newest_of_transaction: bool = False,
    within_s: float | None = None,
) -> Latency:
    """Measure over live readings, whose device time is their time of publication.

    Where readings travel in arrays only the newest of each device in a transaction was published at its own device
    time: then ask for `newest_of_transaction`. Needs `track_commit_timestamp`, which the local stack turns on.
    Raises psycopg.errors.QueryCanceled where it takes longer than `within_s`.
    """
    bounds = connection.execute(
        "SELECT 'epoch'::timestamptz + %s * interval '1 ms', 'epoch'::timestamptz + %s * interval '1 ms'",
        (since_ts, until_ts),
    ).fetchone()
    assert bounds is not None  # noqa: S101 - a select without FROM has a row
    limit_statements(connection, within_s)
    statement = _NEWEST if newest_of_transaction else _EACH
    row = connection.execute(statement, {"since": bounds[0], "until": bounds[1]}).fetchone()
    assert row is not None  # noqa: S101 - an aggregate has a row
    return Latency(*row)
