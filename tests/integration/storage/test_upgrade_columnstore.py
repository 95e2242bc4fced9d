"""Newer migrations on a database of TimescaleDB that has been at work: chunks, some of them in the columnstore."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from schemas.time import MINUTE_MS
from storage import migrate as migrate_module
from storage.books.balance import balance
from storage.migrate import migrate, migrations_for
from storage.pool import connect
from storage.registry import import_registry
from tests.support.pipeline import RAW, REGISTRY, open_engine, readings, record, snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fenhe.local import Postgres

BEFORE = 280
"""The last migration of a release: all later ones must find their way about what it has stored."""
SENT = readings(60)


@pytest.fixture
def at_work(postgres: Postgres, own_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database as that release had it, with an hour of readings, all of it compressed."""
    assert own_url  # its migration has made the roles of this server
    if not postgres.has_timescaledb:
        pytest.skip("plain PostgreSQL has no columnstore")
    name = own_url.rpartition("/")[2] + "_older"
    url = postgres.create_database(name)
    with monkeypatch.context() as patched:
        older = [step for step in migrations_for("timescaledb") if step.number <= BEFORE]
        patched.setattr(migrate_module, "migrations_for", lambda _engine: older)
        migrate(url)
    with connect(url, name="test") as connection:
        import_registry(connection, REGISTRY)
    engine = open_engine(url)
    engine.apply(engine.open(0), [record(0, SENT)])
    with connect(url, name="test", autocommit=True) as connection:
        connection.execute(
            "SELECT compress_chunk(chunk) FROM timescaledb_information.hypertables h,"
            " show_chunks(h.hypertable_name::regclass) AS chunk WHERE h.hypertable_schema = 'public'"
        )
        done = connection.execute("SELECT bool_and(is_compressed), count(*) FROM timescaledb_information.chunks")
        assert done.fetchone() == (True, pytest.approx(20, abs=15))
    yield url
    engine.close()
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
