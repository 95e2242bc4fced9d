"""A database without room on its disk: nothing is lost, everybody can see why it stands, and it goes on by itself."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import secrets
import shutil
import subprocess
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from fenhe.local.postgres import OWNER, SUPERUSER
from schemas.readings import Kind
from schemas.words.standing import DISK_IS_FULL
from storage.books.balance import balance
from storage.pool import connect, open_pool
from streams.engine.engine import Engine
from streams.installed import installed
from streams.worker.figures import WorkerFigures
from tests.support.databases import own_database
from tests.support.pipeline import START_TS, Sent, prepare, record
from tests.support.worker.shepherding import event, make_shepherd, store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fenhe.local import Postgres

RECORDS, READINGS = 6, 200
MOUNT_MB = 300


@pytest.fixture
def small_disk(scratch: Path) -> Iterator[Path]:
    """A file system of its own, in memory, that PostgreSQL may write to."""
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("only root can mount a file system")
    place = scratch / "disk"
    place.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={MOUNT_MB}m", "tmpfs"]
    if subprocess.run([mount, *options, place], check=False, capture_output=True).returncode != 0:  # noqa: S603 - ours
        pytest.skip("this machine lets nobody mount a file system")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)  # noqa: S603, S607 - as mount was found


@pytest.fixture
def url_there(postgres: Postgres, small_disk: Path) -> Iterator[str]:
    """A migrated database on it."""
    place = small_disk / "data"
    place.mkdir()
    with contextlib.suppress(KeyError):
        shutil.chown(place, pwd.getpwnam("postgres").pw_name)
    space = sql.Identifier(f"small_{secrets.token_hex(4)}")
    with psycopg.connect(postgres.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE TABLESPACE {} LOCATION {}").format(space, str(place)))
        with own_database(postgres) as name:
            prepare(postgres.url(OWNER, name))
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
            connection.execute(sql.SQL("ALTER DATABASE {} SET TABLESPACE {}").format(sql.Identifier(name), space))
            yield postgres.url(OWNER, name)
        connection.execute(sql.SQL("DROP TABLESPACE {}").format(space))


def _fill(place: Path) -> Path:
    """Take all room there is."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return ballast


async def _said(url: str) -> str:
    """Wait for what stands beside the partition."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        for _ in range(600):
            row = await (await connection.execute("SELECT error FROM stuck_partition")).fetchone()
            if row is not None:
                return str(row[0])
            await asyncio.sleep(0.1)
    return ""


def test_a_full_disk_stops_cleanly_says_so_and_goes_on(url_there: str, small_disk: Path) -> None:
    """Nothing is booked meanwhile; with room again everything is stored, and what was said of it is taken back."""
    cells = [3.35] * 16
    sent = [
        Sent("bs-1", Kind.BATTERY, "b-1", {"ts": START_TS + 60_000 * number, "current_a": 1.5, "cell_voltage_v": cells})
        for number in range(RECORDS * READINGS)
    ]
    events = [event(record(at, sent[at * READINGS : (at + 1) * READINGS])) for at in range(RECORDS)]
    engine, figures = Engine(open_pool(url_there, size=3, name="test"), installed(), "test", 1), WorkerFigures()

    async def run() -> str:
        shepherd = make_shepherd(engine, figures)
        await shepherd.open([0])
        ballast = _fill(small_disk)
        storing = asyncio.create_task(store(shepherd, figures, events))
        said = await _said(url_there)
        assert not storing.done()
        ballast.unlink()
        await storing
        return said

    said = asyncio.run(run())
    engine.close()
    with connect(url_there, name="test") as connection:
        books = balance(connection)
        assert connection.execute("SELECT * FROM stuck_partition").fetchall() == []
    assert said == DISK_IS_FULL.en
    assert (books.closed, books.stored, figures.stored_total) == (True, len(sent), len(sent))
    assert figures.retries_total > 0
