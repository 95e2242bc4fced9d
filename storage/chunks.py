"""Chunks of hypertables: PostgreSQL locks each that a transaction touches, and has so many locks for all together."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg import Connection

LOCKS_A_HALF_DAY = 100
"""Chunks and their indexes in about six tables, with room for as many other transactions as a worker has under way."""
NO_CHUNKS = 1_000_000


def most_half_days(connection: Connection) -> int:
    """How many different half days one transaction may touch; more than there are where tables have no chunks."""
    found = connection.execute(
        "SELECT current_setting('max_locks_per_transaction')::int * current_setting('max_connections')::int"
        " FROM pg_extension WHERE extname = 'timescaledb'"
    ).fetchone()
    return NO_CHUNKS if found is None else max(1, found[0] // LOCKS_A_HALF_DAY)
