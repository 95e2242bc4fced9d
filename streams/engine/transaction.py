"""What one transaction of the engine writes: raw readings, rows, states, quarantine and books, or nothing.

Only readings the database had not seen are folded, and what a fold has seen is stored with it.
"""

from __future__ import annotations

from functools import partial
from operator import itemgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from schemas.arrival import Arrival, as_sent
from schemas.aside import NOTHING
from schemas.quarantine import Quarantined, Reason
from schemas.topics import Topic
from storage import checkpoint, readings, state
from storage.blocks import Block
from storage.books import ledger, quarantine, set_aside
from storage.books.ledger import UNREGISTERED, Ledger
from storage.registry import registry_version
from streams.engine.derivation import Again, Derivation
from streams.engine.quiet import QuietWays
from streams.intake.admission import Refusal, admit, far_behind, identify, is_old

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

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


class Candidate(NamedTuple):
    """A registered device's reading, before it is held against the registry."""

    ordinal: int
    device: Device
    arrival: Arrival
    message: int
    """Which one of its run it came in."""


def newest_before(candidates: Sequence[Candidate], refused: Container[int]) -> list[int | None]:
    """Time of each device's newest reading in the messages before a reading's own; what was refused is none.

    Not in its own message: an array may be stored in parts, and then in order of time.
    """
    known: dict[str, tuple[int, int | None, int | None]] = {}
    found: list[int | None] = []
    for at, (_, device, arrival, message) in enumerate(candidates):
        last, before, newest = known.get(device.device_id, (message, None, None))
        if last != message:
            before = newest
        if at not in refused:
            newest = arrival.ts if newest is None else max(newest, arrival.ts)
        known[device.device_id] = (message, before, newest)
        found.append(before)
    return found


class Admitted(NamedTuple):
    """Readings of one kind on their way into the transaction, one by one and as columns."""

    arrivals: list[Arrival]
    block: Block


class Intake(NamedTuple):
    """A run of records, judged: what the transaction has to write."""

    admitted: dict[Kind, Admitted]
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

    def plus(self, other: Outcome) -> Outcome:
        """Both together."""
        return Outcome(
            self.records + other.records,
            self.stored + other.stored,
            self.duplicate + other.duplicate,
            self.quarantined + other.quarantined,
            max(self.newest_received_ms, other.newest_received_ms),
        )


class Transaction:
    """One try at one run: everything inside one database transaction."""

    def __init__(
        self,
        session: Session,
        partition: Partition,
        refused: Mapping[int, str] = MappingProxyType({}),
        *,
        record_ms: int | None = None,
        looks: bool = True,
    ) -> None:
        """Take readings that are refused already, by ordinal, and when the newest record was written.

        `looks`: of each reading whether it stands already; otherwise those are taken for new that are newer than all
        that is remembered of their device, and UniqueViolation is raised where one of them is not.
        """
        self._session = session
        self._record_ms = record_ms
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

    def rebuild(self, device_ids: Sequence[str], from_ms: int, to_ms: int) -> int:
        """Derive everything of some devices between two moments again, and commit; returns how many rows it gave."""
        with self._session.begin() as connection, connection.transaction():
            directory = self._session.directory(connection, registry_version(connection))
            devices = [directory.devices[device_id] for device_id in device_ids]
            return self.rebuild_within(connection, Again(devices, from_ms, to_ms))

    def rebuild_within(self, connection: Connection, again: Again) -> int:
        """Do it within a transaction of the caller's.

        Raises LookupError where nothing was ever stored of the partition.
        """
        turn = checkpoint.take_turn(connection, self._partition.position)
        directory = self._session.directory(connection, turn.registry_version)
        sites = sorted({device.site_id for device in (*again.devices, *(again.before or ()))})
        entities = [entity_id for site_id in sites for entity_id in directory.entities_of(site_id)]
        self._partition.remember(self._session.memories_of(connection, directory, entities))
        derivation = self._derivation(connection, directory)
        derivation.rebuild(again)
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
        for device_id, received_ms, count in intake.received:
            booked = device_id if device_id in directory.devices else UNREGISTERED
            self._ledger.hour(received_ms).received[booked] += count
        derivation = self._derivation(connection, directory)
        stored, duplicate = self._store(connection, directory, intake, derivation)
        for item in intake.quarantined:
            booked = item.device_id if item.device_id in directory.devices else UNREGISTERED
            self._ledger.hour(item.received_ms).quarantined[booked] += 1
        derivation.finish()
        self._run_stages(derivation, self._record_ms, intake.quarantined)
        with connection.pipeline():  # none of these is waited for before the next is sent
            self._remember(connection, derivation)
            quarantine.add(connection, intake.quarantined)
            self._book(connection)
        newest = max((received_ms for _, received_ms, _ in intake.received), default=0)
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

    def _run_stages(self, derivation: Derivation, record_ms: int | None, refused: Sequence[Quarantined] = ()) -> None:
        """Have follow what follows from the rows, and from what was refused."""
        written = derivation.written(self._partition.position, self._session.partitions, record_ms, refused)
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
        refused: list[tuple[int, Quarantined]] = []
        """By ordinal, so that the quarantine has them in the order they came in."""
        held: dict[Kind, list[Candidate]] = {}
        ordinal = number = 0
        for batch in batches:
            first_ms = min(
                [message.received_ms for message in batch.messages] + [item.received_ms for item in batch.quarantined],
                default=0,
            )
            intake.received.extend((device_id, first_ms, count) for device_id, count in batch.received.items())
            refused.extend((ordinal, item) for item in batch.quarantined)
            for message in batch.messages:
                number += 1
                found = identify(directory, message.site_id, message.kind, message.device_id)
                apart = message.set_aside or {}
                for at, reading in enumerate(message.readings):
                    if limit is not None and ordinal >= limit:
                        break
                    arrival = Arrival(message.device_id, message.received_ms, reading, apart.get(at, NOTHING))
                    said = self._refused.get(ordinal)
                    judged = found if said is None else Refusal(Reason.STORAGE_REJECTED, said)
                    if isinstance(judged, Refusal):
                        topic = Topic(message.site_id, message.kind.value, message.device_id)
                        refused.append((ordinal, _quarantined(topic, arrival, judged)))
                    else:
                        held.setdefault(judged.kind, []).append(Candidate(ordinal, judged, arrival, number))
                    ordinal += 1
            if limit is not None and ordinal >= limit:
                break
        for kind, candidates in held.items():
            intake.admitted[kind] = self._admitted(connection, directory, kind, candidates, refused)
        intake.quarantined.extend(item for _, item in sorted(refused, key=itemgetter(0)))
        return intake

    def _admitted(
        self,
        connection: Connection,
        directory: Directory,
        kind: Kind,
        candidates: Sequence[Candidate],
        refused: list[tuple[int, Quarantined]],
    ) -> Admitted:
        """Hold readings of one kind against the registry: all at once, and one by one those that are odd."""
        arrivals = [candidate.arrival for candidate in candidates]
        block = Block(kind, [arrival.reading for arrival in arrivals])
        refusals: dict[int, Refusal] = {}
        suspects = directory.suspects([candidate.device for candidate in candidates], arrivals, block)
        for at in suspects:
            admitted = admit(directory, candidates[at].device, arrivals[at])
            if isinstance(admitted, Refusal):
                refusals[at] = admitted
            else:
                arrivals[at] = admitted
                block.again(at)
        if old := [at for at in suspects if at not in refusals and is_old(arrivals[at])]:
            before = newest_before(candidates, refusals)
            for at in old:
                device = candidates[at].device
                known = [ms for ms in (self._newest_stored(connection, device), before[at]) if ms is not None]
                if (refusal := far_behind(device, arrivals[at].ts, max(known, default=None))) is not None:
                    refusals[at] = refusal
        if not refusals:
            return Admitted(arrivals, block)
        for at, refusal in refusals.items():
            topic = Topic(candidates[at].device.site_id, kind.value, candidates[at].device.device_id)
            refused.append((candidates[at].ordinal, _quarantined(topic, arrivals[at], refusal)))
        rows = [row for row in range(len(arrivals)) if row not in refusals]
        return Admitted([arrivals[row] for row in rows], block.of(rows))

    def _newest_stored(self, connection: Connection, device: Device) -> int | None:
        """Time of a device's newest reading before this transaction."""
        if device.device_id not in self._stored:
            self._stored[device.device_id] = readings.newest_ms(connection, device.kind, device.device_id)
        return self._stored[device.device_id]

    def _store(
        self, connection: Connection, directory: Directory, intake: Intake, derivation: Derivation
    ) -> tuple[int, int]:
        """Store raw readings and feed the new ones to the kernels; returns stored and duplicate counts."""
        stored_count = duplicate_count = 0
        apart: set_aside.Counts = {}
        newest = self._session.newest_of(self._partition)
        for kind, (arrivals, block) in intake.admitted.items():
            known = readings.nothing_known if self._looks else partial(newest, kind)
            stored = readings.store(connection, kind, arrivals, known, block)
            stored_count += len(stored.fresh)
            duplicate_count += len(stored.duplicates)
            for received_ms, device_ids in ledger.by_hour(stored.fresh).items():
                self._ledger.hour(received_ms).stored.update(device_ids)
            for received_ms, device_ids in ledger.by_hour(stored.duplicates).items():
                self._ledger.hour(received_ms).duplicate.update(device_ids)
            for arrival in stored.conflicts:
                topic = Topic(directory.devices[arrival.device_id].site_id, kind.value, arrival.device_id)
                refusal = Refusal(Reason.CONFLICT, "another reading with this device and time is stored already")
                intake.quarantined.append(_quarantined(topic, arrival, refusal))
            set_aside.count(apart, stored)
            derivation.feed(kind, stored.fed, stored.block)
        set_aside.add(connection, apart)
        return stored_count, duplicate_count


def _quarantined(topic: Topic, arrival: Arrival, refusal: Refusal) -> Quarantined:
    payload = as_sent(arrival)
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
