"""A partition that does not move is written down with the record that holds it up, whatever that record does."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import faust
import psycopg

from fenhe.local.postgres import SUPERUSER
from schemas.readings import Kind
from storage.books.balance import balance
from storage.pool import connect
from streams.worker.shepherd import UNDER_WAY, Shepherd, WorkerFigures
from tests.support.pipeline import START_MS, Sent, open_engine, prepare, record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fenhe.local import Postgres
    from streams.intake.decode import Record

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


def records(count: int) -> list[Record]:
    """Ten readings each, numbered through."""
    sent = [
        Sent("plant-1", Kind.PRODUCTION, "p-1", {"ts": START_MS + 60_000 * n, "mass_t": float(n), "seq": n})
        for n in range(10 * count)
    ]
    return [record(at, sent[10 * at : 10 * at + 10]) for at in range(count)]


def events(items: Sequence[Record]) -> list[faust.EventT[bytes]]:
    """Records as Faust hands them on."""
    return [
        cast(
            "faust.EventT[bytes]",
            SimpleNamespace(
                message=SimpleNamespace(
                    offset=item.offset, timestamp=item.timestamp_ms / 1000, value=item.value, partition=0
                )
            ),
        )
        for item in items
    ]


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
    shepherd = Shepherd(faust.App("test", store="memory://"), engine, figures, stuck_s=0.5)

    async def run() -> tuple[int, int, str, float]:
        async with await psycopg.AsyncConnection.connect(admin_url, autocommit=True) as admin:
            await admin.execute(REFUSE)
            storing = asyncio.create_task(shepherd.store(events(records(8))))
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
    shepherd = Shepherd(faust.App("test", store="memory://"), engine, figures, stuck_s=1.5)

    async def run() -> tuple[int, int, str, float]:
        async with (
            await psycopg.AsyncConnection.connect(admin_url) as holder,
            await psycopg.AsyncConnection.connect(admin_url, autocommit=True) as admin,
        ):
            await shepherd.store(events(records(3)[:1]))
            await holder.execute("SELECT FROM checkpoint FOR UPDATE")
            storing = asyncio.create_task(shepherd.store(events(records(3)[1:])))
            found = await written_down(admin, storing, 1)
            assert figures.stuck_partitions == 1
            await holder.rollback()
            await storing
        return found

    found = asyncio.run(asyncio.wait_for(run(), 240))
    assert found[:3] == (0, 1, UNDER_WAY)
    assert found[3] >= 1.5
    with connect(own_url, name="test") as connection:
        assert connection.execute(STUCK).fetchall() == [], "it has moved on"
    assert (figures.stuck_partitions, figures.stored_total, figures.retries_total) == (0, 30, 0)
