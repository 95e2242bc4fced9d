"""Partitions of one worker wait for each other's turn, and for nothing else."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from fenhe.local.postgres import SUPERUSER
from schemas.readings import Kind
from schemas.topics import partition_of
from storage import checkpoint
from storage.books.balance import balance
from storage.checkpoint import Position, StoredUntil
from storage.pool import connect, open_pool
from streams.engine.engine import Engine
from streams.engine.parts import Bounds
from streams.engine.transaction import Outcome
from streams.installed import installed
from streams.intake.decode import Record
from streams.worker import shepherd as shepherd_module
from streams.worker.figures import WorkerFigures
from streams.worker.shepherd import CONCURRENT_PARTITIONS
from streams.worker.standstill import Standstill
from tests.support.pipeline import START_TS, Sent, prepare, record
from tests.support.worker.shepherding import event, make_shepherd, store, until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fenhe.local import Postgres
    from streams.engine.partition import Partition

PARTITIONS = 3
PLANT, STATION = partition_of("plant-1", PARTITIONS), partition_of("bs-1", PARTITIONS)


async def stored(figures: WorkerFigures, count: int) -> None:
    """Wait until so many readings are stored."""
    await until(lambda: figures.stored_total >= count)


def one_reading(offset: int, *, of_the_plant: bool) -> Record:
    """A record of one reading, a minute after the one before."""
    ts = START_TS + 60_000 * offset
    if of_the_plant:
        return record(offset, [Sent("plant-1", Kind.PRODUCTION, "p-1", {"ts": ts, "mass_t": float(offset)})])
    return record(offset, [Sent("bs-1", Kind.SITE_POWER, "s-1", {"ts": ts, "dc_voltage_v": 53.5})])


def test_a_partition_that_waits_for_a_lock_holds_up_no_other(own_url: str, postgres: Postgres) -> None:
    """Ten takes of the base station are stored while the plant's first record waits, and then the plant's."""
    prepare(own_url)
    engine = Engine(open_pool(own_url, size=5, name="test"), installed(), "test", PARTITIONS)
    figures = WorkerFigures()
    shepherd = make_shepherd(engine, figures)

    async def run() -> None:
        both = [
            event(one_reading(0, of_the_plant=plant), number) for plant, number in ((True, PLANT), (False, STATION))
        ]
        await store(shepherd, figures, both)
        async with await psycopg.AsyncConnection.connect(postgres.url(SUPERUSER, own_url.rpartition("/")[2])) as holder:
            await holder.execute("SELECT FROM checkpoint WHERE partition = %s FOR UPDATE", (PLANT,))
            for offset in range(1, 11):
                shepherd.take([event(one_reading(offset, of_the_plant=True), PLANT)])
                shepherd.take([event(one_reading(offset, of_the_plant=False), STATION)])
                await stored(figures, 2 + offset)
            assert figures.waiting_records == 10
            await holder.rollback()
        await until(lambda: not figures.waiting_records)

    asyncio.run(asyncio.wait_for(run(), 120))
    engine.close()
    with connect(own_url, name="test") as connection:
        books = balance(connection)
    assert (books.closed, books.stored, figures.retries_total) == (True, 22, 0)


def test_a_paused_workers_partition_costs_others_no_place(
    own_url: str, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its transaction has moved the mark and does not commit: who takes the partition over waits without a place.

    There is one place here; with as many such partitions as there are places all others would stand for a minute.
    """
    monkeypatch.setattr(shepherd_module, "CONCURRENT_PARTITIONS", 1)
    prepare(own_url)
    engine = Engine(open_pool(own_url, size=3, name="test"), installed(), "test", PARTITIONS)
    engine.open(PLANT)  # as the worker that is paused has
    figures = WorkerFigures()
    shepherd = make_shepherd(engine, figures)

    async def run() -> None:
        async with await psycopg.AsyncConnection.connect(postgres.url(SUPERUSER, own_url.rpartition("/")[2])) as paused:
            await paused.execute("UPDATE checkpoint SET updated_at = now() WHERE partition = %s", (PLANT,))
            shepherd.take([event(one_reading(0, of_the_plant=True), PLANT)])
            shepherd.take([event(one_reading(0, of_the_plant=False), STATION)])
            await stored(figures, 1)
            assert figures.waiting_records == 1
            await paused.rollback()
        await until(lambda: not figures.waiting_records)

    asyncio.run(asyncio.wait_for(run(), 60))
    engine.close()
    with connect(own_url, name="test") as connection:
        books = balance(connection)
    assert (books.closed, books.stored, figures.retries_total) == (True, 2, 0)


def test_a_worker_paused_in_the_middle_of_a_copy_loses_its_partition_to_its_heir(own_url: str) -> None:
    """No limit of PostgreSQL's ends it; the heir sees that nothing comes any more, ends it, and stores."""
    prepare(own_url)
    engine = Engine(open_pool(own_url, size=3, name="test"), installed(), "test", PARTITIONS, silent_s=1.0)
    position = engine.open(PLANT).position  # as the worker that is paused has
    figures = WorkerFigures()
    shepherd = make_shepherd(engine, figures)

    async def run() -> None:
        await store(shepherd, figures, [event(one_reading(0, of_the_plant=True), PLANT)])

    with connect(own_url, name="test") as paused:
        checkpoint.advance(paused, position, expected=StoredUntil(0), new=StoredUntil(1))
        with pytest.raises(psycopg.OperationalError), paused.cursor().copy("COPY log_loss FROM STDIN"):
            asyncio.run(asyncio.wait_for(run(), 60))
    engine.close()
    assert (figures.stored_total, figures.retries_total) == (1, 0)


class _Stored:
    """A partition as far as a shepherd looks at it."""

    def __init__(self, number: int) -> None:
        self.position = Position("test", number)
        self.memories: dict[str, object] = {}
        self.next_offset = 0

    @property
    def mark(self) -> StoredUntil:
        return StoredUntil(self.next_offset)


class HeavyEngine:
    """All that a shepherd asks of an engine; transactions of some partitions are large, and last until they may end."""

    bounds = Bounds()

    def __init__(self, large: Sequence[int]) -> None:
        self.large = large
        self.may_end = threading.Event()
        self.begun: list[int] = []

    def open(self, number: int, _known: Partition | None = None) -> _Stored:
        """Nothing is stored of it."""
        return _Stored(number)

    def note_moving(self, _number: int) -> None:
        """Nothing was written down."""

    def stored(
        self,
        partition: _Stored,
        records: Sequence[Record],
        _bounds: Bounds | None,
    ) -> Iterator[Outcome | None]:
        """Store records one by one."""
        number = partition.position.partition
        for item in records:
            if number in self.large:
                yield None
                self.begun.append(number)
                assert self.may_end.wait(30)
            partition.next_offset = item.offset + 1
            yield Outcome(1, 1, 0, 0, 0)


def a_record(offset: int, size: int = 100) -> Record:
    """A record of some size."""
    return Record(offset, START_TS, bytes(size))


def test_of_what_takes_much_memory_one_is_under_way_and_others_leave_their_place_to_the_small() -> None:
    """More partitions than may work at once have something large; a small one goes on all the same."""
    large = range(CONCURRENT_PARTITIONS + 2)
    engine: Any = HeavyEngine(large)
    figures = WorkerFigures()
    shepherd = make_shepherd(engine, figures)
    small = CONCURRENT_PARTITIONS + 2

    async def run() -> None:
        shepherd.take([event(a_record(0), number) for number in large])
        for offset in range(20):
            shepherd.take([event(a_record(offset), small)])
            await stored(figures, offset + 1)
        assert len(engine.begun) == 1
        engine.may_end.set()
        await until(lambda: not figures.waiting_records)

    asyncio.run(asyncio.wait_for(run(), 30))
    assert sorted(engine.begun) == [*large]


def test_of_a_partition_that_stands_no_more_is_fetched_than_memory_has_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What waits is bounded by its bytes, partition by partition; one that went to another worker leaves nothing."""
    monkeypatch.setattr(shepherd_module, "WAITING_BYTES", 20_000)
    engine: Any = HeavyEngine([0])
    figures = WorkerFigures()
    shepherd = make_shepherd(engine, figures)

    async def run() -> None:
        shepherd.assign([0, 1], lambda: None)
        shepherd.take([event(a_record(offset, 4_000), 0) for offset in range(2)])
        assert not shepherd.has_enough(0)
        shepherd.take([event(a_record(2, 4_000), 0), event(a_record(0, 4_000), 1)])
        assert shepherd.has_enough(0)
        await until(lambda: figures.waiting_records == 3)
        assert (figures.stored_total, shepherd.has_enough(1)) == (1, False)
        shepherd.assign([1], lambda: None)
        assert (figures.waiting_records, shepherd.has_enough(0)) == (0, False)
        engine.may_end.set()
        shepherd.take([event(a_record(1), 1)])
        await stored(figures, 3)
        await until(lambda: not figures.waiting_records)

    asyncio.run(asyncio.wait_for(run(), 30))
    assert engine.begun == [0], "of what was let go of only the record under way is stored"


def test_after_an_error_of_our_own_a_partition_is_tended_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction fails, and so does what is to be done then: without its task the partition would stand for ever."""
    monkeypatch.setattr(shepherd_module, "BACKOFF_S", (0.0, 0.0))
    engine: Any = HeavyEngine([])
    figures = WorkerFigures()
    stored_then = engine.stored

    def fails_once(*args: Any) -> None:  # noqa: ANN401 - as an engine's
        engine.stored = stored_then
        raise ConnectionError(args)

    def nobody_thought_of(*args: Any) -> None:  # noqa: ANN401 - as an engine's
        raise KeyError(args)

    engine.stored, engine.note_stuck = fails_once, nobody_thought_of

    async def run() -> None:
        events = [event(a_record(offset), 0) for offset in range(3)]
        await store(make_shepherd(engine, figures, stuck_s=0.0), figures, events)

    asyncio.run(asyncio.wait_for(run(), 30))
    assert figures.stored_total == 3


def test_what_is_written_down_while_a_partition_begins_to_move_is_taken_back() -> None:
    """Its transaction ends while it is being written down that it does not: the table says nothing of it then."""
    said: list[str] = []
    may_write, writes = threading.Event(), threading.Event()

    def note_stuck(*_: Any) -> None:  # noqa: ANN401 - as an engine's
        writes.set()
        assert may_write.wait(30)
        said.append("stuck")

    engine: Any = SimpleNamespace(note_stuck=note_stuck, note_moving=lambda _: said.append("moving"))
    standstill = Standstill(engine, WorkerFigures(), stuck_s=0.0)

    async def run() -> None:
        writing = asyncio.create_task(standstill.stands(0, StoredUntil(5), "not now"))
        await asyncio.to_thread(writes.wait, 30)
        moving = asyncio.create_task(standstill.moves(0))
        await asyncio.sleep(0.1)
        may_write.set()
        await asyncio.gather(writing, moving)

    asyncio.run(asyncio.wait_for(run(), 30))
    assert said == ["stuck", "moving"]
