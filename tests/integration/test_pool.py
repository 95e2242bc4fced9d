"""Connections to a database whose host may vanish."""

from __future__ import annotations

import os
import socket
import sys
from typing import TYPE_CHECKING

import pytest

from storage.pool import connect, open_pool

if TYPE_CHECKING:
    from psycopg import Connection

NOTICED_MS = 30_000


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such option")
def test_what_nobody_confirms_ends_a_connection(empty_database: str) -> None:
    """While something is under way TCP sends no probes, and goes on trying for a quarter of an hour by itself."""

    def patience_ms(connection: Connection) -> int:
        with socket.socket(fileno=os.dup(connection.fileno())) as own:
            return own.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)

    with connect(empty_database, name="test") as connection:
        assert 0 < patience_ms(connection) <= NOTICED_MS
    with open_pool(empty_database, size=1, name="test") as pool, pool.connection() as connection:
        assert 0 < patience_ms(connection) <= NOTICED_MS
