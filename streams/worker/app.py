"""The Faust app: it brings records to the transaction engine, again and again until they are stored.

The offset that counts is the one in the database (`streams.worker.consumer`). `take_events` acknowledges what left the
loop body even when it left by an exception, so nothing may ever leave it that way.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import threading
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import faust
import psycopg
import structlog
from faust.types import TP
from psycopg_pool import PoolTimeout

from storage.errors import CheckpointMovedError
from storage.pool import open_pool
from streams.engine.engine import Engine, GapError, Partition
from streams.engine.recompute import Recompute
from streams.installed import installed
from streams.intake.decode import Record
from streams.worker.consumer import DatabaseConsumer, DatabaseTransport
from streams.worker.memory import memory_bytes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence

    from schemas.settings import WorkerSettings
    from streams.engine.transaction import Outcome

log = structlog.get_logger(__name__)

CONCURRENT_PARTITIONS = 3
"""Transactions under way at once: while one waits for the database another computes."""
BACKOFF_S = (0.1, 5.0)
"""First and longest wait before a transaction is tried again."""
RECOMPUTE_POLL_S = 5.0
"""How often requests to recompute are looked for; between two steps the worker rests for as long as a step took."""
STUCK_S = 300.0
"""A partition with records that has not moved for so long is written down for all to see (`stuck_partition`)."""
STOP_S = 10.0
"""How long a worker that was told to stop may take to leave its group."""


@dataclass(slots=True)
class Figures:
    """What a worker has done since it started."""

    transactions_total: int = 0
    records_total: int = 0
    stored_total: int = 0
    duplicate_total: int = 0
    quarantined_total: int = 0
    retries_total: int = 0
    newest_received_ms: int = 0
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
        self.newest_received_ms = max(self.newest_received_ms, outcome.newest_received_ms)

    def as_dict(self) -> dict[str, float]:
        """All of them by name, and the memory this process holds."""
        return asdict(self) | {"memory_bytes": memory_bytes()}


class _Standing(NamedTuple):
    """A record that was tried in vain."""

    offset: int
    since: float
    """By the monotonic clock."""


class Shepherd:
    """Brings every partition's records to the engine, in order, until they are stored."""

    def __init__(self, app: faust.App, engine: Engine, figures: Figures, *, stuck_s: float = STUCK_S) -> None:
        self._app = app
        self._stuck_s = stuck_s
        self._standing: dict[int, _Standing] = {}
        """Partitions whose records were tried in vain, and since when."""
        self._unsure: set[int] = set()
        """Partitions that may be written down as stuck, by this worker or the one before."""
        self._figures = figures
        self._engine = engine
        self._partitions: dict[int, Partition] = {}
        self._slots = asyncio.Semaphore(CONCURRENT_PARTITIONS)

    def forget(self) -> None:
        """Forget every partition: after a rebalance the database is asked again."""
        self._partitions.clear()

    async def open(self, numbers: Sequence[int]) -> None:
        """Load assigned partitions ahead of their first record."""
        started, states = time.monotonic(), 0
        self._unsure.update(numbers)
        for number in numbers:
            # Another call may forget partitions, or open them, while this one waits: it counts what it has opened.
            opened = self._partitions[number] = await asyncio.to_thread(self._engine.open, number)
            states += len(opened.memories)
        log.info("ready", partitions=len(numbers), states=states, seconds=round(time.monotonic() - started, 3))

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
        wait_s, share = BACKOFF_S[0], len(records)
        while records:
            try:
                outcome = await self._attempt(number, records, share)
            except CheckpointMovedError as moved:
                log.warning("another worker stored this range", partition=number, why=str(moved))
                self._partitions.pop(number, None)
                await self._stands(number, records[0].offset, str(moved))
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - leaving the loop would acknowledge what is not stored
                log.warning(
                    "transaction failed, trying again",
                    partition=number,
                    records=share,
                    error=repr(error),
                    wait_s=wait_s,
                )
                at = partition.next_offset if (partition := self._partitions.pop(number, None)) else records[0].offset
                await self._stands(number, at, repr(error))
                await asyncio.sleep(wait_s * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
                wait_s = min(2 * wait_s, BACKOFF_S[1])
                share = max(1, share // 2)
                self._figures.retries_total += 1
            else:
                if outcome is None:
                    await self._stands(number, records[0].offset, "records before this one were not delivered")
                    return False
                await self._moves(number)
                if outcome.records:
                    self._figures.add(outcome)
                records, wait_s = records[share:], BACKOFF_S[0]
        return True

    async def _stands(self, number: int, offset: int, why: str) -> None:
        """Remember that a partition's record was tried in vain; after some minutes write it down for all to see."""
        standing = self._standing.get(number)
        if standing is None or standing.offset != offset:
            standing = self._standing[number] = _Standing(offset, time.monotonic())
        stuck_s = time.monotonic() - standing.since
        if stuck_s < self._stuck_s:
            return
        self._unsure.add(number)
        log.error("partition does not move", partition=number, offset=offset, stuck_s=round(stuck_s), why=why)
        self._figures.stuck_partitions = sum(
            time.monotonic() - each.since >= self._stuck_s for each in self._standing.values()
        )
        with contextlib.suppress(psycopg.Error, PoolTimeout):  # it may be the database itself that is away
            await asyncio.to_thread(self._engine.note_stuck, number, offset, stuck_s, why)

    async def _moves(self, number: int) -> None:
        """Take back what was written of a partition that moves now."""
        if self._standing.pop(number, None) is not None:
            self._figures.stuck_partitions = sum(
                time.monotonic() - each.since >= self._stuck_s for each in self._standing.values()
            )
        if number in self._unsure:
            with contextlib.suppress(psycopg.Error, PoolTimeout):
                await asyncio.to_thread(self._engine.note_moving, number)
                self._unsure.discard(number)

    async def _attempt(self, number: int, records: Sequence[Record], share: int) -> Outcome | None:
        """Store the first `share` records; None where they do not follow what is stored and are fetched again."""
        async with self._slots:
            if number not in self._partitions:
                self._partitions[number] = await asyncio.to_thread(self._engine.open, number)
            partition = self._partitions[number]
            await self._check_log(partition, records)
            try:
                return await asyncio.to_thread(self._engine.apply, partition, records[:share])
            except GapError as error:
                gap = error
            # What lies between may have been stored by another worker after this one had asked.
            self._partitions[number] = await asyncio.to_thread(self._engine.open, number)
            if self._partitions[number].next_offset != gap.expected or await self._is_lost(gap):
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


async def _recompute(app: faust.App, recompute: Recompute) -> None:
    """Do a step whenever there is one, and rest for as long as it took: live work comes first."""
    while not app.should_stop:
        started = time.monotonic()
        progress = None
        try:
            progress = await asyncio.to_thread(recompute.step)
        except Exception as error:  # noqa: BLE001 - live work goes on; the step left nothing behind
            log.warning("recompute step failed, trying again", error=repr(error))
        if progress is not None and progress.is_finished:
            log.info("recomputed", site=progress.site_id, rows=progress.rows_written)
        await app.sleep(RECOMPUTE_POLL_S if progress is None else time.monotonic() - started)


def create_app(
    settings: WorkerSettings, figures: Figures, *, on_ready: Callable[[], None], on_lost: Callable[[], None]
) -> faust.App:
    """Build the worker's Faust app; `on_ready` is called when assigned partitions are loaded."""
    hosts = ";".join(f"kafka://{host}" for host in settings.kafka_bootstrap.split(","))
    app = faust.App(
        settings.worker_group,
        broker=hosts,
        datadir=settings.worker_data_dir,
        store="memory://",
        value_serializer="raw",
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        broker_max_poll_records=500,
        broker_commit_interval=1.0,
        broker_session_timeout=settings.session_timeout_s,
        broker_heartbeat_interval=settings.session_timeout_s / 4,
        stream_wait_empty=False,
    )
    topic = app.topic(settings.kafka_topic, value_type=bytes, value_serializer="raw")
    pool = open_pool(
        str(settings.db_writer_url),
        size=CONCURRENT_PARTITIONS + 2,
        name="worker",
        idle_transaction_s=2 * settings.session_timeout_s,
    )
    engine = Engine(pool, installed(), settings.kafka_topic, settings.kafka_partitions)
    threading.Thread(target=engine.warm_up, daemon=True).start()  # while Kafka makes up its mind
    app.transport = DatabaseTransport(app, settings.kafka_topic, engine.stored_offsets)
    shepherd = Shepherd(app, engine, figures)

    @app.agent(topic, concurrency=1)  # type: ignore[arg-type] # an agent is handed a Stream, whatever StreamT says
    async def store_readings(stream: faust.Stream[bytes]) -> AsyncIterator[None]:
        async for events in stream.take_events(settings.batch_records, within=settings.batch_within_s):
            await shepherd.store(events)
            yield

    @app.task  # type: ignore[untyped-decorator] # Faust types its tasks loosely
    async def recompute_what_is_asked_for() -> None:
        await _recompute(app, Recompute(engine))

    @app.on_partitions_assigned.connect  # type: ignore[arg-type] # the signal is passed by keyword
    async def assigned(_sender: Any, *args: Any, **_: Any) -> None:  # noqa: ANN401 - Faust's signal
        shepherd.forget()
        numbers = sorted(tp.partition for tp in args[0] if tp.topic == settings.kafka_topic)
        try:
            await shepherd.open(numbers)
        except Exception as error:  # noqa: BLE001 - each partition is opened again with its first record
            log.warning("state not loaded yet", error=repr(error))
        else:
            on_ready()

    @app.on_before_shutdown.connect
    async def stopping(*_: Any, **__: Any) -> None:  # noqa: ANN401 - Faust's signal
        # Faust waits for ever where Kafka is gone (its consumer's thread dies of it).
        guard = threading.Timer(STOP_S, _end_now)
        guard.daemon = True
        guard.start()

    @app.on_partitions_revoked.connect  # type: ignore[arg-type] # as above
    async def revoked(_sender: Any, *args: Any, **_: Any) -> None:  # noqa: ANN401 - Faust's signal
        log.info("revoked", partitions=len(args[0]))
        on_lost()
        shepherd.forget()

    return app


def _end_now() -> None:
    """End without Faust's consent: what is not committed in the database will be fetched again."""
    log.warning("not stopped in time, ending", waited_s=STOP_S)
    os._exit(1)


def run_worker(
    settings: WorkerSettings,
    figures: Figures,
    *,
    on_ready: Callable[[], None] = lambda: None,
    on_lost: Callable[[], None] = lambda: None,
) -> None:
    """Run one worker until it is told to stop; blocks."""
    app = create_app(settings, figures, on_ready=on_ready, on_lost=on_lost)
    faust.Worker(app, loglevel="WARNING", redirect_stdouts=False).execute_from_commandline()
