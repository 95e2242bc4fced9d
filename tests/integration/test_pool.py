"""Connections to a database whose host may vanish."""

from __future__ import annotations

import os
import socket
import sys
from typing import TYPE_CHECKING

import pytest

from storage.pool import IDLE_TRANSACTION_S, connect, open_pool

if TYPE_CHECKING:
    from psycopg import Connection

NOTICED_MS = 200_000
"""It was half a minute, which also ended connections to a server that lives: one that waits for a lock reads nothing,
and what cannot be sent to it counts as well."""
LONGEST_LOCK_MS = IDLE_TRANSACTION_S * 1000


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such option")
def test_what_nobody_confirms_ends_a_connection(empty_database: str) -> None:
    """TCP by itself goes on for a quarter of an hour; a server that waits for a paused worker's locks is waited for."""

    def patience_ms(connection: Connection) -> int:
        with socket.socket(fileno=os.dup(connection.fileno())) as own:
            return own.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)

    with connect(empty_database, name="test") as connection:
        assert LONGEST_LOCK_MS < patience_ms(connection) <= NOTICED_MS
    with open_pool(empty_database, size=1, name="test") as pool, pool.connection() as connection:
        assert LONGEST_LOCK_MS < patience_ms(connection) <= NOTICED_MS


def test_no_pool_waits_for_ever_for_a_process_that_says_nothing(empty_database: str) -> None:
    """A paused notifier, or `fenhe recompute` in a terminal that was suspended, would keep its locks against others."""
    with open_pool(empty_database, size=1, name="test") as pool, pool.connection() as connection:
        row = connection.execute(
            "SELECT setting::int FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout'"
        ).fetchone()
        assert row == (IDLE_TRANSACTION_S * 1000,)
