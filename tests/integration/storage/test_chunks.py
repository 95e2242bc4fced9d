"""Chunks on TimescaleDB: of the old few and long ones, whatever comes in whatever order."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest

from schemas.metrics import MeterMinute, Quality
from schemas.time import DAY_MS, MINUTE_MS
from storage import derived
from storage.pool import connect

if TYPE_CHECKING:
    from fenhe.local import Postgres


@pytest.fixture(autouse=True)
def _only_timescaledb(postgres: Postgres) -> None:
    if not postgres.has_timescaledb:
        pytest.skip("plain PostgreSQL has no chunks")


def test_the_old_is_in_few_long_chunks_and_the_new_in_short_ones(own_url: str, postgres: Postgres) -> None:
    """A row a day over ten years, in any order, written by who has the worker's rights: each is there, none twice."""
    now_ts = int(time.time() * 1000)
    days = list(range(3650))
    random.Random(3).shuffle(days)
    with connect(postgres.url("fenhe_writer", own_url.rpartition("/")[2]), name="test", autocommit=True) as connection:
        for at in range(0, len(days), 500):
            moments = [(now_ts - day * DAY_MS) // MINUTE_MS * MINUTE_MS for day in days[at : at + 500]]
            derived.write(connection, [MeterMinute("e-1", "q", ts, "s", 1.0, 1.0, Quality.GOOD) for ts in moments])
    with connect(own_url, name="test") as connection:
        assert connection.execute("SELECT count(*) FROM meter_minute").fetchone() == (3650,)
        chunks = connection.execute(
            "SELECT extract(epoch FROM range_end - range_start) / 86400, extract(epoch FROM now() - range_end) / 86400"
            " FROM timescaledb_information.chunks WHERE hypertable_name = 'meter_minute'"
        ).fetchall()
    assert len(chunks) < 80
    assert {0.5, 7, 28, 364} >= {float(length) for length, _ in chunks}
    assert all(length <= 0.5 or age >= length for length, age in chunks)


def test_what_short_chunks_have_already_is_left_to_them(own_url: str) -> None:
    """A long chunk is opened between those that stand; where one stands, none is opened."""
    with connect(own_url, name="test", autocommit=True) as connection:
        insert = "INSERT INTO meter_minute SELECT 'e-1', 'q', {}, 's', 1, 1, 'good'"
        connection.execute(insert.format("timestamptz '2020-03-01 12:00Z'"))
        connection.execute(insert.format("timestamptz '2020-09-01 12:00Z'"))
        moments = ["2020-03-01 13:00Z", "2020-03-02 12:00Z", "2020-08-01 12:00Z"]
        opened = connection.execute("SELECT old_chunks('meter_minute', %s::timestamptz[])", (moments,)).fetchone()
        assert opened == (1,)
        connection.execute(insert.format("timestamptz '2020-06-01 12:00Z'"))
        found = connection.execute(
            "SELECT range_end - range_start FROM timescaledb_information.chunks"
            " WHERE hypertable_name = 'meter_minute' ORDER BY range_start"
        ).fetchall()
        assert [row[0].days for row in found] == [0, 183, 0]
        opened = connection.execute("SELECT old_chunks('meter_latest', %s::timestamptz[])", (moments,)).fetchone()
    assert opened == (0,), "no hypertable"


def test_days_of_meters_look_into_no_more_readings_than_they_need(own_url: str, postgres: Postgres) -> None:
    """Forty chunks of readings: calendar days need none, a day of its own those on both sides of its two ends."""
    with connect(own_url, name="test", autocommit=True) as connection:
        connection.execute(
            "INSERT INTO site (site_id, name, name_zh, sector, city, product_unit)"
            " VALUES ('s', 's', 's', 'coking', '长治', 't')"
        )
        connection.execute(
            "INSERT INTO device SELECT id, 's', 'electricity', id, id, 60, 'consumed', detail"
            " FROM (VALUES ('calendar', '{}'::jsonb), ('own', '{\"day_starts\": \"08:00\"}')) d (id, detail)"
        )
        connection.execute(
            "INSERT INTO reading_electricity (device_id, ts, received_at) SELECT 'own', ts, ts"
            " FROM generate_series(timestamptz '2026-03-01Z', '2026-03-20 12:00Z', '12 h') AS ts"
        )
        connection.execute(
            "INSERT INTO meter_quarter SELECT id, 'energy_import_kwh', ts, 's', 1, 0, 1, 1, true, 1, 'estimated'"
            " FROM unnest(ARRAY['calendar', 'own']) AS id,"
            " generate_series(timestamptz '2026-03-03Z', '2026-03-03 23:45Z', '15 min') AS ts"
        )
    reader = postgres.url("fenhe_reader", own_url.rpartition("/")[2])
    for device_id, qualities, chunks in (("calendar", ["estimated", "estimated"], 0), ("own", ["good"], 4)):
        with connect(reader, name="test") as connection:
            days = connection.execute("SELECT quality FROM meter_day WHERE device_id = %s", (device_id,)).fetchall()
            looked_into = connection.execute(
                "SELECT count(DISTINCT relation) FROM pg_locks JOIN pg_inherits ON inhrelid = relation"
                " WHERE pid = pg_backend_pid() AND inhparent::regclass::text LIKE 'reading%'"
            ).fetchone()
        assert [day[0] for day in days] == qualities
        assert looked_into == (chunks,)
