"""The transaction engine: one batch, one transaction, moved on by compare-and-set.

For one partition and a run of its records, a single PostgreSQL transaction moves the partition's offset from where
this worker believes it is to behind the run, and writes raw readings, quarantine, derived rows, kernel states and
the ledger. It either happens whole or not at all, so a crash, a redelivery, a rebalance or a worker that does not
know it has been replaced can neither lose nor double anything.

What one transaction writes is in `streams.engine.transaction`, how kernels are fed in `streams.engine.folding`.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from schemas.time import FOREVER_TS
from schemas.topics import partition_of
from storage import checkpoint, chunks, retention
from storage.checkpoint import Position, StoredUntil, Turn
from storage.errors import CheckpointMovedError, is_refusal, is_too_much, took_too_long, why
from storage.pool import IDLE_TRANSACTION_S
from storage.registry import registry_version
from storage.silent import SilentSessions
from streams.engine.memory import SAVE_EVERY
from streams.engine.partition import Partition
from streams.engine.parts import Bounds, Part, decoded_anew, next_part
from streams.engine.quiet import QUIET_FROM
from streams.engine.session import Session
from streams.engine.transaction import Outcome, Transaction
from streams.intake.decode import Record, decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from psycopg import Connection
    from psycopg_pool import ConnectionPool

    from schemas.registry import Device
    from streams.engine.kernels import Kernels
    from streams.intake.batch import Batch

    Anew = Callable[[], list[Batch]]
    """Decodes what a transaction is to store."""

log = structlog.get_logger(__name__)

LARGE_ROWS = 40_000
"""Of transactions that are expected to give more rows than this a process should have one under way at a time."""
SILENT_S = 2 * IDLE_TRANSACTION_S
"""For so long a session may wait in the middle of a statement for its worker, if nothing else is said."""
TRIES = 12
"""So often, over half a minute, a reading alone may be more than PostgreSQL can take; then it is quarantined."""


class GapError(Exception):
    """The records offered begin behind the stored offset: something in between was not delivered."""

    def __init__(self, position: Position, expected: int, found: int) -> None:
        self.position, self.expected, self.found = position, expected, found
        super().__init__(f"{position.topic}[{position.partition}]: expected offset {expected}, got {found}")


class Engine:
    """Applies runs of records to the database; thread-safe across different partitions."""

    def __init__(
        self,
        pool: ConnectionPool,
        kernels: Kernels,
        topic: str,
        partitions: int,
        *,
        save_every: int = SAVE_EVERY,
        quiet_from: int = QUIET_FROM,
        silent_s: float = SILENT_S,
    ) -> None:
        """Take how many readings of a device may come before what is remembered of it is saved.

        From `quiet_from` devices on that have equally many new readings these go the quiet way. Another worker that is
        in the way, and sends nothing of a statement that it has begun for `silent_s`, loses its session.
        """
        self.session = Session(pool, kernels, partitions, save_every, quiet_from)
        """What its transactions share."""
        self._pool = pool
        self._topic = topic
        self.bounds = Bounds()
        """What one transaction takes on; the database says it more closely when the first partition is opened."""
        self._tries: Counter[tuple[int, StoredUntil]] = Counter()
        """How often a reading alone was too much, by partition and where it stands."""
        self._silent = SilentSessions(silent_s)

    def warm_up(self) -> None:
        """Load the registry ahead of the first partition; a database that is not there yet is asked again later."""
        with contextlib.suppress(psycopg.Error, PoolTimeout), self._pool.connection() as connection:
            self.session.directory(connection, registry_version(connection))

    def close(self) -> None:
        """Give the database's connections back."""
        self._pool.close()

    def open(self, number: int, known: Partition | None = None) -> Partition:
        """Load a partition's offset and all its kernels' memory; `known` itself where nobody has moved it since."""
        position = Position(self._topic, number)
        with self._pool.connection() as connection:
            directory = self.session.directory(connection, registry_version(connection))
            mark, generation = checkpoint.load_mark(connection, position)
            turn = Turn(directory.version, generation)
            if known is not None and (known.mark, known.turn) == (mark, turn):
                return known
            self.bounds = replace(self.bounds, slots=chunks.most_half_days(connection))
            partition = Partition(position, mark, turn, is_new=mark == StoredUntil(0))
            partition.remember(self.session.load_memories(connection, directory, number))
        return partition

    def stored_offsets(self) -> dict[int, int]:
        """Offset of the next record to store, of each partition that any was stored of."""
        with self._pool.connection() as connection:
            return checkpoint.stored_offsets(connection, self._topic)

    def apply(self, partition: Partition, records: Sequence[Record], bounds: Bounds | None = None) -> Outcome:
        """Store a run of records, all of it, once: all transactions of `stored`, and what they did together."""
        total = Outcome(0, 0, 0, 0, 0)
        for outcome in self.stored(partition, records, bounds):
            total = total if outcome is None else total.plus(outcome)
        return total

    def stored(
        self, partition: Partition, records: Sequence[Record], bounds: Bounds | None = None
    ) -> Iterator[Outcome | None]:
        """Store a run of records, one transaction at each step, and tell what it did; skip those below what is stored.

        One transaction stores all of it, or several do where it is more than `bounds` (None: than the engine's own),
        or more than PostgreSQL can take at once. None comes before each transaction that takes much memory: of those
        a process should have one under way at a time.

        Raises GapError where the run begins behind the stored offset or is not contiguous, CheckpointMovedError
        where another worker has stored it (the partition must then be opened again), CheckpointHeldError where
        somebody keeps the partition (it may be tried again as it is), and transient database errors, after which the
        rest of the run may be tried again. A reading that the database or a kernel refuses, or that alone is again and
        again too much for it, is quarantined and the rest of the run stored.
        """
        bounds = bounds or self.bounds
        run = [record for record in records if record.offset >= partition.next_offset]
        for expected, record in enumerate(run, partition.next_offset):
            if record.offset != expected:
                raise GapError(partition.position, expected, record.offset)
        where = f"{partition.position.topic}[{partition.position.partition}]"

        def read(record: Record) -> Batch:
            batch = decode(record, where)
            self.session.look_up(partition, batch)
            return batch

        decoded = lru_cache(maxsize=2)(read)
        is_alone = len(run) == 1
        while run:
            cut = partial(next_part, run, partition.mark, decoded, self.session.newest_of(partition), bounds)
            part = cut()
            if part.rows > LARGE_ROWS:
                del part  # many partitions may wait here
                decoded.cache_clear()
                yield None
                part = cut()
            try:
                outcome = self._store(partition, part, partial(decoded_anew, part, run, partition.mark, read))
            except CheckpointMovedError:
                raise
            except Exception as error:
                if part.readings <= 1 or not (is_too_much(error) or (is_alone and took_too_long(error))):
                    raise
                bounds = replace(bounds, readings=max(1, part.readings // 2))
                decoded.cache_clear()
                log.warning(
                    "too much for one transaction, trying half",
                    partition=partition.position.partition,
                    offset=partition.next_offset,
                    readings=part.readings,
                    error=repr(error),
                )
                continue
            run = run[part.records :]
            del part  # as above: until its next turn a partition keeps no more than the record it is in
            if not partition.mark.readings:
                decoded.cache_clear()
            yield outcome

    def _store(self, partition: Partition, part: Part, anew: Anew) -> Outcome:
        """Store a part of a run, without the readings that are refused.

        A transaction takes odd values out of its readings and rounds them, so each but the first decodes them anew.
        """
        refused: dict[int, str] = {}
        batches: Sequence[Batch] | None = part.batches
        place = (partition.position.partition, partition.mark)
        looks = False
        while True:
            attempt = Transaction(self.session, partition, refused, record_ts=part.record_ts, looks=looks)
            try:
                outcome = attempt.run(batches or anew(), part.stop, None, commit=True)
            except CheckpointMovedError:
                raise
            except Exception as error:
                batches = None
                if isinstance(error, psycopg.errors.UniqueViolation) and not looks:
                    looks = True  # a reading that was taken for new stands already
                    continue
                if is_too_much(error):
                    if part.readings != 1 or not self._is_tried_enough(place):
                        raise
                elif not is_refusal(error):
                    raise
                at = self._first_refused(partition, part, anew, refused)
                if at is None or at in refused:  # even without it: who is told of it can do more than another try
                    raise
                refused[at] = why(error)
                continue
            self._tries.pop(place, None)
            attempt.keep()
            partition.mark = part.stop  # last: with the old one nobody can commit upon memories that are not whole
            return outcome._replace(records=part.records)

    def _is_tried_enough(self, place: tuple[int, StoredUntil]) -> bool:
        """Whether a reading alone has been too much so often that it is not PostgreSQL's hour but the reading."""
        self._tries[place] += 1
        return self._tries[place] >= TRIES

    def _first_refused(self, partition: Partition, part: Part, anew: Anew, refused: dict[int, str]) -> int | None:
        """Find the first reading of a part that makes the transaction fail, by halving; nothing is committed.

        Returns its ordinal in the part, or None where it fails even without any reading.
        """

        def passes(count: int) -> bool:
            try:
                Transaction(self.session, partition, refused, looks=True).run(anew(), part.stop, count, commit=False)
            except CheckpointMovedError:
                raise
            except Exception as error:
                if not (is_refusal(error) or is_too_much(error)):
                    raise
                return False
            return True

        if not passes(0) or passes(part.readings):
            return None
        good, bad = 0, part.readings
        while bad - good > 1:
            middle = (good + bad) // 2
            good, bad = (middle, bad) if passes(middle) else (good, middle)
        return bad - 1

    def record_loss(self, partition: Partition, lost: range, what: str) -> None:
        """Book a range of the log that can no longer be had, and move behind it, in one transaction."""
        with self._pool.connection() as connection, connection.transaction():
            checkpoint.advance(connection, partition.position, expected=partition.mark, new=StoredUntil(lost.stop))
            checkpoint.record_loss(connection, partition.position, lost, what)
        partition.mark = StoredUntil(lost.stop)

    def restart_at(self, partition: Partition, offset: int, what: str) -> None:
        """Follow a log that was replaced under the same name from one of its offsets on, and book that it happened.

        Readings that were stored from the old log are recognised by device and time, so none is doubled.
        """
        with self._pool.connection() as connection, connection.transaction():
            checkpoint.advance(connection, partition.position, expected=partition.mark, new=StoredUntil(offset))
            checkpoint.record_loss(
                connection, partition.position, range(partition.next_offset, partition.next_offset), what
            )
        partition.mark = StoredUntil(offset)

    def end_silent(self) -> None:
        """Somebody else holds a partition of ours: end sessions of workers that have stopped within a statement."""
        try:
            with self._pool.connection() as connection:
                ended = self._silent.end(connection)
        except (psycopg.Error, PoolTimeout) as error:
            log.warning("not known who holds a partition, asking again", error=repr(error))
        else:
            if ended:
                log.warning("ended sessions whose worker stopped in the middle of a statement", pids=ended)

    def note_stuck(self, number: int, offset: int, stuck_s: float, why: str) -> None:
        """Write down that a partition has stood at a record for so long, and why."""
        with self._pool.connection() as connection:
            checkpoint.note_stuck(connection, Position(self._topic, number), offset, stuck_s, why)

    def note_moving(self, number: int) -> None:
        """Take that away."""
        with self._pool.connection() as connection:
            checkpoint.note_moving(connection, Position(self._topic, number))

    def retention_step(self) -> str | None:
        """Take away some of what is older than it is kept, and say what."""
        with self._pool.connection() as connection:
            return retention.step(connection)

    def measure_store(self) -> None:
        """Note how large the database is today."""
        with self._pool.connection() as connection:
            retention.measure(connection)

    def begin(self) -> AbstractContextManager[Connection]:
        """Borrow a connection."""
        return self.session.begin()

    def rebuild(self, number: int, device_ids: Sequence[str], from_ts: int, to_ts: int = FOREVER_TS) -> int:
        """Derive everything of some devices between two moments again, from raw readings; returns rows written.

        With readings behind `to_ts` it is a part: what kernels remember stands until a call goes on from there to
        the end. The partition is held still meanwhile: its worker waits, and then asks again what is remembered. Raises
        LookupError where nothing was ever stored of the partition, KeyError for a device that is not registered.
        """
        partition = Partition(Position(self._topic, number), StoredUntil(0), Turn(0, 0))
        return Transaction(self.session, partition).rebuild(device_ids, from_ts, to_ts)

    def whereabouts(self, site_id: str) -> Partition:
        """The partition of a site, with nothing known of it: for who changes it without being its worker."""
        return Partition(
            Position(self._topic, partition_of(site_id, self.session.partitions)), StoredUntil(0), Turn(0, 0)
        )

    def registered(self, connection: Connection, site_id: str) -> Sequence[Device]:
        """Devices of a site, as the registry stands now."""
        return self.session.directory(connection, registry_version(connection)).site_devices.get(site_id, [])
