"""Late readings and recomputes that reach into the columnstore of the real TimescaleDB, with the rights of a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from psycopg import errors

from storage import recompute as requests
from storage.pool import connect
from streams.engine.recompute import Recompute
from tests.support.databases import own_database
from tests.support.pipeline import (
    DERIVED,
    MEMORY,
    RAW,
    START_TS,
    alarm_history,
    open_engine,
    prepare,
    readings,
    record,
    save_memories,
    snapshot,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fenhe.local import Postgres

SENT = readings(90)
LATE = SENT[15::17]
ON_TIME = [item for item in SENT if item not in LATE]
TABLES = (*DERIVED, *RAW, *MEMORY)


@pytest.fixture(autouse=True)
def _only_timescaledb(postgres: Postgres) -> None:
    if not postgres.has_timescaledb:
        pytest.skip("plain PostgreSQL has no columnstore")


@pytest.fixture
def ordered_url(postgres: Postgres) -> Iterator[str]:
    """A second database, to compare with: one ordered pass, and no columnstore."""
    with own_database(postgres) as name:
        url = postgres.url("fenhe_owner", name)
        prepare(url)
        engine = open_engine(url)
        engine.apply(engine.open(0), [record(0, SENT)])
        save_memories(engine)
        yield url


def compress(url: str) -> int:
    """Move every chunk to the columnstore, those too that were touched since; returns how many there are."""
    with connect(url, name="test", autocommit=True) as connection:
        connection.execute(
            "SELECT compress_chunk(chunk, recompress => true)"
            " FROM timescaledb_information.hypertables h, show_chunks(h.hypertable_name::regclass) AS chunk"
            " WHERE h.hypertable_schema = 'public'"
        )
        row = connection.execute(
            "SELECT count(*) FILTER (WHERE is_compressed), count(*) FROM timescaledb_information.chunks"
        ).fetchone()
    assert row is not None
    assert row[0] == row[1] > 0
    return int(row[0])


def test_late_readings_and_a_recompute_come_to_one_ordered_pass(
    own_url: str, ordered_url: str, postgres: Postgres
) -> None:
    """Rows, memory and alarms are the same, though all they touch was in the columnstore already."""
    prepare(own_url)
    worker = open_engine(postgres.url("fenhe_writer", own_url.rpartition("/")[2]))
    partition = worker.open(0)
    worker.apply(partition, [record(0, ON_TIME)])
    compress(own_url)
    done = worker.apply(partition, [record(1, LATE)])
    assert (done.stored, done.quarantined) == (len(LATE), 0)
    save_memories(worker)
    assert snapshot(own_url, TABLES) == snapshot(ordered_url, TABLES)
    assert alarm_history(own_url) == alarm_history(ordered_url)
    compress(own_url)
    with connect(own_url, name="test") as connection:
        connection.execute("UPDATE meter_minute SET increment = 7")
        connection.execute("DELETE FROM plant_window")
        connection.execute("DELETE FROM battery_quarter")
        sites = [row[0] for row in connection.execute("SELECT site_id FROM site").fetchall()]
        requests.ask(connection, sites, reason="test", from_ts=START_TS)
    compress(own_url)
    recompute = Recompute(worker)
    while recompute.step() is not None:
        pass
    assert snapshot(own_url) == snapshot(ordered_url)


def test_a_worker_decompresses_as_many_rows_as_it_must(own_url: str, postgres: Postgres) -> None:
    """The extension's limit, 100 000 rows a statement (53400), holds for others, and not for a worker."""
    writer = postgres.url("fenhe_writer", own_url.rpartition("/")[2])
    with connect(own_url, name="test", autocommit=True) as connection:
        connection.execute("SELECT old_chunks('meter_minute', ARRAY[timestamptz '2020-06-01Z'])")
        connection.execute(
            "INSERT INTO meter_minute SELECT 'e-1', 'q' || q, timestamptz '2020-06-01Z' + n * interval '1 minute',"
            " 'plant-1', 1, 1, 'good' FROM generate_series(1, 5) q, generate_series(0, 24999) n"
        )
    assert compress(own_url) == 1
    statement = "UPDATE meter_minute SET increment = increment + 1 WHERE device_id = 'e-1'"
    with connect(own_url, name="test") as connection, pytest.raises(errors.ConfigurationLimitExceeded) as refused:
        connection.execute(statement)
    assert refused.value.sqlstate == "53400"
    with connect(writer, name="test") as connection:
        assert connection.execute(statement).rowcount == 125_000
