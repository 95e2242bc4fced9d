"""One worker's partitions: their records are brought to the engine, again and again until they are stored."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import defaultdict
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import psycopg
import structlog
from faust.types import TP
from psycopg_pool import PoolTimeout

from storage.checkpoint import StoredUntil
from storage.errors import CheckpointMovedError, is_disk_full
from streams.engine.engine import Engine, GapError
from streams.intake.decode import Record
from streams.worker.consumer import DatabaseConsumer
from streams.worker.memory import memory_bytes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    import faust

    from streams.engine.partition import Partition
    from streams.engine.parts import Bounds
    from streams.engine.transaction import Outcome

log = structlog.get_logger(__name__)

CONCURRENT_PARTITIONS = 3
"""Transactions under way at once: while one waits for the database another computes."""
LEAST_READINGS = 16
"""Of a record that fails again and again no fewer are tried at once: each may have been nobody's fault."""
BACKOFF_S = (0.1, 5.0)
"""First and longest wait before a transaction is tried again."""
DISK_IS_FULL = "the database's disk is full: readings wait in Kafka, nothing is lost; it goes on when there is room"
STUCK_S = 300.0
"""A partition with records that has not moved for so long is written down for all to see (`stuck_partition`)."""
LOOK_S = 30.0
"""So often it is looked whether a transaction under way has moved it."""
UNDER_WAY = "its transaction is still under way: it computes, or waits for its turn or for a lock in the database"


@dataclass(slots=True)
class WorkerFigures:
    """What a worker has done since it started."""

    transactions_total: int = 0
    records_total: int = 0
    stored_total: int = 0
    duplicate_total: int = 0
    quarantined_total: int = 0
    retries_total: int = 0
    newest_received_ts: int = 0
    """Time of arrival of the newest reading stored; its distance from now is the lag."""
    stuck_partitions: int = 0
    """Partitions that have records and have not moved for minutes."""

    def add(self, outcome: Outcome) -> None:
        """Count one transaction."""
        self.transactions_total += 1
        self.records_total += outcome.records
        self.stored_total += outcome.stored
        self.duplicate_total += outcome.duplicate
        self.quarantined_total += outcome.quarantined
        self.newest_received_ts = max(self.newest_received_ts, outcome.newest_received_ts)

    def as_dict(self) -> dict[str, float]:
        """All of them by name, and the memory this process holds."""
        return asdict(self) | {"memory_bytes": memory_bytes()}


class _Standing(NamedTuple):
    """A record that is being tried."""

    mark: StoredUntil
    """Up to where its partition was stored then."""
    since: float
    """By the monotonic clock."""


class Shepherd:
    """Brings every partition's records to the engine, in order, until they are stored.

    After a rebalance it keeps what it remembers of partitions that stay, and asks the database only whether somebody
    moved them meanwhile: on a busy machine rebalances come in rows, and loading everything anew makes them longer.
    """

    def __init__(self, app: faust.App, engine: Engine, figures: WorkerFigures, *, stuck_s: float = STUCK_S) -> None:
        self._app = app
        self._stuck_s = stuck_s
        self._standing: dict[int, _Standing] = {}
        """Partitions whose records are being tried, and since when."""
        self._unsure: set[int] = set()
        """Partitions that may be written down as stuck, by this worker or the one before."""
        self._figures = figures
        self._engine = engine
        self._partitions: dict[int, Partition] = {}
        self._known: dict[int, Partition] = {}
        """As they were before the last rebalance."""
        self._opening: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._loading: asyncio.Task[None] | None = None
        self._slots = asyncio.Semaphore(CONCURRENT_PARTITIONS)

    def assign(self, numbers: Sequence[int], on_ready: Callable[[], None]) -> None:
        """Own these partitions from now on; what is remembered of those kept is used again if nobody moved them.

        They are opened beside it, as the consumer sends no heartbeat before the assignment is taken, and loading
        states may last longer than its session; `on_ready` is called then.
        """
        self._known = {
            number: partition for number, partition in (self._known | self._partitions).items() if number in numbers
        }
        self._partitions.clear()
        # One that went to another worker no longer stands here, and if it comes back begins anew.
        self._standing = {number: standing for number, standing in self._standing.items() if number in numbers}
        self._count_stuck()
        self._unsure.update(numbers)
        if self._loading is not None:
            self._loading.cancel()
        self._loading = asyncio.create_task(self._load(numbers, on_ready))

    async def _load(self, numbers: Sequence[int], on_ready: Callable[[], None]) -> None:
        try:
            await self.open(numbers)
        except Exception as error:  # noqa: BLE001 - each partition is opened again with its first record
            log.warning("state not loaded yet", error=repr(error))
        else:
            on_ready()

    async def open(self, numbers: Sequence[int]) -> None:
        """Load assigned partitions ahead of their first record."""
        started = time.monotonic()
        # Another call may forget partitions, or open them, while this one waits: it counts what it was given.
        states = sum(await asyncio.gather(*(self._count(number) for number in numbers)))
        log.info("ready", partitions=len(numbers), states=states, seconds=round(time.monotonic() - started, 3))

    async def _count(self, number: int) -> int:
        """Load a partition, beside another: while one waits for the database the other is read."""
        async with self._slots:
            return len((await self._opened(number)).memories)

    async def _opened(self, number: int) -> Partition:
        """A partition, loaded once however many ask for it at the same time."""
        async with self._opening[number]:
            found = self._partitions.get(number)
            if found is None:
                found = await asyncio.to_thread(self._engine.open, number, self._known.pop(number, None))
                self._partitions[number] = found
            return found

    async def store(self, events: Sequence[faust.EventT[bytes]]) -> None:
        """Store a take of events; returns only when every partition's share is stored or to be fetched again."""
        by_partition: dict[int, list[Record]] = {}
        for event in events:
            message = event.message
            record = Record(message.offset, int(message.timestamp * 1000), message.value or b"")
            taken = by_partition.setdefault(message.partition, [])
            if taken and record.offset <= taken[-1].offset:
                taken.clear()  # fetched again, from where the database stands
            taken.append(record)
        await asyncio.gather(*(self._store(number, records) for number, records in by_partition.items()))

    async def _store(self, number: int, records: Sequence[Record]) -> None:
        """Store one partition's records, run by run, up to the first that does not follow what is stored."""
        for run in _runs(records):
            if not await self._store_run(number, run):
                return

    async def _store_run(self, number: int, records: Sequence[Record]) -> bool:
        """Store records that follow each other; whether they did follow what is stored.

        In one transaction, or in parts where that fails: it may be too much for one. PostgreSQL ends a transaction
        whose worker computes for so long that it might be paused.
        """
        wait_s, share, bounds = BACKOFF_S[0], len(records), self._engine.bounds
        while records:
            try:
                outcome = await self._watched(number, records, self._attempt(number, records, share, bounds))
            except CheckpointMovedError as moved:
                log.warning("another worker stored this range", partition=number, why=str(moved))
                await self._stands(number, self._forgotten(number, records), str(moved))
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - leaving the loop would acknowledge what is not stored
                is_full = is_disk_full(error)
                log.warning(
                    DISK_IS_FULL if is_full else "transaction failed, trying again",
                    partition=number,
                    records=share,
                    error=repr(error),
                    wait_s=wait_s,
                )
                mark = self._forgotten(number, records)
                if is_full:
                    await self._note(number, mark, DISK_IS_FULL)
                else:
                    await self._stands(number, mark, repr(error))
                await asyncio.sleep(wait_s * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
                wait_s = min(2 * wait_s, BACKOFF_S[1])
                if not is_full:
                    if share == 1:
                        bounds = replace(bounds, readings=max(LEAST_READINGS, bounds.readings // 2))
                    share = max(1, share // 2)
                self._figures.retries_total += 1
            else:
                if outcome is None:
                    mark = StoredUntil(records[0].offset)
                    await self._stands(number, mark, "records before this one were not delivered")
                    return False
                await self._moves(number)
                records, wait_s, bounds = records[share:], BACKOFF_S[0], self._engine.bounds
        return True

    async def _watched(
        self, number: int, records: Sequence[Record], attempt: Awaitable[Outcome | None]
    ) -> Outcome | None:
        """Wait for an attempt, and write its partition down where it neither moves it nor fails."""
        self._standing.setdefault(number, _Standing(self._mark(number, records), time.monotonic()))
        task = asyncio.ensure_future(attempt)
        try:
            while not (await asyncio.wait([task], timeout=min(LOOK_S, max(1.0, self._stuck_s))))[0]:
                await self._stands(number, self._mark(number, records), UNDER_WAY)
            return await task
        finally:
            task.cancel()

    def _mark(self, number: int, records: Sequence[Record]) -> StoredUntil:
        """Up to where a partition is stored, as far as is known here, when these records are to be stored next."""
        first = StoredUntil(records[0].offset)
        if (partition := self._partitions.get(number)) is not None:
            return max(first, partition.mark)
        return standing.mark if (standing := self._standing.get(number)) is not None else first

    def _forgotten(self, number: int, records: Sequence[Record]) -> StoredUntil:
        """The same, and have the partition loaded anew with the next attempt."""
        mark = self._mark(number, records)
        self._partitions.pop(number, None)
        return mark

    async def _stands(self, number: int, mark: StoredUntil, why: str) -> None:
        """Remember that a partition's record was tried in vain; after some minutes write it down for all to see."""
        standing = self._standing.get(number)
        if standing is not None and standing.mark != mark:
            await self._moves(number)
        if self._stood_s(number, mark) >= self._stuck_s:
            await self._note(number, mark, why)

    def _stood_s(self, number: int, mark: StoredUntil) -> float:
        """How long a partition has stood at a record."""
        standing = self._standing.setdefault(number, _Standing(mark, time.monotonic()))
        return time.monotonic() - standing.since

    async def _note(self, number: int, mark: StoredUntil, why: str) -> None:
        """Write down that a partition stands, and why."""
        stuck_s = self._stood_s(number, mark)
        self._unsure.add(number)
        log.error("partition does not move", partition=number, offset=mark.offset, stuck_s=round(stuck_s), why=why)
        self._count_stuck()
        with contextlib.suppress(psycopg.Error, PoolTimeout):  # it may be the database itself that is away
            await asyncio.to_thread(self._engine.note_stuck, number, mark.offset, stuck_s, why)

    def _count_stuck(self) -> None:
        """Tell of how many partitions a record has been tried for too long."""
        now = time.monotonic()
        self._figures.stuck_partitions = sum(now - each.since >= self._stuck_s for each in self._standing.values())

    async def _moves(self, number: int) -> None:
        """Take back what was written of a partition that moves now."""
        if self._standing.pop(number, None) is not None:
            self._count_stuck()
        if number in self._unsure:
            with contextlib.suppress(psycopg.Error, PoolTimeout):
                await asyncio.to_thread(self._engine.note_moving, number)
                self._unsure.discard(number)

    async def _attempt(self, number: int, records: Sequence[Record], share: int, bounds: Bounds) -> Outcome | None:
        """Store the first `share` records; None where they do not follow what is stored and are fetched again."""
        async with self._slots:
            partition = await self._opened(number)
            await self._check_log(partition, records)
            done: list[Outcome] = []
            try:
                return await asyncio.to_thread(self._engine.apply, partition, records[:share], bounds, done)
            except GapError as error:
                gap = error
            finally:
                for outcome in done:
                    self._figures.add(outcome)
            # What lies between may have been stored by another worker after this one had asked.
            self._partitions.pop(number, None)
            if (await self._opened(number)).next_offset != gap.expected or await self._is_lost(gap):
                raise CheckpointMovedError(str(gap)) from gap
        log.warning("fetching again", partition=number, expected=gap.expected, delivered=gap.found)
        self._consumer.read_again()
        return None

    async def _check_log(self, partition: Partition, records: Sequence[Record]) -> None:
        """A log that ends before what is stored of it has been replaced; then its offsets start anew."""
        if records[-1].offset >= partition.next_offset:
            return
        tp = TP(*partition.position)
        # Asked of the broker: what the consumer knows is as old as its last fetch, and a worker that was paused
        # would take what its heir stored meanwhile for another log.
        end = (await self._app.consumer.highwaters(tp))[tp]
        if end < partition.next_offset:
            log.error("log replaced", partition=tp.partition, stored=partition.next_offset, end=end)
            what = f"log replaced: it ends at {end}, {partition.next_offset} was stored; starting at its beginning"
            start = (await self._app.consumer.earliest_offsets(tp))[tp]
            await asyncio.to_thread(self._engine.restart_at, partition, start, what)

    async def _is_lost(self, gap: GapError) -> bool:
        """Whether the log no longer holds what is missing; that is booked then."""
        number, tp = gap.position.partition, TP(*gap.position)
        earliest = (await self._app.consumer.earliest_offsets(tp))[tp]
        if earliest <= gap.expected:
            return False
        log.error("records lost", partition=number, first=gap.expected, last=earliest - 1)
        lost = range(gap.expected, earliest)
        await asyncio.to_thread(self._engine.record_loss, self._partitions[number], lost, "gone from the log")
        return True

    @property
    def _consumer(self) -> DatabaseConsumer:
        consumer = self._app.consumer
        assert isinstance(consumer, DatabaseConsumer)  # noqa: S101 - `create_app` sees to it
        return consumer


def _runs(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    """Cut records where one does not follow the one before."""
    start = 0
    for at in range(1, len(records)):
        if records[at].offset != records[at - 1].offset + 1:
            yield records[start:at]
            start = at
    yield records[start:]
