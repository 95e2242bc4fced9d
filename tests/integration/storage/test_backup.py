"""The drill: a database is lost, and comes back as it was at a moment; the log brings what is missing since."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from fenhe.local import Postgres, find_postgres_binaries, wait_until
from fenhe.local.postgres import OWNER, SUPERUSER
from storage.books.balance import balance
from storage.pool import connect
from tests.fixtures.services import wanted_services
from tests.support.pipeline import DERIVED, MEMORY, RAW, open_engine, prepare, readings, record, snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = Path(__file__).parents[3] / "deploy" / "postgres" / "backup"
OWN = "drill"
RUN = [record(at, part) for at, part in enumerate(readings(40)[at::5] for at in range(5))]
"""What Kafka holds."""


@pytest.fixture
def server(scratch: Path) -> Iterator[Postgres]:
    """A server that may be lost."""
    quick = {"fsync": "off"}  # only its process is ended here, never the machine
    found = Postgres(scratch, binaries=find_postgres_binaries(wanted_services()), settings=quick)
    with found:
        if (user := found.process._user) is not None:
            shutil.chown(found.directory, user)
        yield found


def backup(server: Postgres, *arguments: str) -> str:
    """Run the script as the server's user; what it says."""
    user = server.process._user
    done = subprocess.run(  # noqa: S603 - ours
        ["/bin/sh", SCRIPT, *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=server.directory,
        user=user,
        env={
            "PATH": f"{server.binaries.directory}:{os.environ['PATH']}",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(server.port),
            "PGUSER": SUPERUSER,
        },
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def store(url: str, *offsets: int) -> None:
    """Have a worker store some records, from where the database stands."""
    engine = open_engine(url, save_every=1)
    engine.apply(engine.open(0), [RUN[at] for at in offsets])
    engine.close()


def everything(url: str) -> dict[str, list[str]]:
    """All rows of all tables of readings, what is derived and remembered, books and people's acts."""
    return snapshot(url, (*RAW, *DERIVED, *MEMORY, "ledger", "alarm_setting"))


def archived(server: Postgres, folder: Path) -> None:
    """Wait until the server's log, as it is now, is in the archive."""
    with psycopg.connect(server.url(SUPERUSER, OWN), autocommit=True) as connection:
        row = connection.execute("SELECT pg_walfile_name(pg_current_wal_insert_lsn())").fetchone()
        connection.execute("SELECT pg_switch_wal()")
    assert row is not None
    wait_until((folder / "wal" / f"{row[0]}.gz").exists, what="the log to be archived", timeout=60)


def now(server: Postgres) -> str:
    """The server's time, UTC."""
    with psycopg.connect(server.url(SUPERUSER, "postgres")) as connection:
        row = connection.execute("SELECT to_char(clock_timestamp(), 'YYYY-MM-DD HH24:MI:SS.US')").fetchone()
    assert row is not None
    return str(row[0])


def is_back(server: Postgres) -> bool:
    """Whether the restored server takes writes."""
    with psycopg.connect(server.url(SUPERUSER, "postgres")) as connection:
        return connection.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)


def test_a_lost_database_comes_back_as_it_was_and_reads_on_from_the_log(server: Postgres) -> None:
    """To a moment between two commits; offsets are of that moment, so nothing is missing or twice afterwards."""
    folder = server.directory / "backup"
    assert "restart" in backup(server, "archive", str(folder))
    server.restart()
    url = server.create_database(OWN)
    assert url == server.url(OWNER, OWN)
    prepare(url)
    store(url, 0, 1)
    backup(server, "base", str(folder))
    store(url, 2)
    with connect(url, name="test") as connection:  # what no log of readings could bring back
        connection.execute("UPDATE device SET name = 'renamed' WHERE device_id = 'b-1'")
    wanted = everything(url)
    moment = now(server)
    store(url, 3, 4)
    with connect(url, name="test") as connection:
        connection.execute("UPDATE device SET name = 'a mistake' WHERE device_id = 'b-1'")
    whole = snapshot(url, (*RAW, *DERIVED))
    archived(server, folder)

    server.stop("immediate")
    (server.data / "postmaster.pid").unlink(missing_ok=True)
    backup(server, "restore", str(folder), str(server.data), moment)
    server.start()
    wait_until(lambda: is_back(server), what="the restored server", timeout=60)
    assert everything(url) == wanted
    with connect(url, name="test") as connection:
        assert connection.execute("SELECT next_offset FROM checkpoint").fetchall() == [(3,)]
        name = connection.execute("SELECT name FROM device WHERE device_id = 'b-1'").fetchone()
        assert name == ("renamed",)

    store(url, 3, 4)
    with connect(url, name="test") as connection:
        assert balance(connection).closed
    assert snapshot(url, (*RAW, *DERIVED)) == whole
    assert backup(server, "list", str(folder)).count("base-") == 1
