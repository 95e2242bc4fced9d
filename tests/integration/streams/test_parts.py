"""What is too much for one transaction: stored in parts, once, whatever PostgreSQL runs out of."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import orjson
import psycopg
import pytest

from fenhe.local.postgres import SUPERUSER
from schemas.kafka.record import encode_envelope, encode_micro_batch
from schemas.quantity import EARLIEST_TS, FAR_BEHIND_MS
from schemas.readings import Kind
from schemas.registry import Device, Registry
from schemas.time import DAY_MS, MINUTE_MS
from storage.books.balance import balance
from storage.checkpoint import StoredUntil
from storage.pool import connect
from storage.registry import import_registry
from streams.engine import engine as engine_module
from streams.engine.parts import Bounds
from streams.intake.decode import Record
from streams.worker.figures import WorkerFigures
from tests.support.databases import own_database
from tests.support.pipeline import (
    MEMORY,
    REGISTRY,
    START_TS,
    Sent,
    open_engine,
    prepare,
    readings,
    record,
    save_memories,
    snapshot,
)
from tests.support.worker.shepherding import event, make_shepherd, store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fenhe.local import Postgres
    from streams.engine.engine import Engine


WITH_HISTORY = Registry(
    sites=REGISTRY.sites,
    devices=[
        device.model_copy(update={"first_day": EARLIEST_TS}) if device.device_id == "e-1" else device
        for device in REGISTRY.devices
    ],
)


@pytest.fixture
def second_url(postgres: Postgres) -> Iterator[str]:
    """A second database, to compare with."""
    with own_database(postgres) as name:
        yield postgres.url("fenhe_owner", name)


def an_array(times: list[int], offset: int = 0) -> Record:
    """One message of one meter: a reading at each of some times."""
    body = orjson.dumps([{"ts": ts, "energy_import_kwh": 1e6 + ts / 1e9} for ts in times])
    envelope = encode_envelope("plant-1", "electricity", "e-1", START_TS, body)
    return Record(offset, START_TS, encode_micro_batch("test", {"e-1": len(times)}, [envelope], []))


def old_and_new(count: int) -> list[Record]:
    """An array of a meter's readings nine days apart, and a minute of its whole partition behind it."""
    times = [START_TS - number * 9 * DAY_MS for number in range(count)]
    return [an_array(times), record(1, [item for item in readings(2) if item.device_id != "e-1"])]


def test_readings_days_apart_in_one_array_are_stored(own_url: str, postgres: Postgres) -> None:
    """A valid array whose readings touch more chunks than PostgreSQL has locks for does not stop its partition.

    Years of them, where the registry says that the meter measured then. On TimescaleDB they open few chunks, and long.
    """
    prepare(own_url, WITH_HISTORY)
    engine = open_engine(own_url)
    partition = engine.open(0)
    done = engine.apply(partition, old_and_new(300))
    assert (done.quarantined, partition.mark) == (0, StoredUntil(2))
    with connect(own_url, name="test") as connection:
        books = balance(connection)
        kept = connection.execute("SELECT count(*) FROM reading_electricity WHERE device_id = 'e-1'").fetchone()
        if postgres.has_timescaledb:
            found: list[tuple[str, int]] = connection.execute(
                "SELECT hypertable_name, count(*) FROM timescaledb_information.chunks GROUP BY 1"
            ).fetchall()
            chunks = dict(found)
            assert chunks["meter_minute"] < 100, "short ones would be more than five thousand"
            assert max(chunks.values()) < 100
    assert (books.closed, books.received, books.stored) == (True, done.stored, done.stored)
    assert kept == (300,)


def test_years_of_readings_of_a_meter_that_was_heard_before_open_nothing(own_url: str) -> None:
    """What lies so far behind its newest reading is quarantined; the rest, and what comes after it, is stored."""
    prepare(own_url)
    engine = open_engine(own_url)
    partition = engine.open(0)
    engine.apply(partition, [record(0, readings(2))])
    newest_ts = START_TS + MINUTE_MS
    times = [START_TS - number * 9 * DAY_MS for number in range(1_000)]
    done = engine.apply(partition, [an_array(times, offset=1)])
    beyond = sum(ts < newest_ts - FAR_BEHIND_MS for ts in times)
    assert (partition.mark, done.quarantined) == (StoredUntil(2), beyond)
    with connect(own_url, name="test") as connection:
        books = balance(connection)
        refused = connection.execute("SELECT reason, count(*) FROM quarantine GROUP BY 1").fetchall()
        oldest = connection.execute("SELECT min(ts) FROM meter_minute").fetchone()
    assert books.closed
    assert refused == [("clock_behind", beyond)]
    assert oldest is not None
    assert oldest[0].timestamp() * 1000 >= newest_ts - FAR_BEHIND_MS


def test_cut_into_parts_anyhow_the_tables_are_the_same(own_url: str, second_url: str) -> None:
    """Whatever bounds a run is cut by, and wherever a crash comes between two parts, the end is one clean pass's."""
    sent = readings(90)
    random.Random(5).shuffle(sent)
    records = [record(at, sent[start : start + 120]) for at, start in enumerate(range(0, len(sent), 120))]
    for url in (own_url, second_url):
        prepare(url)
    engine = open_engine(own_url)
    engine.apply(engine.open(0), records)
    other = open_engine(second_url)
    for number, item in enumerate(records):
        partition = other.open(0)  # as a worker that has just taken over
        other.apply(partition, [item], Bounds(readings=7 + number, slots=1 + number % 3))
    for each in (engine, other):
        save_memories(each)
    tables = (*snapshot(own_url, MEMORY), "ledger", "quarantine")
    assert snapshot(second_url) == snapshot(own_url)
    for table in tables:
        ours, theirs = (snapshot(url, [table])[table] for url in (own_url, second_url))
        if table != "quarantine":  # its rows are numbered in the order they came
            assert theirs == ours, table
        assert len(theirs) == len(ours)


def test_a_worker_that_dies_between_two_parts_of_a_record_is_followed_at_the_next_reading(own_url: str) -> None:
    """The checkpoint says how many readings of a record are stored; another worker's part of it is not stored twice."""
    prepare(own_url)
    item = record(0, readings(20))
    total = len(readings(20))
    engine = open_engine(own_url)
    dying, heir = engine.open(0), engine.open(0)

    def after_the_second(number: int) -> None:
        if number == 3:
            raise KeyboardInterrupt

    _count_transactions(engine, after_the_second)
    with pytest.raises(KeyboardInterrupt):
        engine.apply(dying, [item], Bounds(readings=10))
    with connect(own_url, name="test") as connection:
        assert connection.execute("SELECT next_offset, done_readings FROM checkpoint").fetchall() == [(0, 20)]
        assert balance(connection).closed
    with pytest.raises(Exception, match="stored is not up to"):
        engine.apply(heir, [item], Bounds(readings=10))  # believes that nothing is stored
    engine.apply(engine.open(0), [item], Bounds(readings=10))
    with connect(own_url, name="test") as connection:
        books = balance(connection)
    assert (books.closed, books.received, books.stored, books.duplicate) == (True, total, total, 0)


def _count_transactions(engine: Engine, then: object) -> None:
    """Call `then` with the number of each transaction that begins."""
    begin, count = engine.session.begin, [0]

    def counted() -> object:
        count[0] += 1
        then(count[0])  # type: ignore[operator]
        return begin()

    engine.session.begin = counted  # type: ignore[method-assign, assignment]


def test_devices_added_to_a_running_system_are_no_more_work_than_others(own_url: str) -> None:
    """Of what was never heard there is nothing to rebuild: the first readings of sixty meters are one transaction.

    Where readings stand and nothing is remembered there is, and they are taken apart.
    """
    prepare(own_url)
    engine = open_engine(own_url)
    engine.apply(engine.open(0), [record(0, readings(2))])
    partition = engine.open(0)
    added = [Device(device_id=f"n-{at}", site_id="plant-1", kind=Kind.WATER) for at in range(60)]
    with connect(own_url, name="test") as connection:
        import_registry(connection, Registry(sites=REGISTRY.sites, devices=[*REGISTRY.devices, *added]))

    def heard(ts: int) -> list[Sent]:
        return [Sent("plant-1", Kind.WATER, device.device_id, {"ts": ts, "volume_m3": 5.0}) for device in added]

    engine.apply(partition, [record(1, readings(3)[-2:])])  # the worker hears of the registry
    for offset, ts in enumerate((START_TS, START_TS + MINUTE_MS), 2):
        first = [*engine.stored(partition, [record(offset, heard(ts))])]
        assert [outcome and outcome.stored for outcome in first] == [60]
    with connect(own_url, name="test") as connection:
        connection.execute("DELETE FROM entity_state WHERE entity_id LIKE 'n-%'")
    later = [*engine.stored(engine.open(0), [record(4, heard(START_TS + 2 * MINUTE_MS))])]
    assert len([outcome for outcome in later if outcome]) > 1, "eight days of each are folded again"
    with connect(own_url, name="test") as connection:
        assert balance(connection).closed


REFUSE = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) FROM fresh) > {most} OR EXISTS (SELECT FROM fresh WHERE seq = 13) THEN
        RAISE EXCEPTION 'it is too much' USING ERRCODE = '{state}';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER refuse AFTER INSERT ON reading_production REFERENCING NEW TABLE AS fresh
FOR EACH STATEMENT EXECUTE FUNCTION refuse();
"""


@pytest.mark.parametrize("state", ["53200", "54000", "53400"])
def test_what_postgresql_has_not_enough_for_is_halved_and_at_last_refused(
    own_url: str, postgres: Postgres, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Running out of something is met with smaller transactions; a reading that alone is too much is quarantined."""
    monkeypatch.setattr(engine_module, "TRIES", 4)
    prepare(own_url)
    with psycopg.connect(postgres.url(SUPERUSER, own_url.rpartition("/")[2]), autocommit=True) as connection:
        connection.execute(REFUSE.format(most=9, state=state))
    body = orjson.dumps([{"ts": START_TS + 60_000 * n, "mass_t": float(n), "seq": n} for n in range(60)])
    envelope = encode_envelope("plant-1", "production", "p-1", START_TS, body)
    item = Record(0, START_TS, encode_micro_batch("test", {"p-1": 60}, [envelope], []))
    engine, figures = open_engine(own_url), WorkerFigures()

    async def run() -> None:
        await store(make_shepherd(engine, figures, stuck_s=0.0), figures, [event(item)])

    asyncio.run(asyncio.wait_for(run(), 120))
    with connect(own_url, name="test") as connection:
        books = balance(connection)
        refused = connection.execute("SELECT reason, detail FROM quarantine").fetchall()
        stuck = connection.execute("SELECT * FROM stuck_partition").fetchall()
    assert (books.closed, books.received, books.stored, books.quarantined) == (True, 60, 59, 1)
    assert refused[0][0] == "storage_rejected"
    assert "it is too much" in refused[0][1]
    assert figures.retries_total == 4 - 1
    assert stuck == [], "it has moved on"


def test_a_partition_that_does_not_move_is_written_down_with_its_record(own_url: str, postgres: Postgres) -> None:
    """Partition, offset and error stand in `stuck_partition` while nothing is stored, and are gone afterwards."""
    prepare(own_url)
    database = own_url.rpartition("/")[2]
    with psycopg.connect(postgres.url(SUPERUSER, database), autocommit=True) as connection:
        connection.execute(REFUSE.format(most=0, state="40001"))
    item = record(0, [item for item in readings(20) if item.device_id == "p-1"])
    engine, figures = open_engine(own_url), WorkerFigures()

    async def run() -> list[tuple[object, ...]]:
        shepherd = make_shepherd(engine, figures, stuck_s=0.3)
        storing = asyncio.create_task(store(shepherd, figures, [event(item)]))
        async with await psycopg.AsyncConnection.connect(
            postgres.url(SUPERUSER, database), autocommit=True
        ) as connection:
            rows: list[tuple[object, ...]] = []
            while not rows and not storing.done():
                await asyncio.sleep(0.05)
                found = await connection.execute("SELECT topic, partition, next_offset, error FROM stuck_partition")
                rows = await found.fetchall()
            assert figures.stuck_partitions == 1
            await connection.execute("DROP TRIGGER refuse ON reading_production")
            await storing
        return rows

    rows = asyncio.run(asyncio.wait_for(run(), 120))
    assert [row[:3] for row in rows] == [("test", 0, 0)]
    assert "it is too much" in str(rows[0][3])
    with connect(own_url, name="test") as connection:
        assert connection.execute("SELECT * FROM stuck_partition").fetchall() == []
    assert figures.stuck_partitions == 0
