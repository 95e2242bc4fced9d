"""The transaction engine: one batch, one transaction, moved on by compare-and-set.

For one partition and a run of its records, a single PostgreSQL transaction moves the partition's offset from where
this worker believes it is to behind the run, and writes raw readings, quarantine, derived rows, kernel states and
the ledger. It either happens whole or not at all, so a crash, a redelivery, a rebalance or a worker that does not
know it has been replaced can neither lose nor double anything.

Only readings the database had not seen are folded, and what a fold has seen is stored with it. A reading older
than its device's newest sends the kernel back to the raw readings (`storage.readings.recall`), so that any order
of arrival ends in the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.metrics import MeterMinute
from schemas.quarantine import Quarantined, Reason
from schemas.topics import Topic, partition_of
from storage import checkpoint, derived, ledger, quarantine, readings, state
from storage.checkpoint import Position
from storage.errors import CheckpointMovedError, is_refusal
from storage.ledger import UNREGISTERED, Ledger
from storage.readings import Arrival, Question
from storage.registry import load_registry, registry_version
from streams.admission import Directory, Refusal, identify, judge
from streams.decode import Record, decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from contextlib import AbstractContextManager

    from psycopg import Connection
    from psycopg_pool import ConnectionPool

    from schemas.metrics import Row
    from schemas.readings import Kind
    from schemas.record import MicroBatch
    from schemas.registry import Device
    from streams.kernel import Fold
    from streams.kernels import Kernels


class Memory(NamedTuple):
    """What a fold remembers of a device, and how far it has come."""

    last_ts: int
    state: Any


@dataclass(slots=True)
class Partition:
    """What this worker believes of a partition it owns; true only as long as the compare-and-set succeeds."""

    position: Position
    next_offset: int
    registry_version: int
    memories: dict[tuple[str, str], Memory] = field(default_factory=dict)
    """By (kernel, device)."""


class Candidate(NamedTuple):
    """An admitted reading on its way into the transaction."""

    device: Device
    arrival: Arrival


class Intake(NamedTuple):
    """A run of records, judged: what the transaction has to write."""

    candidates: list[Candidate]
    quarantined: list[Quarantined]
    received: list[tuple[str, int, int]]
    """(device id of the topic, received_ms, count) as the collectors counted."""


class Outcome(NamedTuple):
    """What one transaction did."""

    records: int
    stored: int
    duplicate: int
    quarantined: int
    newest_received_ms: int


class GapError(Exception):
    """The records offered begin behind the stored offset: something in between was not delivered."""

    def __init__(self, position: Position, expected: int, found: int) -> None:
        self.position, self.expected, self.found = position, expected, found
        super().__init__(f"{position.topic}[{position.partition}]: expected offset {expected}, got {found}")


class Engine:
    """Applies runs of records to the database; thread-safe across different partitions."""

    def __init__(self, pool: ConnectionPool, kernels: Kernels, topic: str, partitions: int) -> None:
        self._pool = pool
        self._kernels = kernels
        self._topic = topic
        self._partitions = partitions
        self._folds = _by_kind(kernels.folds)
        self._directory: Directory | None = None

    def close(self) -> None:
        """Give the database's connections back."""
        self._pool.close()

    def open(self, number: int) -> Partition:
        """Load a partition's offset and all its kernels' memory."""
        position = Position(self._topic, number)
        with self._pool.connection() as connection:
            directory = self.directory(connection, registry_version(connection))
            partition = Partition(position, checkpoint.load_offset(connection, position), directory.version)
            partition.memories = self.load_memories(connection, directory, number)
        return partition

    def load_memories(self, connection: Connection, directory: Directory, number: int) -> dict[tuple[str, str], Memory]:
        """What the kernels remember of a partition's devices; a state of another version is left to be rebuilt."""
        here = [
            device.device_id
            for site_id, devices in directory.site_devices.items()
            if partition_of(site_id, self._partitions) == number
            for device in devices
        ]
        folds = {fold.name: fold for fold in self._kernels.folds}
        return {
            (item.kernel, item.device_id): Memory(item.last_ts, fold.load(item.state))
            for item in state.load(connection, here)
            if (fold := folds.get(item.kernel)) is not None and fold.version == item.version
        }

    def apply(self, partition: Partition, records: Sequence[Record]) -> Outcome:
        """Store a run of records, all of it, once; records below the stored offset are skipped.

        Raises GapError where the run begins behind the stored offset or is not contiguous, CheckpointMovedError
        where another worker has stored it (the partition must then be opened again), and transient database
        errors, after which the same call may be repeated. A reading that the database or a kernel refuses is
        quarantined and the rest of the run stored.
        """
        run = [record for record in records if record.offset >= partition.next_offset]
        if not run:
            return Outcome(0, 0, 0, 0, 0)
        for expected, record in enumerate(run, partition.next_offset):
            if record.offset != expected:
                raise GapError(partition.position, expected, record.offset)
        where = f"{partition.position.topic}[{partition.position.partition}]"
        batches = [decode(record, where) for record in run]
        refused: dict[int, str] = {}
        while True:
            attempt = _Attempt(self, partition, run[-1].offset + 1, refused)
            try:
                outcome = attempt.run(batches, None, commit=True)
            except CheckpointMovedError:
                raise
            except Exception as error:
                if not is_refusal(error):
                    raise
                at = self._first_refused(partition, run[-1].offset + 1, batches, refused)
                if at is None:
                    raise
                refused[at] = f"{type(error).__name__}: {error}"
                continue
            partition.next_offset = run[-1].offset + 1
            partition.memories.update(attempt.memories)
            return outcome._replace(records=len(run))

    def _first_refused(
        self, partition: Partition, new_offset: int, batches: Sequence[MicroBatch], refused: dict[int, str]
    ) -> int | None:
        """Find the first reading of a run that makes the transaction fail, by halving; nothing is committed.

        Returns its ordinal in the run, or None where it fails even without any reading.
        """

        def passes(count: int) -> bool:
            try:
                _Attempt(self, partition, new_offset, refused).run(batches, count, commit=False)
            except CheckpointMovedError:
                raise
            except Exception as error:
                if not is_refusal(error):
                    raise
                return False
            return True

        total = sum(len(message.readings) for batch in batches for message in batch.messages)
        if not passes(0) or passes(total):
            return None
        good, bad = 0, total
        while bad - good > 1:
            middle = (good + bad) // 2
            good, bad = (middle, bad) if passes(middle) else (good, middle)
        return bad - 1

    def directory(self, connection: Connection, version: int) -> Directory:
        """Return the registry, reloaded if it has moved."""
        if self._directory is None or self._directory.version != version:
            return self._reload_directory(connection)
        return self._directory

    def _reload_directory(self, connection: Connection) -> Directory:
        self._directory = Directory(*load_registry(connection))
        return self._directory

    def record_loss(self, partition: Partition, lost: range, what: str) -> None:
        """Book a range of the log that can no longer be had, and move behind it, in one transaction."""
        with self._pool.connection() as connection, connection.transaction():
            checkpoint.advance(connection, partition.position, expected=partition.next_offset, new=lost.stop)
            checkpoint.record_loss(connection, partition.position, lost, what)
        partition.next_offset = lost.stop

    def restart_at(self, partition: Partition, offset: int, what: str) -> None:
        """Follow a log that was replaced under the same name from one of its offsets on, and book that it happened.

        Readings that were stored from the old log are recognised by device and time, so none is doubled.
        """
        with self._pool.connection() as connection, connection.transaction():
            checkpoint.advance(connection, partition.position, expected=partition.next_offset, new=offset)
            checkpoint.record_loss(
                connection, partition.position, range(partition.next_offset, partition.next_offset), what
            )
        partition.next_offset = offset

    def begin(self) -> AbstractContextManager[Connection]:
        """Borrow a connection."""
        return self._pool.connection()

    def folds_of(self, kind: Kind) -> tuple[Fold, ...]:
        """Kernels that are fed readings of a kind."""
        return self._folds.get(kind, ())

    @property
    def kernels(self) -> Kernels:
        """What is computed."""
        return self._kernels


def _by_kind(folds: Iterable[Fold]) -> dict[Kind, tuple[Fold, ...]]:
    found: dict[Kind, tuple[Fold, ...]] = {}
    for fold in folds:
        for kind in fold.kinds:
            found[kind] = (*found.get(kind, ()), fold)
    return found


class _Attempt:
    """One try at one run: everything inside one transaction."""

    def __init__(self, engine: Engine, partition: Partition, new_offset: int, refused: dict[int, str]) -> None:
        self._engine = engine
        self._partition = partition
        self._new_offset = new_offset
        self._refused = refused
        self._ledger = Ledger()
        self.memories: dict[tuple[str, str], Memory] = {}

    def run(self, batches: Sequence[MicroBatch], limit: int | None, *, commit: bool) -> Outcome:
        """Write the first `limit` readings of a run (None: all), and commit or, for a trial, roll back."""
        with self._engine.begin() as connection, connection.transaction(force_rollback=not commit):
            return self._write(connection, batches, limit)

    def _write(self, connection: Connection, batches: Sequence[MicroBatch], limit: int | None) -> Outcome:
        partition = self._partition
        version = checkpoint.advance(
            connection, partition.position, expected=partition.next_offset, new=self._new_offset
        )
        directory = self._engine.directory(connection, version)
        if partition.registry_version != version:
            # A device may have come from another partition, which has seen more of it than we remember.
            number = partition.position.partition
            partition.memories = self._engine.load_memories(connection, directory, number)
            partition.registry_version = version
        intake = self._judge(directory, batches, limit)
        for device_id, received_ms, count in intake.received:
            booked = device_id if device_id in directory.devices else UNREGISTERED
            self._ledger.entry(booked, received_ms).received += count
        stored, duplicate, rows = self._store(connection, intake)
        for item in intake.quarantined:
            booked = item.device_id if item.device_id in directory.devices else UNREGISTERED
            self._ledger.entry(booked, item.received_ms).quarantined += 1
        with connection.pipeline():  # none of these is waited for before the next is sent
            derived.write(connection, rows)
            state.save(connection, self._saved_states())
            quarantine.add(connection, intake.quarantined)
            ledger.add(connection, partition.position.partition, self._ledger.entries)
        self._write_views(connection, directory, rows)
        newest = max((received_ms for _, received_ms, _ in intake.received), default=0)
        return Outcome(0, stored, duplicate, len(intake.quarantined), newest)

    def _judge(self, directory: Directory, batches: Sequence[MicroBatch], limit: int | None) -> Intake:
        """Split a run into admitted readings and quarantined ones."""
        intake = Intake([], [], [])
        ordinal = 0
        for batch in batches:
            first_ms = min(
                [message.received_ms for message in batch.messages] + [item.received_ms for item in batch.quarantined],
                default=0,
            )
            intake.received.extend((device_id, first_ms, count) for device_id, count in batch.received.items())
            intake.quarantined.extend(batch.quarantined)
            for message in batch.messages:
                found = identify(directory, message.site_id, message.kind, message.device_id)
                for reading in message.readings:
                    if limit is not None and ordinal >= limit:
                        return intake
                    arrival = Arrival(message.device_id, message.received_ms, reading)
                    topic = Topic(message.site_id, message.kind.value, message.device_id)
                    refusal = found if isinstance(found, Refusal) else judge(directory, found, reading)
                    if ordinal in self._refused:
                        refusal = Refusal(Reason.STORAGE_REJECTED, self._refused[ordinal])
                    if refusal is not None:
                        intake.quarantined.append(_quarantined(topic, arrival, refusal))
                    elif not isinstance(found, Refusal):
                        intake.candidates.append(Candidate(found, arrival))
                    ordinal += 1
        return intake

    def _store(self, connection: Connection, intake: Intake) -> tuple[int, int, list[Row]]:
        """Store raw readings and fold the new ones; returns stored and duplicate counts and the derived rows."""
        by_kind: dict[Kind, list[Arrival]] = {}
        devices: dict[str, Device] = {}
        for device, arrival in intake.candidates:
            by_kind.setdefault(device.kind, []).append(arrival)
            devices[device.device_id] = device
        rows: list[Row] = []
        stored_count = duplicate_count = 0
        for kind, arrivals in by_kind.items():
            stored = readings.store(connection, kind, arrivals)
            stored_count += len(stored.fresh)
            duplicate_count += len(stored.duplicates)
            for arrival in stored.fresh:
                self._ledger.entry(arrival.device_id, arrival.received_ms).stored += 1
            for arrival in stored.duplicates:
                self._ledger.entry(arrival.device_id, arrival.received_ms).duplicate += 1
            for arrival in stored.conflicts:
                topic = Topic(devices[arrival.device_id].site_id, kind.value, arrival.device_id)
                refusal = Refusal(Reason.CONFLICT, "another reading with this device and time is stored already")
                intake.quarantined.append(_quarantined(topic, arrival, refusal))
            for fold in self._engine.folds_of(kind):
                rows += self._fold(connection, fold, kind, devices, stored.fresh)
        return stored_count, duplicate_count, rows

    def _saved_states(self) -> list[state.SavedState]:
        """What the folds remember now, of the devices this run has moved."""
        folds = {fold.name: fold for fold in self._engine.kernels.folds}
        return [
            state.SavedState(device_id, name, folds[name].version, memory.last_ts, folds[name].dump(memory.state))
            for (name, device_id), memory in self.memories.items()
        ]

    def _fold(
        self,
        connection: Connection,
        fold: Fold,
        kind: Kind,
        devices: dict[str, Device],
        fresh: Sequence[Arrival],
    ) -> list[Row]:
        """Feed one kernel; `fresh` is ordered by device and device time."""
        rows: list[Row] = []
        by_device: dict[str, list[Arrival]] = {}
        for arrival in fresh:
            by_device.setdefault(arrival.device_id, []).append(arrival)
        late: list[Question] = []
        for device_id, arrivals in by_device.items():
            memory = self._partition.memories.get((fold.name, device_id))
            if memory is None or arrivals[0].reading.ts <= memory.last_ts:
                followed = fold.attributes(memory.state if memory else None, kind)
                late.append(Question(device_id, arrivals[0].reading.ts, followed))
                continue
            after, given = fold.fold(memory.state, devices[device_id], arrivals)
            self.memories[fold.name, device_id] = Memory(arrivals[-1].reading.ts, after)
            rows += given
        if late:
            answers = readings.recall(connection, kind, late, bucket_ms=fold.bucket_ms, lookback_ms=fold.lookback_ms)
            for question, answer in zip(late, answers, strict=True):
                after, given = fold.fold(None, devices[question.device_id], answer.arrivals)
                self.memories[fold.name, question.device_id] = Memory(answer.arrivals[-1].reading.ts, after)
                rows += [row for row in given if row.ts >= answer.changed_from]
        return rows

    def _write_views(self, connection: Connection, directory: Directory, rows: Sequence[Row]) -> None:
        """Compute again what is derived from the minutes that have just changed."""
        changed: dict[str, tuple[int, int]] = {}
        for row in rows:
            if isinstance(row, MeterMinute):
                low, high = changed.get(row.site_id, (row.ts, row.ts))
                changed[row.site_id] = (min(low, row.ts), max(high, row.ts))
        given: list[Row] = []
        for view in self._engine.kernels.views:
            members = {site_id: view.devices(directory.site_devices[site_id]) for site_id in changed}
            spans = [
                derived.Span(device.device_id, changed[site_id][0] - view.reach_ms, changed[site_id][1] + view.reach_ms)
                for site_id, devices in members.items()
                for device in devices
            ]
            minutes = derived.load_minutes(connection, spans)
            for site_id, (low, high) in changed.items():
                of_site = [minute for device in members[site_id] for minute in minutes.get(device.device_id, ())]
                site = directory.sites[site_id]
                given += view.rows(site, members[site_id], of_site, low, high + view.reach_ms)
        derived.write(connection, given)


def _quarantined(topic: Topic, arrival: Arrival, refusal: Refusal) -> Quarantined:
    payload = arrival.reading.model_dump_json(exclude_none=True).encode()
    return Quarantined(
        reason=refusal.reason,
        detail=refusal.detail[:500],
        topic=str(topic),
        site_id=topic.site_id,
        kind=topic.kind,
        device_id=topic.device_id,
        received_ms=arrival.received_ms,
        payload=payload,
        size=len(payload),
    )
