"""Bytes a row takes on TimescaleDB: `PG_BIN=… python -m bench.store_size SETS HOURS COPIES`.

Hot, and in the columnstore. Some sets and a steel plant of the simulator go through the engine for some hours. What
stands in the hypertables then is copied for so many more devices, so that no table is measured by its first pages.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import psycopg

from fenhe.commands.reference import load as load_reference
from fenhe.local import Postgres, Services, find_postgres_binaries, scratch_directory
from fenhe.local.postgres import SUPERUSER
from ingest.batches import MicroBatchBuilder, Token
from ingest.judgement import judge
from schemas.registry import Sector
from schemas.time import DAY_MS, HOUR_MS
from simulators.scenes.scene import Scene
from simulators.wire.message import encode
from storage.migrate import migrate
from storage.pool import connect, open_pool
from storage.registry import import_registry
from storage.statements import trusted
from streams.engine.engine import Engine
from streams.installed import installed
from streams.intake.decode import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

STEP_MS = HOUR_MS // 6
RECORD_READINGS = 900
TABLES = "SELECT hypertable_name::text FROM timescaledb_information.hypertables WHERE hypertable_schema = 'public'"
CHUNKS = "SELECT count(*) FROM timescaledb_information.chunks WHERE hypertable_name = %s"
COLUMNS = (
    "SELECT column_name::text FROM information_schema.columns WHERE table_schema = 'public' AND table_name = %s"
    " ORDER BY ordinal_position"
)


def records(scene: Scene, start_ts: int, hours: float) -> Iterator[list[Record]]:
    """What a collector would make of it, every ten minutes."""
    offset = 0
    for now_ts in range(start_ts + STEP_MS, start_ts + round(hours * HOUR_MS) + 1, STEP_MS):
        batch, made = MicroBatchBuilder(now_ts), []
        for message in scene.advance(now_ts):
            judged = judge(message.topic, encode(message), now_ts, max_bytes=262_144)
            if not batch.has_room_for(judged) or batch.readings > RECORD_READINGS:
                made.append(batch)
                batch = MicroBatchBuilder(now_ts)
            batch.add(judged, Token(1, 0), now_ts)
        made.append(batch)
        yield [Record(offset + at, now_ts, each.encode("bench")) for at, each in enumerate(made)]
        offset += len(made)


def copy_devices(connection: psycopg.Connection, table: str, copies: int) -> None:
    """Have every row of a table for so many more devices, or sites."""
    columns = [name for (name,) in connection.execute(COLUMNS, (table,))]
    entity = "device_id" if "device_id" in columns else "site_id"
    values = ", ".join(f"{name} || '-' || n" if name == entity else name for name in columns)
    query = f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table}, generate_series(1, {copies}) n"  # noqa: S608 - own names
    connection.execute(trusted(query))


def measure(connection: psycopg.Connection, table: str) -> str:
    """A line about a table: rows, bytes of one before and after compression, chunks."""

    def ask(query: str) -> int:
        row = connection.execute(trusted(query), (table,)).fetchone()
        assert row is not None  # noqa: S101 - they all give one
        return int(row[0])

    rows = ask(f"SELECT count(*) FROM {table} WHERE %s <> ''")  # noqa: S608 - own names
    if not rows:
        return f"{table}: no rows"
    size = "SELECT total_bytes FROM hypertable_detailed_size(%s::regclass)"
    hot = ask(size)
    connection.execute("SELECT compress_chunk(chunk) FROM show_chunks(%s::regclass) AS chunk", (table,)).fetchall()
    return (
        f"{table}: {rows} rows of {hot / rows:.1f} B, in the columnstore {ask(size) / rows:.1f} B, {ask(CHUNKS)} chunks"
    )


def main() -> None:
    """Fill, copy, and measure."""
    sets, hours, copies = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    start_ts = (time.time_ns() // 10**6 // DAY_MS - 2) * DAY_MS
    scene = Scene(seed=3, start_ts=start_ts, sets=sets, plants={Sector.STEEL: 1})
    binaries = find_postgres_binaries(Services.AUTO)
    with scratch_directory("size") as path, Postgres(path, binaries=binaries) as server:
        url = server.create_database("size")
        migrate(url)
        load_reference(url)
        with connect(url, name="bench") as connection:
            import_registry(connection, scene.registry())
        engine = Engine(open_pool(url, size=2, name="bench"), installed(), "size", 1)
        partition = engine.open(0)
        for each in records(scene, start_ts, hours):
            engine.apply(partition, each)
        engine.close()
        with psycopg.connect(server.url(SUPERUSER, "size"), autocommit=True) as connection:
            connection.execute("SET session_replication_role = replica")
            for (table,) in connection.execute(TABLES).fetchall():
                copy_devices(connection, table, copies)
                sys.stdout.write(measure(connection, table) + "\n")


if __name__ == "__main__":
    main()
