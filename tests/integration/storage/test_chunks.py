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
    now_ms = int(time.time() * 1000)
    days = list(range(3650))
    random.Random(3).shuffle(days)
    with connect(postgres.url("fenhe_writer", own_url.rpartition("/")[2]), name="test", autocommit=True) as connection:
        for at in range(0, len(days), 500):
            moments = [(now_ms - day * DAY_MS) // MINUTE_MS * MINUTE_MS for day in days[at : at + 500]]
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
