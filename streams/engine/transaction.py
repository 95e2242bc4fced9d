"""What one transaction of the engine writes: raw readings, rows, states, quarantine and books, or nothing.

Only readings the database had not seen are folded, and what a fold has seen is stored with it.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from operator import itemgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from schemas.columns.arrivals import Arrivals
from schemas.kafka.quarantine import Quarantined, Reason
from schemas.topics import Topic
from schemas.words import refusals
from storage import checkpoint, readings, state
from storage.books import ledger, quarantine, set_aside
from storage.books.ledger import UNREGISTERED, Ledger
from storage.registry import registry_version
from streams.engine.derivation import Derivation, Rederivation
from streams.engine.quiet import QuietWays
from streams.intake.admission import Refusal, admit, far_behind, is_old
from streams.intake.candidates import Candidates, Identified, newest_before, quarantined

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psycopg import Connection

    from schemas.readings import Kind
    from schemas.registry import Device
    from storage.checkpoint import StoredUntil, Turn
    from streams.engine.memory import Memory, Moved
    from streams.engine.partition import Partition
    from streams.engine.quiet import Due
    from streams.engine.session import Session
    from streams.engine.shelf import ShelvedMemory
    from streams.intake.admission import Directory
    from streams.intake.batch import Batch


SETTLE_EVERY = 32
"""Transactions of a partition between two times its books are added up."""


class Intake(NamedTuple):
    """A run of records, judged: what the transaction has to write."""

    admitted: dict[Kind, Arrivals]
    quarantined: list[Quarantined]
    received: list[tuple[int, Mapping[str, int]]]
    """(received_ts, counts by device id of the topic) as the collectors counted."""


class Outcome(NamedTuple):
    """What one transaction did."""

    records: int
    stored: int
    duplicate: int
    quarantined: int
    newest_received_ts: int

    def plus(self, other: Outcome) -> Outcome:
        """Both together."""
        return Outcome(
            self.records + other.records,
            self.stored + other.stored,
            self.duplicate + other.duplicate,
            self.quarantined + other.quarantined,
            max(self.newest_received_ts, other.newest_received_ts),
        )


class Transaction:
    """One try at one run: everything inside one database transaction."""

    def __init__(
        self,
        session: Session,
        partition: Partition,
        refused: Mapping[int, str] = MappingProxyType({}),
        *,
        record_ts: int | None = None,
        looks: bool = True,
    ) -> None:
        """Take readings that are refused already, by ordinal, and when the newest record was written.

        `looks`: of each reading whether it stands already; otherwise those are taken for new that are newer than all
        that is remembered of their device, and UniqueViolation is raised where one of them is not.
        """
        self._session = session
        self._record_ms = record_ts
        self._partition = partition
        self._refused = refused
        self._looks = looks
        self._ledger = Ledger()
        self._stored: dict[str, int | None] = {}
        """Time of the newest reading stored before, of devices that sent one from long ago."""
        self._folds = session.folds
        self._moved: Moved = {}
        """What kernels remember once it is committed, where that differs."""
        self._quiet = QuietWays(partition.shelves, session.quiet_from)

    def run(self, batches: Sequence[Batch], stop: StoredUntil, limit: int | None, *, commit: bool) -> Outcome:
        """Write the first `limit` readings of a run (None: all), and commit or, for a trial, roll back."""
        partition = self._partition
        before, is_committed = partition.known(), False
        try:
            with self._session.begin() as connection, connection.transaction(force_rollback=not commit):
                turn = checkpoint.advance(connection, partition.position, expected=partition.mark, new=stop)
                outcome = self._write(connection, self._begin(connection, turn), batches, limit)
            is_committed = commit
        finally:
            if not is_committed:  # what was saved on account of a new registry is not
                partition.know(before)
        return outcome

    def rebuild(self, device_ids: Sequence[str], from_ts: int, to_ts: int) -> int:
        """Derive everything of some devices between two moments again, and commit; returns how many rows it gave."""
        with self._session.begin() as connection, connection.transaction():
            directory = self._session.directory(connection, registry_version(connection))
            devices = [directory.devices[device_id] for device_id in device_ids]
            return self.rebuild_within(connection, Rederivation(devices, from_ts, to_ts))

    def rebuild_within(self, connection: Connection, rederivation: Rederivation) -> int:
        """Do it within a transaction of the caller's.

        Raises LookupError where nothing was ever stored of the partition.
        """
        turn = checkpoint.take_turn(connection, self._partition.position)
        directory = self._session.directory(connection, turn.registry_version)
        sites = {device.site_id for device in (*rederivation.devices, *(rederivation.before or ()))}
        if rederivation.sweep:
            sites.add(rederivation.sweep.site_id)
        entities = [entity_id for site_id in sorted(sites) for entity_id in directory.entities_of(site_id)]
        self._partition.remember(self._session.memories_of(connection, directory, entities))
        derivation = self._derivation(connection, directory)
        derivation.rebuild(rederivation)
        written = derivation.finish()
        self._run_stages(derivation, None)
        self._remember(connection, derivation)
        return written

    def _begin(self, connection: Connection, turn: Turn) -> Directory:
        """Return the registry as of this transaction, and load memory again if it is no longer the partition's own."""
        partition = self._partition
        directory = self._session.directory(connection, turn.registry_version)
        if partition.turn != turn:
            # Somebody rebuilt it; or a device came from another partition, which has seen more of it than we remember.
            if partition.turn.generation == turn.generation:
                self._save_before(connection, directory)
            partition.remember(self._session.load_memories(connection, directory, partition.position.partition))
            partition.looked_up = {}
            partition.turn = turn
        return directory

    def _derivation(self, connection: Connection, directory: Directory) -> Derivation:
        partition, session = self._partition, self._session
        self._quiet = QuietWays(partition.shelves, session.quiet_from)
        return Derivation(connection, session.kernels, directory, partition.memories, self._moved, quiet=self._quiet)

    def _write(
        self, connection: Connection, directory: Directory, batches: Sequence[Batch], limit: int | None
    ) -> Outcome:
        intake = self._judge(connection, directory, batches, limit)
        for received_ts, counts in intake.received:
            self._ledger.hour(received_ts).received.update(_booked(directory, counts))
        derivation = self._derivation(connection, directory)
        stored, duplicate = self._store(connection, directory, intake, derivation)
        for item in intake.quarantined:
            booked = item.device_id if item.device_id in directory.devices else UNREGISTERED
            self._ledger.hour(item.received_ts).quarantined[booked] += 1
        derivation.finish()
        self._run_stages(derivation, self._record_ms, intake.quarantined)
        self._remember(connection, derivation)
        quarantine.add(connection, intake.quarantined)
        self._book(connection)
        newest = max((received_ts for received_ts, _ in intake.received), default=0)
        return Outcome(0, stored, duplicate, len(intake.quarantined), newest)

    def _book(self, connection: Connection) -> None:
        """Write the books, and add them up where it is time."""
        partition = self._partition
        number = partition.position.partition
        ledger.add(connection, number, self._ledger.hours)
        partition.unsettled += 1
        if partition.unsettled >= SETTLE_EVERY:
            partition.unsettled = 0
            ledger.settle(connection, number)

    def _run_stages(self, derivation: Derivation, record_ts: int | None, refused: Sequence[Quarantined] = ()) -> None:
        """Have follow what follows from the rows, and from what was refused."""
        written = derivation.written(self._partition.position, self._session.partitions, record_ts, refused)
        for stage in self._session.kernels.stages:
            stage.run(written)

    def _save_before(self, connection: Connection, directory: Directory) -> None:
        """Save what came of readings under the registry as it was: under the new one they may come to something else.

        What the database has come by otherwise is left: another partition had the device meanwhile.
        """
        here = set(self._session.entities_of(directory, self._partition.position.partition))
        state.carry_on(
            connection,
            [
                self._to_save(name, entity_id, memory)
                for (name, entity_id), memory in self._partition.memories.items()
                if memory is not None and memory.unsaved and entity_id in here
            ],
        )

    def _remember(self, connection: Connection, derivation: Derivation) -> None:
        """Save what kernels remember now, of the entities that were moved and whose turn it is."""
        every = self._session.save_every
        due: list[state.SavedState] = []
        for (name, entity_id), memory in self._moved.items():
            if memory is not None and memory.unsaved >= every:
                due.append(self._to_save(name, entity_id, memory))
                self._moved[name, entity_id] = memory.saved(entity_id, every)
        due += [self._to_save(each.kernel, each.entity_id, each) for each in self._quiet.due(every)]
        state.save(connection, due)
        state.forget(connection, [key for key, memory in self._moved.items() if memory is None])
        state.keep(connection, derivation.snapshots)

    def keep(self) -> None:
        """It is committed: what kernels remember then is what they remember."""
        memories = self._partition.memories
        memories.update(self._moved)
        self._quiet.keep(memories, self._moved)

    def _to_save(self, name: str, entity_id: str, memory: Memory | ShelvedMemory | Due) -> state.SavedState:
        fold = self._folds[name]
        return state.SavedState(entity_id, name, fold.version, memory.last_ts, fold.dump(memory.state))

    def _judge(
        self, connection: Connection, directory: Directory, batches: Sequence[Batch], limit: int | None
    ) -> Intake:
        """Split a run into admitted readings and quarantined ones."""
        intake = Intake({}, [], [])
        found = Identified(directory, self._refused, limit)
        if limit is not None or self._refused:
            batches = [batch.one_by_one() for batch in batches]  # each reading is asked for
        for batch in batches:
            if counts := batch.counted():  # a record without any only says that its partition is silent
                intake.received.append((batch.first_ts, counts))
            found.take(batch)
            if found.is_full:
                break
        refused = found.refused
        for kind, candidates in found.held.items():
            intake.admitted[kind] = self._admitted(connection, directory, candidates, refused)
        intake.quarantined.extend(item for _, item in sorted(refused, key=itemgetter(0)))
        return intake

    def _admitted(
        self,
        connection: Connection,
        directory: Directory,
        candidates: Candidates,
        refused: list[tuple[int, Quarantined]],
    ) -> Arrivals:
        """Hold readings of one kind against the registry: all at once, and one by one those that are odd."""
        devices, arrivals = candidates.devices, candidates.arrivals()
        refusals: dict[int, Refusal] = {}
        suspects = directory.suspects(devices, arrivals)
        for at in suspects:
            admitted = admit(directory, devices[at], arrivals[at])
            if isinstance(admitted, Refusal):
                refusals[at] = admitted
            else:
                arrivals.replace(at, admitted)
        if old := [at for at in suspects if at not in refusals and is_old(arrivals[at])]:
            before = newest_before(arrivals.device_ids, arrivals.block.ts, candidates.messages, refusals)
            for at in old:
                known = [ms for ms in (self._newest_stored(connection, devices[at]), before[at]) if ms is not None]
                if (refusal := far_behind(devices[at], arrivals[at].ts, max(known, default=None))) is not None:
                    refusals[at] = refusal
        if not refusals:
            return arrivals
        for at, refusal in refusals.items():
            topic = Topic(devices[at].site_id, arrivals.kind.value, devices[at].device_id)
            refused.append((candidates.ordinals[at], quarantined(topic, arrivals[at], refusal)))
        return arrivals.of([row for row in range(len(arrivals)) if row not in refusals])

    def _newest_stored(self, connection: Connection, device: Device) -> int | None:
        """Time of a device's newest reading before this transaction."""
        if device.device_id not in self._stored:
            self._stored[device.device_id] = readings.newest_ts(connection, device.kind, device.device_id)
        return self._stored[device.device_id]

    def _store(
        self, connection: Connection, directory: Directory, intake: Intake, derivation: Derivation
    ) -> tuple[int, int]:
        """Store raw readings and feed the new ones to the kernels; returns stored and duplicate counts."""
        stored_count = duplicate_count = 0
        apart: set_aside.Counts = {}
        newest = self._session.newest_of(self._partition)
        for kind, arrivals in intake.admitted.items():
            known = readings.nothing_known if self._looks else partial(newest, kind)
            stored = readings.store(connection, arrivals, known)
            fresh = Arrivals.of_each(kind, stored.fresh)
            stored_count += len(fresh)
            duplicate_count += len(stored.duplicates)
            for received_ts, device_ids in ledger.by_hour(fresh.device_ids, fresh.received_ts).items():
                self._ledger.hour(received_ts).stored.update(device_ids)
            for arrival in stored.duplicates:
                self._ledger.hour(arrival.received_ts).duplicate[arrival.device_id] += 1
            for arrival in stored.conflicts:
                topic = Topic(directory.devices[arrival.device_id].site_id, kind.value, arrival.device_id)
                refusal = Refusal(Reason.CONFLICT, refusals.STORED_ALREADY())
                intake.quarantined.append(quarantined(topic, arrival, refusal))
            set_aside.count(apart, stored)
            derivation.feed(Arrivals.of_each(kind, stored.fed) if stored.completed else fresh)
        set_aside.add(connection, apart)
        return stored_count, duplicate_count


def _booked(directory: Directory, counts: Mapping[str, int]) -> Mapping[str, int]:
    """Counts by the device under which they are booked."""
    if counts.keys() <= directory.devices.keys():
        return counts
    booked: Counter[str] = Counter()
    for device_id, count in counts.items():
        booked[device_id if device_id in directory.devices else UNREGISTERED] += count
    return booked
