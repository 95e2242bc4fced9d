"""Moving a partition's mark: who waits for it waits briefly, and who says nothing while it is held loses it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from psycopg.errors import IdleInTransactionSessionTimeout

from storage.checkpoint import Position, StoredUntil, advance, load_mark
from storage.errors import CheckpointHeldError, CheckpointMovedError
from storage.pool import connect, open_pool
from tests.support.pipeline import prepare

if TYPE_CHECKING:
    from psycopg_pool import ConnectionPool

POSITION = Position("test", 0)
START, NEXT = StoredUntil(0), StoredUntil(5, 2)
IDLE_S = 0.5


@pytest.fixture
def pool(own_url: str) -> ConnectionPool:
    """Connections of a worker, to a database with one partition at its beginning."""
    prepare(own_url)
    with connect(own_url, name="test", autocommit=True) as connection:
        load_mark(connection, POSITION)
    return open_pool(own_url, size=2, name="test", idle_transaction_s=IDLE_S)


def test_who_says_nothing_once_it_holds_the_mark_loses_its_transaction(pool: ConnectionPool) -> None:
    """A worker that is paused must not keep the partition from its heir."""
    with pool, pytest.raises(IdleInTransactionSessionTimeout), pool.connection() as holder:  # noqa: PT012
        advance(holder, POSITION, expected=START, new=NEXT)
        time.sleep(3 * IDLE_S)
        with pool.connection() as heir:
            advance(heir, POSITION, expected=START, new=NEXT)
        holder.execute("SELECT 1")


def test_the_mark_is_waited_for_briefly_and_nothing_else_is(pool: ConnectionPool) -> None:
    """What a transaction waits for after that has the limit that it had before."""
    with pool, pool.connection() as holder:
        advance(holder, POSITION, expected=START, new=NEXT)
        row = holder.execute("SELECT current_setting('lock_timeout')").fetchone()
        assert row == ("0",)
        holder.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        began = time.monotonic()
        with pytest.raises(CheckpointHeldError), pool.connection() as other:
            advance(other, POSITION, expected=START, new=NEXT)
        assert 1.5 < time.monotonic() - began < 10


def test_a_mark_that_stands_elsewhere_is_not_moved(pool: ConnectionPool) -> None:
    """It is compared, by records and by readings of the next, and set."""
    with pool:
        with pool.connection() as connection:
            advance(connection, POSITION, expected=START, new=NEXT)
        for expected in (START, StoredUntil(5), StoredUntil(4, 2)):
            with pytest.raises(CheckpointMovedError), pool.connection() as connection:
                advance(connection, POSITION, expected=expected, new=StoredUntil(9))
        with pool.connection() as connection:
            assert load_mark(connection, POSITION)[0] == NEXT
