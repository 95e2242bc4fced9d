"""The transaction engine fed with the small world, and what the database then holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from schemas.readings import Kind
from storage.books.balance import balance
from storage.pool import connect
from streams.engine.memory import SAVE_EVERY
from tests.support.pipeline import (
    DERIVED,
    MEMORY,
    RAW,
    Sent,
    open_engine,
    readings,
    record,
    save_memories,
    snapshot,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.books.balance import BooksBalance

SENT = readings(40)
SNAPSHOT_MS = 7 * 60_000
"""Several of them within the readings."""
EVERYTHING = [*DERIVED, *RAW, *MEMORY]
REFITTED = {Kind.ELECTRICITY, Kind.WATER, Kind.PRODUCTION}
"""Kinds of meters that a test has been fitted with other periods and ratings."""


def books(url: str) -> BooksBalance:
    """The books of a database."""
    with connect(url, name="test") as connection:
        return balance(connection)


def reasons(url: str) -> dict[str, int]:
    """How many items the quarantine holds by reason."""
    with connect(url, name="test") as connection:
        return dict(connection.execute("SELECT reason, count(*) FROM quarantine GROUP BY reason").fetchall())


def wipe(url: str) -> None:
    """Forget everything but the registry."""
    with connect(url, name="test") as connection:
        for table in [
            *DERIVED,
            *RAW,
            *MEMORY,
            "ledger_entry",
            "ledger_part",
            "ledger_total",
            "quarantine",
            "checkpoint",
        ]:
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))


def feed(
    url: str, batches: Sequence[Sequence[Sent]], *, snapshot_ms: int | None = SNAPSHOT_MS, save_every: int = SAVE_EVERY
) -> dict[str, list[str]]:
    """Apply batches as records of one partition, and return what the database then holds."""
    engine = open_engine(url, snapshot_ms=snapshot_ms, save_every=save_every)
    partition = engine.open(0)
    for offset, batch in enumerate(batches):
        engine.apply(partition, [record(offset, batch)])
    engine.close()
    return held(url)


def held(url: str) -> dict[str, list[str]]:
    """What the database holds, with all that a worker that starts now would remember."""
    engine = open_engine(url)
    save_memories(engine)
    engine.close()
    return snapshot(url, EVERYTHING)


def differing(found: dict[str, list[str]], want: dict[str, list[str]]) -> dict[str, set[str]]:
    """Rows that only one side has, by table."""
    return {table: set(rows) ^ set(found[table]) for table, rows in want.items() if found[table] != rows}
