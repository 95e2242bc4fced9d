"""One worker's partitions: their records are brought to the engine, again and again until they are stored."""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog
from faust.types import TP

from schemas.words import refusals, standing
from storage.checkpoint import StoredUntil
from storage.errors import CheckpointHeldError, CheckpointMovedError, is_away, is_disk_full, took_too_long
from streams.engine.engine import Engine, GapError
from streams.intake.decode import Record
from streams.worker.backlog import Backlog
from streams.worker.consumer import DatabaseConsumer
from streams.worker.standstill import STUCK_S, Standstill

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence

    import faust

    from streams.engine.partition import Partition
    from streams.engine.parts import Bounds
    from streams.engine.transaction import Outcome
    from streams.worker.figures import WorkerFigures

log = structlog.get_logger(__name__)

CONCURRENT_PARTITIONS = 3
"""Transactions under way at once: while one waits for the database another computes."""
BATCH_RECORDS = 200
"""Records that one transaction has at most, if nothing else is said."""
WAITING_BYTES = 32 * 1024 * 1024
"""Of all partitions together so much waits here at most, and what the last fetch brought; the rest waits in Kafka."""
LEAST_READINGS = 16
"""Of a record that fails again and again no fewer are tried at once: each may have been nobody's fault."""
BACKOFF_S = (0.1, 5.0)
"""First and longest wait before a transaction is tried again."""
LOOK_S = 30.0
"""So often it is looked whether a transaction under way has moved its partition."""


@dataclass(slots=True)
class _Backoff:
    """How long is waited before the next try."""

    wait_s: float = BACKOFF_S[0]

    async def wait(self) -> None:
        """Wait, and the next time for longer."""
        await asyncio.sleep(self.wait_s * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
        self.wait_s = min(2 * self.wait_s, BACKOFF_S[1])


@dataclass(slots=True)
class _Effort:
    """How much of a partition is tried at once, and how long is waited after it has failed."""

    records: int
    bounds: Bounds | None = None
    """None: the engine's own."""
    backoff: _Backoff = field(default_factory=_Backoff)
    left: int = 0
    """So many records are stored with less effort: those among which one failed."""


class _Run(NamedTuple):
    """Records of a partition that are being stored."""

    partition: Partition
    records: list[Record]
    steps: Iterator[Outcome | None]
    first: Outcome | None
    """What the first step did."""


class Shepherd:
    """Brings every partition's records to the engine, in order, until they are stored.

    Partitions wait for each other only for their turn: one whose records are much to compute, or cannot be stored,
    holds up no other. After a rebalance it keeps what it remembers of partitions that stay, and asks the database only
    whether somebody moved them meanwhile: on a busy machine rebalances come in rows, and loading everything anew makes
    them longer.
    """

    def __init__(
        self,
        app: faust.App,
        engine: Engine,
        figures: WorkerFigures,
        *,
        batch_records: int = BATCH_RECORDS,
        stuck_s: float = STUCK_S,
    ) -> None:
        """Take how many records one transaction has at most, and how long a partition may stand before all are told."""
        self._app = app
        self._engine = engine
        self._figures = figures
        self._batch_records = batch_records
        self._look_s = min(LOOK_S, max(1.0, stuck_s))
        self._standstill = Standstill(engine, figures, stuck_s=stuck_s)
        self._partitions: dict[int, Partition] = {}
        self._known: dict[int, Partition] = {}
        """As they were before the last rebalance."""
        self._backlogs: dict[int, Backlog] = {}
        self._tending: list[asyncio.Task[None]] = []
        """One for each backlog, for as long as the worker lives, whoever has the partition."""
        self._most_bytes = WAITING_BYTES
        """So much of one partition waits here at most, and what one fetch brings beyond it."""
        self._opening: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._loading: asyncio.Task[None] | None = None
        self._slots = asyncio.Semaphore(CONCURRENT_PARTITIONS)
        self._large = asyncio.Lock()
        """Whoever has it may begin a transaction that takes much memory."""

    def assign(self, numbers: Sequence[int], on_ready: Callable[[], None]) -> None:
        """Own these partitions from now on; what is remembered of those kept is used again if nobody moved them.

        They are opened beside it, as the consumer sends no heartbeat before the assignment is taken, and loading
        states may last longer than its session; `on_ready` is called then.
        """
        self._known = {
            number: partition for number, partition in (self._known | self._partitions).items() if number in numbers
        }
        self._partitions.clear()
        self.revoke([number for number in self._backlogs if number not in numbers])
        self._most_bytes = WAITING_BYTES // max(1, len(numbers))
        self._standstill.hand_over(numbers)
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

    def revoke(self, numbers: Iterable[int]) -> None:
        """Let go of what waits of some partitions; a transaction that is under way ends as it may."""
        for number in numbers:
            if (backlog := self._backlogs.get(number)) is not None:
                backlog.clear()
        self._count_waiting()

    def stop(self) -> None:
        """Begin nothing more."""
        for task in self._tending:
            task.cancel()

    def has_enough(self, number: int) -> bool:
        """Whether so much of a partition waits that no more of it should be fetched."""
        backlog = self._backlogs.get(number)
        return backlog is not None and backlog.bytes >= self._most_bytes

    def take(self, events: Iterable[faust.EventT[bytes]]) -> None:
        """Take events over: each partition's are stored in order, whatever becomes of the others."""
        for event in events:
            message = event.message
            number = message.partition
            if number not in self._backlogs:
                backlog = self._backlogs[number] = Backlog()
                self._tending.append(asyncio.create_task(self._tend(number, backlog), name=f"partition {number}"))
            self._backlogs[number].add(Record(message.offset, int(message.timestamp * 1000), message.value or b""))
        self._count_waiting()

    def _count_waiting(self) -> None:
        self._figures.waiting_records = sum(map(len, self._backlogs.values()))

    async def _tend(self, number: int, backlog: Backlog) -> None:
        """Store what comes of a partition, run by run, for as long as the worker lives."""
        effort = _Effort(self._batch_records)
        while True:
            await backlog.filled()
            if not backlog:  # filled, and let go of before this task had its turn
                continue
            try:
                effort = await self._next(number, backlog, effort)
            except Exception:  # an error of our own: without this task the partition would stand for ever, in silence
                log.exception("a partition was not tended, going on", partition=number)
                await asyncio.sleep(BACKOFF_S[1])

    async def _next(self, number: int, backlog: Backlog, effort: _Effort) -> _Effort:
        """Store the next run of a partition, or wait where that fails; returns with how much effort to go on."""
        first = StoredUntil(backlog.first_offset)
        try:
            stored = await self._watched(number, first, self._attempt(number, backlog, effort))
        except CheckpointMovedError as moved:
            log.warning("another worker stored this range", partition=number, why=str(moved))
            mark = self._forgotten(number, first)
            if backlog:
                await self._standstill.stands(number, mark, str(moved))
            else:
                self._standstill.forget(number)
        except GapError as gap:
            mark = self._mark(number, StoredUntil(gap.expected))
            await self._standstill.stands(number, mark, standing.NOT_DELIVERED.en)
            await effort.backoff.wait()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
            return await self._fails(number, first, backlog, effort, error)
        else:
            left = effort.left - stored if backlog else 0
            return _Effort(effort.records if left > 0 else self._batch_records, left=left)
        return effort

    async def _fails(
        self, number: int, first: StoredUntil, backlog: Backlog, effort: _Effort, error: Exception
    ) -> _Effort:
        """Have a partition whose transaction failed loaded again, and wait; returns with how much effort to go on.

        Half as many records are tried where that can help: it may be too much for one transaction. PostgreSQL ends one
        whose worker computes for so long that it might be paused; then all that waits is likely to be too much.
        """
        is_full, tried = is_disk_full(error), len(backlog.run(effort.records))
        log.warning(
            standing.DISK_IS_FULL.en if is_full else "transaction failed, trying again",
            partition=number,
            records=tried,
            error=repr(error),
            wait_s=effort.backoff.wait_s,
        )
        mark = self._forgotten(number, first)
        if is_full:
            await self._standstill.note(number, mark, standing.DISK_IS_FULL.en)
        else:
            await self._standstill.stands(number, mark, repr(error))
        await effort.backoff.wait()
        self._figures.retries_total += 1
        if not backlog:
            self._standstill.forget(number)
            return _Effort(self._batch_records)
        if not (is_full or is_away(error)):
            if tried == 1:
                bounds = effort.bounds or self._engine.bounds
                effort.bounds = replace(bounds, readings=max(LEAST_READINGS, bounds.readings // 2))
            effort.records = max(1, tried // 2)
            effort.left = max(effort.left, len(backlog) if took_too_long(error) else tried)
        return effort

    async def _watched(self, number: int, first: StoredUntil, attempt: Coroutine[Any, Any, int]) -> int:
        """Wait for an attempt, and write its partition down where it neither moves it nor fails."""
        self._standstill.begins(number, self._mark(number, first))
        task = asyncio.ensure_future(attempt)
        try:
            while not (await asyncio.wait([task], timeout=self._look_s))[0]:
                await self._standstill.stands(number, self._mark(number, first), standing.UNDER_WAY.en)
            return await task
        finally:
            task.cancel()

    def _mark(self, number: int, first: StoredUntil) -> StoredUntil:
        """Up to where a partition is stored, as far as is known here; `first`: where nothing is."""
        if (partition := self._partitions.get(number)) is not None:
            return partition.mark
        return self._standstill.mark_of(number) or first

    def _forgotten(self, number: int, first: StoredUntil) -> StoredUntil:
        """The same, and have the partition loaded anew with the next attempt."""
        mark = self._mark(number, first)
        self._partitions.pop(number, None)
        return mark

    async def _attempt(self, number: int, backlog: Backlog, effort: _Effort) -> int:
        """Store the first records that wait; returns how many.

        Raises GapError where they do not follow what is stored: then all that waits is fetched again.
        """
        run = await self._begun(number, backlog, effort)
        if run is None:
            self._standstill.forget(number)
            return 0
        partition, records, steps, outcome = run
        while True:
            is_done = partition.next_offset > records[-1].offset
            if outcome is not None:
                self._figures.add(outcome)
            if outcome is not None or is_done:  # all of it may have been stored already
                await self._standstill.moves(number)
            backlog.let_go(partition.next_offset)
            self._count_waiting()
            if is_done:
                return len(records)
            async with nullcontext() if outcome else self._large, self._slots:
                if not backlog:  # let go of meanwhile
                    self._standstill.forget(number)
                    return len(records)
                outcome = await asyncio.to_thread(next, steps, None)

    async def _begun(self, number: int, backlog: Backlog, effort: _Effort) -> _Run | None:
        """Take the first step of a run; None where the records were let go of meanwhile."""
        backoff = _Backoff()
        while True:
            with suppress(CheckpointHeldError):
                async with self._slots:
                    return await self._first_step(number, backlog, effort)
            await asyncio.to_thread(self._engine.end_silent)
            await backoff.wait()  # somebody keeps the partition: others have the place meanwhile

    async def _first_step(self, number: int, backlog: Backlog, effort: _Effort) -> _Run | None:
        if not backlog:  # let go of while it waited for its turn: another worker has the partition
            return None
        partition = await self._opened(number)
        records = backlog.run(effort.records)  # also those that came while this partition waited for its turn
        if not records:
            return None
        await self._check_log(partition, records)
        steps = self._engine.stored(partition, records, effort.bounds)
        try:
            return _Run(partition, records, steps, await asyncio.to_thread(next, steps, None))
        except GapError as gap:
            await self._bridge(number, gap)
            if backlog and backlog.first_offset > gap.expected:  # else what was missing has come meanwhile
                backlog.clear()
                self._count_waiting()
                self._consumer.refetch()
            raise

    async def _bridge(self, number: int, gap: GapError) -> None:
        """Raise CheckpointMovedError where what is missing is stored by now, or lost; else it can be fetched again."""
        # What lies between may have been stored by another worker after this one had asked.
        if (partition := self._partitions.pop(number, None)) is not None:
            self._known[number] = partition
        if (await self._opened(number)).next_offset != gap.expected or await self._is_lost(gap):
            raise CheckpointMovedError(str(gap)) from gap
        log.warning("fetching again", partition=number, expected=gap.expected, delivered=gap.found)

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
            what = refusals.LOG_REPLACED(end=end, stored=partition.next_offset)
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
        await asyncio.to_thread(self._engine.record_loss, self._partitions[number], lost, refusals.LOG_GONE())
        return True

    @property
    def _consumer(self) -> DatabaseConsumer:
        consumer = self._app.consumer
        assert isinstance(consumer, DatabaseConsumer)  # noqa: S101 - `create_app` sees to it
        return consumer
