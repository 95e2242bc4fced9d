"""A worker that stops in the middle of a statement loses its locks; one that moves, or computes, keeps them."""

from __future__ import annotations

import os
import struct
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import psycopg
import pytest

from fenhe.local import wait_until
from schemas.kafka.quarantine import Quarantined, Reason
from storage.alarm_tables import alarms, clocks
from storage.books import quarantine
from storage.checkpoint import Position, StoredUntil, advance, load_mark
from storage.pool import connect, open_pool
from storage.silent import SilentSessions
from tests.support.pipeline import prepare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from psycopg import Connection
    from psycopg_pool import ConnectionPool

    from fenhe.local import Postgres

POSITION = Position("test", 0)
START, NEXT = StoredUntil(0), StoredUntil(5)
LIMIT_S = 60.0
IDLE_S = 0.5


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        """The moment it is set to."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Set to the beginning."""
    return Clock()


@pytest.fixture
def silent(clock: Clock) -> SilentSessions:
    """What a worker knows of others."""
    return SilentSessions(LIMIT_S, clock)


@pytest.fixture
def pool(own_url: str, postgres: Postgres) -> Iterator[ConnectionPool]:
    """Connections of workers under their role, which soon lose a transaction in which they say nothing."""
    prepare(own_url)
    with connect(own_url, name="test", autocommit=True) as connection:
        load_mark(connection, POSITION)
        connection.execute("CREATE TABLE copied (number bigint, words text)")
        connection.execute("GRANT INSERT ON copied TO fenhe_writer")
    url = postgres.url("fenhe_writer", own_url.rpartition("/")[2])
    with open_pool(url, size=3, name="test", idle_transaction_s=IDLE_S) as pool:
        yield pool


@contextmanager
def holding(pool: ConnectionPool) -> Iterator[Connection]:
    """A worker that has the partition, and whose connection may be broken in the end."""
    holder = pool.getconn()
    try:
        advance(holder, POSITION, expected=START, new=NEXT)
        yield holder
    finally:
        holder.close()
        pool.putconn(holder)


def stands(connection: Connection, pid: int) -> bool:
    """Whether a session waits for its client in the middle of a statement, by PostgreSQL's own word."""
    row = connection.execute(
        "SELECT state = 'active' AND wait_event = 'ClientRead' FROM pg_stat_activity WHERE pid = %s", [pid]
    ).fetchone()
    connection.commit()
    return row is not None and bool(row[0])


def half_a_statement(words: int) -> bytes:
    """A statement of the extended protocol, and the beginning of its values: as far as a socket takes them."""
    query = b"SELECT $1::text\0"
    parse = b"P" + struct.pack("!i", 4 + 1 + len(query) + 2) + b"\0" + query + struct.pack("!h", 0)
    return parse + b"B" + struct.pack("!i", 4 + words) + b"\0\0"


def refuse(connection: Connection) -> None:
    """Keep two messages that could not be used."""
    item = Quarantined(reason=Reason.MALFORMED, topic="t", received_ts=1, payload=b"\x00\xff", size=2)
    quarantine.add(connection, [item, item])


def doubt_a_clock(connection: Connection) -> None:
    """Note what speaks against two clocks."""
    clocks.save(connection, [(name, "ahead", "s", 1, 2, 3, None, 4) for name in "ab"])


def forget_a_clock(connection: Connection) -> None:
    """Take out two clocks."""
    clocks.forget(connection, [("a", "ahead"), ("b", "ahead")])


def tell_an_alarm(connection: Connection) -> None:
    """Write what is known of two alarms, of which there are none."""
    figures = dict.fromkeys(alarms.FIGURES)
    moments = dict.fromkeys(("event_ts", "raised_ts", "last_raised_ts", "ended_ts", "cleared_ts", "pending_ts"), 1)
    known = figures | moments | {"severity": "warning", "disproved": False, "occurrences": 1}
    alarms.update(connection, [known | {"alarm_id": name} for name in "ab"])


def test_a_worker_that_stops_in_the_middle_of_a_copy_loses_its_partition(
    pool: ConnectionPool, silent: SilentSessions, clock: Clock
) -> None:
    """No limit of PostgreSQL 15 ends it, and its heir would wait for as long as it is paused."""
    with holding(pool) as holder, pool.connection() as heir:
        pid = holder.info.backend_pid
        with pytest.raises(psycopg.OperationalError), holder.cursor().copy("COPY copied FROM STDIN") as copy:  # noqa: PT012
            copy.write_row((1, "a"))
            time.sleep(3 * IDLE_S)  # PostgreSQL lets it live
            wait_until(lambda: stands(heir, pid), what="the copy to wait for its client")
            for moment, expected in ((0.0, []), (LIMIT_S - 1, []), (LIMIT_S, [pid])):
                clock.now = moment
                assert silent.end(heir) == expected
                heir.commit()
            advance(heir, POSITION, expected=START, new=NEXT)
            for number in range(200_000):
                copy.write_row((number, "what nobody takes any more"))


def test_a_worker_that_stops_in_the_middle_of_its_values_loses_its_partition(
    pool: ConnectionPool, silent: SilentSessions, clock: Clock
) -> None:
    """The clock of idleness stops with the statement's text, and its values have come in part."""
    with holding(pool) as holder, pool.connection() as heir:
        pid = holder.info.backend_pid
        os.write(holder.fileno(), half_a_statement(1_000_000))
        time.sleep(3 * IDLE_S)  # as above
        wait_until(lambda: stands(heir, pid), what="the statement to wait for its values")
        assert silent.end(heir) == []
        heir.commit()
        clock.now = LIMIT_S
        assert silent.end(heir) == [pid]
        heir.commit()
        advance(heir, POSITION, expected=START, new=NEXT)


@pytest.mark.parametrize("write", [refuse, doubt_a_clock, forget_a_clock, tell_an_alarm])
def test_a_worker_that_stops_after_it_wrote_several_rows_loses_its_partition(
    pool: ConnectionPool, write: Callable[[Connection], None]
) -> None:
    """PostgreSQL ends it by itself: what it sent last is no pipeline, after which the clock of idleness stands."""
    with holding(pool) as holder, pool.connection() as heir:
        write(holder)
        time.sleep(3 * IDLE_S)  # it is paused
        advance(heir, POSITION, expected=START, new=NEXT)
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            holder.execute("SELECT 1")


def test_a_copy_that_moves_however_slowly_is_left_alone(
    pool: ConnectionPool, silent: SilentSessions, clock: Clock
) -> None:
    """Each time it is looked at it waits for its client, and between two looks a row has come."""
    with holding(pool) as holder, pool.connection() as heir:
        pid = holder.info.backend_pid
        with holder.cursor().copy("COPY copied FROM STDIN") as copy:
            for number in range(4):
                copy.write(f"{number}\t{'b' * 200_000}\n".encode())
                wait_until(partial(has_copied, heir, pid, number * 200_000), what="the row to be taken")
                wait_until(lambda: stands(heir, pid), what="the copy to wait for its client")
                clock.now = number * (LIMIT_S - 1)
                assert silent.end(heir) == []
                heir.commit()
        holder.commit()


def has_copied(connection: Connection, pid: int, more_than: int) -> bool:
    """Whether a COPY has come so far."""
    row = connection.execute("SELECT bytes_processed FROM pg_stat_progress_copy WHERE pid = %s", [pid]).fetchone()
    connection.commit()
    return row is not None and row[0] > more_than


def test_a_worker_that_computes_between_two_statements_is_left_alone(
    pool: ConnectionPool, silent: SilentSessions, clock: Clock
) -> None:
    """It has a limit of its own in PostgreSQL; so has one that computes for minutes, with that set to suit."""
    with holding(pool) as holder, pool.connection() as heir:
        holder.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        for moment in (0.0, LIMIT_S, 100 * LIMIT_S):
            clock.now = moment
            assert silent.end(heir) == []
            heir.commit()
        holder.execute("SELECT 1")
