"""Chunks of hypertables: PostgreSQL locks each that a transaction touches, and opening one takes 5 to 30 ms."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from schemas.time import DAY_MS
from storage.encoding.arrays import Column, PgType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection

LOCKS_A_HALF_DAY = 100
"""Chunks and their indexes in about six tables, with room for as many other transactions as a worker has under way."""
NO_CHUNKS = 1_000_000

OLD_MS = 7 * DAY_MS
"""Rows older than this may belong into a longer chunk than others (`old_chunks` in the database)."""


def most_half_days(connection: Connection) -> int:
    """How many different half days one transaction may touch; more than there are where tables have no chunks."""
    found = connection.execute(
        "SELECT current_setting('max_locks_per_transaction')::int * current_setting('max_connections')::int"
        " FROM pg_extension WHERE extname = 'timescaledb'"
    ).fetchone()
    return NO_CHUNKS if found is None else max(1, found[0] // LOCKS_A_HALF_DAY)


def open_old(connection: Connection, table: str, times_ms: Sequence[int]) -> None:
    """Open the long chunks that old rows of a table are about to need; others TimescaleDB opens by itself.

    `times_ms`: of the rows, ms since the epoch. Without TimescaleDB, and for a table that is no hypertable, nothing.
    """
    before = int(time.time() * 1000) - OLD_MS
    if not times_ms or min(times_ms) >= before:
        return
    weeks = {ts // OLD_MS: ts for ts in times_ms if ts < before}
    moments = Column(PgType.TIMESTAMPTZ, sorted(weeks.values()))
    connection.execute("SELECT old_chunks(%s, %b::timestamptz[])", (table, moments))
