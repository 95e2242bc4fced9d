"""Newer migrations on a database of TimescaleDB that has been at work: chunks, some of them in the columnstore."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from fenhe.local.postgres import SUPERUSER
from schemas.time import MINUTE_MS
from storage import migrate as migrate_module
from storage.books.balance import balance
from storage.migrate import migrate, migrations_for
from storage.pool import connect
from storage.statements import trusted
from tests.support.pipeline import RAW, open_engine, prepare, readings, record, snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fenhe.local import Postgres

BEFORE = 280
"""The last migration of a release: all later ones must find their way about what it has stored."""
SENT = readings(60)


_TABLES = """
SELECT c.table_name, array_agg(c.column_name::text) FROM information_schema.columns c
JOIN information_schema.tables t USING (table_schema, table_name)
WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name <> 'schema_migration'
    AND is_identity = 'NO' AND is_generated = 'NEVER'
GROUP BY 1
"""


def _copy(today_url: str, older_url: str) -> None:
    """Copy all rows of a database into an older one, as far as it has their columns."""
    with psycopg.connect(today_url) as today, psycopg.connect(older_url) as older:
        older.execute("SET session_replication_role = replica")
        has = {table: set(columns) for table, columns in older.execute(_TABLES)}
        older.execute(trusted(f"TRUNCATE {', '.join(has)}"))
        for table, columns in today.execute(_TABLES).fetchall():
            names = ", ".join(sorted(has.get(table, set()) & {*columns}))
            if names:
                query, into = f"COPY (SELECT {names} FROM {table}) TO STDOUT", f"COPY {table} ({names}) FROM STDIN"  # noqa: S608
                with today.cursor().copy(trusted(query)) as rows, older.cursor().copy(trusted(into)) as copied:
                    for row in rows:
                        copied.write(row)


@pytest.fixture
def at_work(postgres: Postgres, own_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database as that release had it, with an hour of readings, all of it compressed."""
    if not postgres.has_timescaledb:
        pytest.skip("plain PostgreSQL has no columnstore")
    prepare(own_url)
    today = open_engine(own_url)
    today.apply(today.open(0), [record(0, SENT)])
    name = own_url.rpartition("/")[2] + "_older"
    url = postgres.create_database(name)
    with monkeypatch.context() as patched:
        older = [step for step in migrations_for("timescaledb") if step.number <= BEFORE]
        patched.setattr(migrate_module, "migrations_for", lambda _engine: older)
        migrate(url)
    _copy(own_url, postgres.url(SUPERUSER, name))
    with connect(url, name="test", autocommit=True) as connection:
        connection.execute(
            "SELECT compress_chunk(chunk) FROM timescaledb_information.hypertables h,"
            " show_chunks(h.hypertable_name::regclass) AS chunk WHERE h.hypertable_schema = 'public'"
        )
        done = connection.execute("SELECT bool_and(is_compressed), count(*) > 9 FROM timescaledb_information.chunks")
        assert done.fetchone() == (True, True)
    yield url
    postgres.drop_database(name)


def test_newer_migrations_take_what_is_compressed_as_it_is(at_work: str, postgres: Postgres) -> None:
    """All rows are as they were, and a worker goes on, also with readings that are late by an hour."""
    before = snapshot(at_work, RAW)
    assert migrate(at_work)[0].startswith(f"{BEFORE + 1:04d}_")
    assert snapshot(at_work, RAW) == before
    engine = open_engine(postgres.url("fenhe_writer", at_work.rpartition("/")[2]))
    later = [item._replace(reading={**item.reading, "ts": item.reading["ts"] + 60 * MINUTE_MS}) for item in SENT]
    late = [item._replace(reading={**item.reading, "ts": item.reading["ts"] + 1}) for item in SENT[5::40]]
    engine.apply(engine.open(0), [record(1, later), record(2, late)])
    with connect(at_work, name="test") as connection:
        books = balance(connection)
    assert (books.closed, books.stored) == (True, 2 * len(SENT) + len(late))
