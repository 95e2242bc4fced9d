"""How long rows are kept: the policy, and taking away what is older, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schemas.time import DAY_MS
from storage.tables import READING_TABLES

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from psycopg import Connection

BEHIND_MS = 36 * DAY_MS
"""Rows are derived again from no earlier than so long behind the oldest readings kept: what was remembered of old
times is kept every day, every 28 where an older fenhe thinned it out (`storage.state`), and a fold without any reads 8
days back."""


class Policy(NamedTuple):
    """How long a table's rows are kept."""

    table: str
    keep: dt.timedelta | None
    """None: for ever."""
    keep_text: str
    kept_from: dt.datetime | None
    """Rows before this are gone."""
    error: str
    """Why taking away failed the last time; empty: it did not."""


def policies(connection: Connection) -> list[Policy]:
    """What is kept how long, by table."""
    rows = connection.execute(
        "SELECT table_name, keep, coalesce(keep::text, 'for ever'), kept_from, error FROM retention_policy"
        " ORDER BY table_name"
    )
    return [Policy(*row) for row in rows]


def set_policy(connection: Connection, table: str, keep: str | None) -> None:
    """Keep a table's rows for another time, such as "13 months"; None: for ever."""
    connection.execute("SELECT retention_set(%s, %s::interval)", (table, keep))


def step(connection: Connection) -> str | None:
    """Take away some of what is older than it is kept, and say what; None where there is nothing (more) to do.

    A table where that fails holds up no other; its policy says why.
    """
    row = connection.execute("SELECT retention_step()").fetchone()
    return None if row is None else row[0]


def measure(connection: Connection) -> None:
    """Note how large the database is today."""
    connection.execute("SELECT store_measure()")


def say_disk(connection: Connection, size: str | None) -> None:
    """Say what the database may grow to, as PostgreSQL writes sizes ("500 GB", of 1024³ bytes each); None: unknown."""
    connection.execute("DELETE FROM store_disk")
    if size is not None:
        connection.execute("INSERT INTO store_disk (bytes) VALUES (pg_size_bytes(%s))", (size,))


def kept_from_ts(connection: Connection, tables: Sequence[str]) -> dict[str, int]:
    """From when on all rows of some tables are kept, ms; a table that nothing was taken away from is not in it."""
    rows = connection.execute(
        "SELECT table_name, (extract(epoch FROM kept_from) * 1000)::bigint FROM retention_policy"
        " WHERE table_name = ANY(%s) AND kept_from IS NOT NULL",
        (list(tables),),
    )
    return {table: int(ts) for table, ts in rows}


def derivable_from_ts(connection: Connection) -> int | None:
    """From when on rows can be derived again; None where no raw reading was ever taken away."""
    newest = max(
        kept_from_ts(connection, sorted({table.name for table in READING_TABLES.values()})).values(), default=None
    )
    return None if newest is None else newest + BEHIND_MS
