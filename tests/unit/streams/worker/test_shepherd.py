"""What a shepherd does where a partition's records come too early, cannot be stored, or are let go of."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg_pool import PoolTimeout

from schemas.words.standing import NOT_DELIVERED
from storage.checkpoint import Position, StoredUntil
from storage.errors import CheckpointHeldError
from streams.engine.engine import GapError
from streams.engine.parts import Bounds
from streams.engine.transaction import Outcome
from streams.intake.decode import Record
from streams.worker import shepherd as shepherd_module
from streams.worker.consumer import DatabaseConsumer
from streams.worker.figures import WorkerFigures
from streams.worker.shepherd import CONCURRENT_PARTITIONS, Shepherd
from tests.support.worker.shepherding import event, until

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Sequence

WITHIN_S = 30


class ListedPartition:
    """A partition as far as a shepherd looks at it."""

    def __init__(self, number: int, offset: int) -> None:
        self.position = Position("test", number)
        self.memories: dict[str, object] = {}
        self.mark = StoredUntil(offset)

    @property
    def next_offset(self) -> int:
        """Of the next record to store."""
        return self.mark.offset


class ListingEngine:
    """All that a shepherd asks of an engine; it lists what it was asked for, and fails as often as it is told."""

    bounds = Bounds()

    def __init__(self, stored: int = 0) -> None:
        self.stands_at = stored
        self.failures: list[Exception] = []
        """Of the next transactions, one by one."""
        self.held: set[int] = set()
        """Partitions that somebody else keeps."""
        self.looks = 0
        """How often it was asked to end whoever has stopped in the middle of a statement."""
        self.opened: list[int] = []
        self.loaded = 0
        self.sizes: list[int] = []
        self.stuck: list[tuple[int, str]] = []
        self.on_open: Callable[[], None] = lambda: None

    def open(self, number: int, known: ListedPartition | None = None) -> ListedPartition:
        """A partition as the database has it."""
        self.opened.append(number)
        self.on_open()
        if known is not None and known.next_offset == self.stands_at:
            return known
        self.loaded += 1
        return ListedPartition(number, self.stands_at)

    def end_silent(self) -> None:
        """Nobody is silent."""
        self.looks += 1

    def stored(
        self, partition: ListedPartition, records: Sequence[Record], _bounds: Bounds | None
    ) -> Iterator[Outcome | None]:
        """Store records as one transaction."""
        run = [item for item in records if item.offset >= partition.next_offset]
        if not run:
            return
        if run[0].offset != partition.next_offset:
            raise GapError(partition.position, partition.next_offset, run[0].offset)
        if partition.position.partition in self.held:
            raise CheckpointHeldError
        if self.failures:
            raise self.failures.pop()
        self.sizes.append(len(run))
        self.stands_at = run[-1].offset + 1
        partition.mark = StoredUntil(self.stands_at)
        yield Outcome(len(run), len(run), 0, 0, 0)

    def note_stuck(self, _number: int, offset: int, _stuck_s: float, why: str) -> None:
        """Write down."""
        self.stuck.append((offset, why))

    def note_moving(self, _number: int) -> None:
        """Take it back."""


class CountingConsumer(DatabaseConsumer):
    """Fetches nothing; counts how often it was told to read again."""

    def __init__(self) -> None:
        self.times_asked = 0

    def refetch(self) -> None:
        """Count."""
        self.times_asked += 1

    async def earliest_offsets(self, *partitions: Any) -> Any:  # noqa: ANN401 - as Faust's
        """Everything is still there."""
        return dict.fromkeys(partitions, 0)

    async def highwaters(self, *partitions: Any) -> Any:  # noqa: ANN401 - as Faust's
        """And much is to come."""
        return dict.fromkeys(partitions, 10**9)


class Watched(Shepherd):
    """A shepherd of an engine that lists, and all that is around it."""

    def __init__(self, engine: ListingEngine, *, stuck_s: float = 300.0) -> None:
        self.figures = WorkerFigures()
        self.consumer = CountingConsumer()
        self.listing = engine
        around: Any = SimpleNamespace(consumer=self.consumer)
        listing: Any = engine
        super().__init__(around, listing, self.figures, stuck_s=stuck_s)

    def bring(self, offsets: range, number: int = 0) -> None:
        """Hand records over."""
        self.take([event(Record(offset, 0, bytes(100)), number) for offset in offsets])

    async def rest(self) -> None:
        """Wait until nothing waits."""
        await until(lambda: not self.figures.waiting_records)


def play(shepherd: Watched, scene: Coroutine[Any, Any, None]) -> None:
    """Run a scene to its end."""

    async def run() -> None:
        try:
            await asyncio.wait_for(scene, WITHIN_S)
        finally:
            shepherd.stop()

    asyncio.run(run())


def test_what_was_missing_is_kept_where_it_comes_while_the_database_is_asked() -> None:
    """Let go of, it would be a gap again, and again with each time that it is fetched."""
    shepherd = Watched(engine := ListingEngine(100))

    async def scene() -> None:
        loop = asyncio.get_running_loop()
        await shepherd.open([0])

        def comes() -> None:
            loop.call_soon_threadsafe(shepherd.bring, range(100, 105))

        engine.on_open = comes
        shepherd.bring(range(200, 203))
        await until(lambda: engine.stands_at == 105)
        await shepherd.rest()

    play(shepherd, scene())
    assert shepherd.consumer.times_asked == 0, "nothing is missing any more"


def test_a_partition_that_stands_in_gaps_is_written_down_where_it_stands_and_asks_less_and_less_often() -> None:
    """However far what is delivered lies ahead; and nothing is loaded anew for it, as nobody has moved it."""
    shepherd = Watched(engine := ListingEngine(100), stuck_s=0.3)

    async def scene() -> None:
        offset = 200
        while not engine.stuck:
            shepherd.bring(range(offset, offset + 3))
            offset += 3
            await asyncio.sleep(0.01)
        assert shepherd.figures.stuck_partitions == 1

    play(shepherd, scene())
    assert engine.stuck == [(100, NOT_DELIVERED.en)]
    assert len(engine.opened) <= 6, "at once, after 0.1, 0.2 and 0.4 seconds or half of each"
    assert engine.loaded == 1


@pytest.mark.parametrize(
    "away", [PoolTimeout("none"), psycopg.errors.AdminShutdown("restarted"), psycopg.InterfaceError("closed")]
)
def test_after_a_time_without_a_database_as_much_is_stored_at_once_as_before(
    away: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Less at once would not have helped, and takes many times as long for what has come meanwhile."""
    monkeypatch.setattr(shepherd_module, "BACKOFF_S", (0.0, 0.0))
    shepherd = Watched(engine := ListingEngine())
    engine.failures = [away] * 9

    async def scene() -> None:
        shepherd.bring(range(3_000))
        await shepherd.rest()

    play(shepherd, scene())
    assert engine.sizes == [200] * 15
    assert shepherd.figures.retries_total == 9


def test_what_may_be_too_much_is_stored_with_less_effort_and_no_more_than_that(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hundred were tried, and these are stored by fifties; what came behind them was not tried."""
    monkeypatch.setattr(shepherd_module, "BACKOFF_S", (0.0, 0.0))
    shepherd = Watched(engine := ListingEngine())
    engine.failures = [psycopg.OperationalError("server closed the connection unexpectedly")] * 2

    async def scene() -> None:
        shepherd.bring(range(1_000))
        await shepherd.rest()

    play(shepherd, scene())
    assert engine.sizes == [50] * 4 + [200] * 4


def test_all_that_waits_is_stored_with_less_effort_where_computing_took_too_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The machine is slow: the next two hundred would take a minute, and fail as these did."""
    monkeypatch.setattr(shepherd_module, "BACKOFF_S", (0.0, 0.0))
    shepherd = Watched(engine := ListingEngine())
    engine.failures = [psycopg.errors.IdleInTransactionSessionTimeout("too long")]

    async def scene() -> None:
        shepherd.bring(range(1_000))
        await shepherd.rest()
        shepherd.bring(range(1_000, 1_200))
        await shepherd.rest()

    play(shepherd, scene())
    assert engine.sizes == [100] * 10 + [200]


def test_partitions_that_somebody_else_keeps_leave_their_places_to_the_others() -> None:
    """As many as have a place each; nothing of it counts as a failure, and they go on when they are let."""
    shepherd = Watched(engine := ListingEngine())
    engine.held = {*range(CONCURRENT_PARTITIONS)}

    async def scene() -> None:
        for number in range(CONCURRENT_PARTITIONS + 1):
            shepherd.bring(range(3), number)
        await until(lambda: shepherd.figures.stored_total == 3)
        assert shepherd.figures.waiting_records == 3 * CONCURRENT_PARTITIONS
        await until(lambda: engine.looks >= CONCURRENT_PARTITIONS)
        engine.stands_at = 0
        engine.held = set()
        await shepherd.rest()

    play(shepherd, scene())
    assert shepherd.figures.stored_total == 3 * (CONCURRENT_PARTITIONS + 1)
    assert shepherd.figures.retries_total == 0
    assert engine.loaded == CONCURRENT_PARTITIONS + 1, "what is remembered of them is kept"


def test_a_partition_that_goes_while_it_waits_for_its_turn_is_not_loaded() -> None:
    """Another worker has it; its memory would be kept here for nothing."""
    shepherd = Watched(engine := ListingEngine())

    async def scene() -> None:
        for _ in range(CONCURRENT_PARTITIONS):
            await shepherd._slots.acquire()
        shepherd.bring(range(1), 5)
        await asyncio.sleep(0.01)
        shepherd.revoke([5])
        for _ in range(CONCURRENT_PARTITIONS):
            shepherd._slots.release()
        shepherd.bring(range(1), 6)
        await shepherd.rest()

    play(shepherd, scene())
    assert engine.opened == [6]


def test_a_partition_that_goes_between_two_transactions_of_a_run_begins_no_second_one() -> None:
    """While it waits for its turn at what takes much memory."""
    shepherd = Watched(engine := ListingEngine())
    begun: list[int] = []

    def large(partition: ListedPartition, records: Sequence[Record], _bounds: Bounds | None) -> Iterator[None]:
        begun.append(partition.position.partition)
        yield None
        begun.append(len(records))

    listing: Any = engine
    listing.stored = large

    async def scene() -> None:
        async with shepherd._large:
            shepherd.bring(range(1), 5)
            await until(lambda: bool(begun))
            await asyncio.sleep(0.01)
            shepherd.revoke([5])
        await asyncio.sleep(0.05)

    play(shepherd, scene())
    assert begun == [5]


def test_a_partition_whose_records_are_all_stored_already_does_not_stand() -> None:
    """They were fetched again; after five minutes without another it would be told of as stuck."""
    shepherd = Watched(ListingEngine(100), stuck_s=0.0)

    async def scene() -> None:
        shepherd.bring(range(90, 95))
        await shepherd.rest()
        shepherd._standstill._count()

    play(shepherd, scene())
    assert shepherd.figures.stuck_partitions == 0


def test_records_that_come_and_go_before_they_are_looked_at_cost_their_partition_nothing() -> None:
    """It took this for an error of its own, and stood for five seconds."""
    shepherd = Watched(engine := ListingEngine())

    async def scene() -> None:
        shepherd.bring(range(1))
        await shepherd.rest()
        await asyncio.sleep(0.01)
        shepherd.bring(range(1, 2))
        shepherd.revoke([0])
        await asyncio.sleep(0.01)
        shepherd.bring(range(1, 2))
        await asyncio.wait_for(shepherd.rest(), 3)

    play(shepherd, scene())
    assert engine.sizes == [1, 1]
