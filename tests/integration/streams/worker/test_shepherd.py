"""A worker's hand on one partition: what is too much for one transaction is stored in parts."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import faust
import psycopg
import pytest
from pydantic import ValidationError

from fenhe.local.postgres import SUPERUSER
from schemas.readings import Kind
from schemas.settings import WorkerSettings
from schemas.words.standing import UNDER_WAY
from storage.books.balance import balance
from storage.checkpoint import StoredUntil
from storage.pool import connect, open_pool
from streams.engine.engine import Engine
from streams.installed import installed
from streams.worker.app import session_limits
from streams.worker.figures import WorkerFigures
from tests.support.pipeline import START_TS, Sent, open_engine, prepare, record
from tests.support.worker.shepherding import event, make_shepherd, store

if TYPE_CHECKING:
    from fenhe.local import Postgres
    from streams.engine.partition import Partition
    from streams.intake.decode import Record

RECORDS, READINGS = 16, 400
IDLE_S = 0.1
"""A fold of all of them says nothing to PostgreSQL for several times as long, one of a single record for a fifth."""


STUCK = "SELECT partition, next_offset, error, extract(epoch FROM now() - since)::float8 FROM stuck_partition"
REFUSE = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh WHERE seq = 47) THEN
        RAISE EXCEPTION 'not now' USING ERRCODE = '40001';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER refuse AFTER INSERT ON reading_production REFERENCING NEW TABLE AS fresh
FOR EACH STATEMENT EXECUTE FUNCTION refuse();
"""


def test_what_postgresql_gives_up_waiting_for_is_stored_in_parts(own_url: str) -> None:
    """PostgreSQL ends the transaction of a worker that computes for too long; with fewer records it goes through."""
    prepare(own_url)
    cells = [3.35] * 16
    sent = [
        Sent("bs-1", Kind.BATTERY, "b-1", {"ts": START_TS + 60_000 * number, "current_a": 1.5, "cell_voltage_v": cells})
        for number in range(RECORDS * READINGS)
    ]
    events = [event(record(at, sent[at * READINGS : (at + 1) * READINGS])) for at in range(RECORDS)]
    pool = open_pool(own_url, size=3, name="test", idle_transaction_s=IDLE_S)
    engine, figures = Engine(pool, installed(), "test", 1), WorkerFigures()

    async def run() -> None:
        await store(make_shepherd(engine, figures), figures, events)

    asyncio.run(run())
    engine.close()
    with connect(own_url, name="test") as connection:
        books = balance(connection)
    assert (books.closed, books.stored) == (True, len(sent))
    assert (figures.records_total, figures.stored_total) == (RECORDS, len(sent))
    assert figures.retries_total > 0, "it was not too much for one transaction: nothing is shown"
    assert figures.transactions_total > 1


class SlowEngine(Engine):
    """Opens a partition only when it is let."""

    def __init__(self, *args: Any) -> None:  # noqa: ANN401 - as an engine
        super().__init__(*args)
        self.may_open = threading.Event()
        self.begun = threading.Event()

    def open(self, number: int, known: Partition | None = None) -> Partition:
        """Wait, then open."""
        self.begun.set()
        assert self.may_open.wait(30)
        return super().open(number, known)


def test_partitions_that_are_forgotten_while_they_are_opened_do_no_harm(own_url: str) -> None:
    """A rebalance in the middle of opening partitions leaves the worker ready, not with an error."""
    prepare(own_url)
    engine = SlowEngine(open_pool(own_url, size=3, name="test"), installed(), "test", 4)
    shepherd = make_shepherd(engine, WorkerFigures())

    async def run() -> None:
        opening = asyncio.create_task(shepherd.open([0, 1, 2, 3]))
        await asyncio.to_thread(engine.begun.wait, 30)
        ready = asyncio.Event()
        shepherd.assign([2, 3], ready.set)
        engine.may_open.set()
        await opening
        await ready.wait()

    asyncio.run(asyncio.wait_for(run(), 60))
    engine.close()


def test_an_assignment_is_taken_before_its_states_are_loaded(own_url: str) -> None:
    """The consumer sends no heartbeat while it is handed its partitions, so nothing may be waited for there."""
    prepare(own_url)
    engine = SlowEngine(open_pool(own_url, size=3, name="test"), installed(), "test", 1)
    shepherd = make_shepherd(engine, WorkerFigures())

    async def run() -> None:
        ready = asyncio.Event()
        shepherd.assign([0], ready.set)
        await asyncio.to_thread(engine.begun.wait, 30)
        assert not ready.is_set()
        engine.may_open.set()
        await ready.wait()

    asyncio.run(asyncio.wait_for(run(), 60))
    engine.close()


def test_a_rebalance_costs_no_state_that_nobody_moved(own_url: str) -> None:
    """What is remembered of a partition that stays is kept; of one that another worker moved it is loaded anew."""
    prepare(own_url)
    engine, other = (Engine(open_pool(own_url, size=2, name="test"), installed(), "test", 1) for _ in range(2))
    sent = [
        Sent("plant-1", Kind.PRODUCTION, "p-1", {"ts": START_TS + 60_000 * n, "mass_t": float(n)}) for n in range(9)
    ]
    kept = engine.open(0)
    engine.apply(kept, [record(0, sent[:3])])
    assert engine.open(0, kept) is kept
    other.apply(other.open(0), [record(1, sent[3:6])])
    moved = engine.open(0, kept)
    assert moved is not kept
    assert moved.next_offset == 2
    other.rebuild(0, ["p-1"], 0)
    assert engine.open(0, moved) is not moved, "somebody derived it again"
    for each in (engine, other):
        each.close()


def test_a_partition_that_went_to_another_worker_stands_here_no_more() -> None:
    """Neither is it told of as stuck, nor is it at once when it comes back."""
    engine: Any = SimpleNamespace(note_stuck=lambda *_: None, open=lambda *_: SimpleNamespace(memories={}))
    figures = WorkerFigures()
    shepherd = make_shepherd(engine, figures, stuck_s=0.0)

    async def run() -> None:
        for number in (0, 1):
            await shepherd._standstill.stands(number, StoredUntil(5), "not now")
        assert figures.stuck_partitions == 2
        shepherd.assign([1], lambda: None)
        assert figures.stuck_partitions == 1, "the one that stays still stands"
        shepherd.assign([0], lambda: None)
        assert figures.stuck_partitions == 0

    asyncio.run(run())


def test_a_session_of_four_minutes_is_what_an_operator_may_ask_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long session timeout works, Faust's other limits follow it, and one that Kafka refuses is refused at once."""
    for name, value in {"KAFKA_BOOTSTRAP": "127.0.0.1:9", "DB_WRITER_URL": "postgresql://127.0.0.1:9/none"}.items():
        monkeypatch.setenv(f"FENHE_{name}", value)
    monkeypatch.setenv("FENHE_SESSION_TIMEOUT_S", "240")
    conf = faust.App("test", store="memory://", **session_limits(WorkerSettings().session_timeout_s)).conf
    assert conf.broker_session_timeout == 240
    assert conf.broker_request_timeout > 240
    assert conf.broker_rebalance_timeout >= 240
    assert conf.broker_heartbeat_interval <= 3
    monkeypatch.setenv("FENHE_SESSION_TIMEOUT_S", "2000")
    with pytest.raises(ValidationError, match="less than or equal to 1800"):
        WorkerSettings()


def ten_each(count: int) -> list[Record]:
    """Ten readings each, numbered through."""
    sent = [
        Sent("plant-1", Kind.PRODUCTION, "p-1", {"ts": START_TS + 60_000 * n, "mass_t": float(n), "seq": n})
        for n in range(10 * count)
    ]
    return [record(at, sent[10 * at : 10 * at + 10]) for at in range(count)]


async def written_down(
    admin: psycopg.AsyncConnection, storing: asyncio.Task[None], offset: int
) -> tuple[int, int, str, float]:
    """Wait until the partition stands in the table with this record."""
    while True:
        assert not storing.done(), "it was not held up"
        found = await (await admin.execute(STUCK)).fetchall()
        if found and found[0][1] == offset:
            return cast("tuple[int, int, str, float]", found[0])
        await asyncio.sleep(0.1)


def test_the_record_that_holds_a_partition_up_is_named(own_url: str, postgres: Postgres) -> None:
    """Of eight records taken together the fifth cannot be stored: its offset is told, not that of the first."""
    prepare(own_url)
    admin_url = postgres.url(SUPERUSER, own_url.rpartition("/")[2])
    engine, figures = open_engine(own_url), WorkerFigures()
    shepherd = make_shepherd(engine, figures, stuck_s=0.5)

    async def run() -> tuple[int, int, str, float]:
        async with await psycopg.AsyncConnection.connect(admin_url, autocommit=True) as admin:
            await admin.execute(REFUSE)
            storing = asyncio.create_task(store(shepherd, figures, map(event, ten_each(8))))
            found = await written_down(admin, storing, 4)
            await admin.execute("DROP TRIGGER refuse ON reading_production")
            await storing
        return found

    found = asyncio.run(asyncio.wait_for(run(), 240))
    assert found[:2] == (0, 4)
    assert "not now" in found[2]
    with connect(own_url, name="test") as connection:
        books = balance(connection)
        assert connection.execute(STUCK).fetchall() == [], "it has moved on"
    assert (books.closed, books.stored) == (True, 80)


def test_a_transaction_that_neither_ends_nor_fails_is_written_down_too(own_url: str, postgres: Postgres) -> None:
    """Somebody holds a lock for ever: nothing fails, so nothing was told of it; the partition stands all the same."""
    prepare(own_url)
    admin_url = postgres.url(SUPERUSER, own_url.rpartition("/")[2])
    engine, figures = open_engine(own_url), WorkerFigures()
    shepherd = make_shepherd(engine, figures, stuck_s=1.5)

    async def run() -> tuple[int, int, str, float]:
        async with (
            await psycopg.AsyncConnection.connect(admin_url) as holder,
            await psycopg.AsyncConnection.connect(admin_url, autocommit=True) as admin,
        ):
            await store(shepherd, figures, map(event, ten_each(1)))
            await holder.execute("SELECT FROM checkpoint FOR UPDATE")
            storing = asyncio.create_task(store(shepherd, figures, map(event, ten_each(3)[1:])))
            found = await written_down(admin, storing, 1)
            assert figures.stuck_partitions == 1
            await holder.rollback()
            await storing
        return found

    found = asyncio.run(asyncio.wait_for(run(), 240))
    assert found[:3] == (0, 1, UNDER_WAY.en)
    assert found[3] >= 1.5
    with connect(own_url, name="test") as connection:
        assert connection.execute(STUCK).fetchall() == [], "it has moved on"
    assert (figures.stuck_partitions, figures.stored_total, figures.retries_total) == (0, 30, 0)
