"""The source offset of a partition, moved only by compare-and-set inside the batch's own transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from psycopg import errors

from storage.errors import CheckpointHeldError, CheckpointMovedError

if TYPE_CHECKING:
    from psycopg import Connection


PATIENCE = "2s"
"""So long a transaction waits for a partition that somebody else holds. A worker that is paused keeps it for a minute,
and who waits for it keeps a place that other partitions could use."""


class Position(NamedTuple):
    """A partition of the log."""

    topic: str
    partition: int


class StoredUntil(NamedTuple):
    """How far a partition is stored: every record before `offset`, and so many readings of the record at it."""

    offset: int
    readings: int = 0
    """Of a record that is too much for one transaction, in the order of `streams.engine.parts`."""


class Turn(NamedTuple):
    """What a worker must know of the world when its transaction begins."""

    registry_version: int
    generation: int
    """Moves when somebody else than the partition's worker changed what kernels remember."""


def load_mark(connection: Connection, position: Position) -> tuple[StoredUntil, int]:
    """How far a partition is stored, and the generation; a partition never seen before starts at 0.

    Of one that was seen before it is only read, which waits for nobody: an insert waits for whoever is moving it.
    """
    asked = "SELECT next_offset, done_readings, generation FROM checkpoint WHERE topic = %s AND partition = %s"
    row = connection.execute(asked, position).fetchone()
    if row is None:
        connection.execute(
            "INSERT INTO checkpoint (topic, partition, next_offset) VALUES (%s, %s, 0) ON CONFLICT DO NOTHING", position
        )
        row = connection.execute(asked, position).fetchone()
    assert row is not None  # noqa: S101 - inserted above
    return StoredUntil(int(row[0]), int(row[1])), int(row[2])


def stored_offsets(connection: Connection, topic: str) -> dict[int, int]:
    """Offset of the next record to store, by partition, of those that were ever loaded."""
    rows = connection.execute("SELECT partition, next_offset FROM checkpoint WHERE topic = %s", (topic,))
    return {int(partition): int(offset) for partition, offset in rows}


_ADVANCE = """
WITH patience AS MATERIALIZED (
    SELECT current_setting('lock_timeout') AS usual, set_config('lock_timeout', %s, true)
)
UPDATE checkpoint SET next_offset = %s, done_readings = %s, updated_at = clock_timestamp()
FROM patience
WHERE topic = %s AND partition = %s AND next_offset = %s AND done_readings = %s
RETURNING (SELECT version FROM registry_version), generation, set_config('lock_timeout', patience.usual, true)
"""
"""One statement, and no pipeline: psycopg ends one with a Flush, after which PostgreSQL waits for a client that says
nothing for as long as it likes (`idle_in_transaction_session_timeout` counts from its last answer to a Sync)."""


def advance(connection: Connection, position: Position, *, expected: StoredUntil, new: StoredUntil) -> Turn:
    """Move the mark from `expected` to `new`, and return what the worker must know.

    Holds the row's lock until commit, so that of two workers who both believe they own the partition one waits
    here and then finds the mark moved. Raises CheckpointMovedError if the mark is not `expected`, CheckpointHeldError
    where somebody keeps the lock for longer than `PATIENCE`; whatever else the transaction waits for has no such limit.
    """
    try:
        row = connection.execute(_ADVANCE, (PATIENCE, *new, *position, *expected)).fetchone()
    except errors.LockNotAvailable as error:
        msg = f"{position.topic}[{position.partition}]: somebody else holds it"
        raise CheckpointHeldError(msg) from error
    if row is None:
        standing = f"{expected.offset}, {expected.readings} readings of it"
        msg = f"{position.topic}[{position.partition}]: stored is not up to {standing}"
        raise CheckpointMovedError(msg)
    return Turn(int(row[0]), int(row[1]))


def take_turn(connection: Connection, position: Position) -> Turn:
    """Hold a partition still to change what its kernels remember: its worker waits, and then loads it again."""
    row = connection.execute(
        "UPDATE checkpoint SET generation = generation + 1 WHERE topic = %s AND partition = %s"
        " RETURNING (SELECT version FROM registry_version), generation",
        position,
    ).fetchone()
    if row is None:
        msg = f"{position.topic}[{position.partition}]: nothing was ever stored of this partition"
        raise LookupError(msg)
    return Turn(int(row[0]), int(row[1]))


def record_loss(connection: Connection, position: Position, lost: range, what: str) -> None:
    """Write into the books that a range of the log can no longer be had."""
    connection.execute(
        "INSERT INTO log_loss (topic, partition, from_offset, to_offset, what) VALUES (%s, %s, %s, %s, %s)",
        (*position, lost.start, lost.stop, what),
    )


def note_stuck(connection: Connection, position: Position, offset: int, stuck_s: float, error: str) -> None:
    """Write down, for all to see, that a partition has stood at a record for so long, and why."""
    connection.execute(
        "INSERT INTO stuck_partition (topic, partition, next_offset, since, error)"
        " VALUES (%s, %s, %s, clock_timestamp() - %s * interval '1 second', %s)"
        " ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset, since = excluded.since,"
        " tried_at = clock_timestamp(), error = excluded.error",
        (*position, offset, stuck_s, error),
    )


def note_moving(connection: Connection, position: Position) -> None:
    """Take that away: the partition has moved on."""
    connection.execute("DELETE FROM stuck_partition WHERE topic = %s AND partition = %s", position)
