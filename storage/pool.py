"""Connections: one pool a process, every connection taught fenhe's columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, LiteralString

import psycopg
from psycopg_pool import ConnectionPool

from storage.encoding import arrays

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.rows import TupleRow

KEEPALIVE: dict[str, Any] = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 180_000,
    "connect_timeout": 5,
}
"""A database host that vanishes is noticed within three minutes; TCP by itself goes on trying for a quarter of an hour
once something is on its way. Linux counts in `tcp_user_timeout` also what it cannot send because the other end does not
read: a server waits for a lock and reads nothing meanwhile. So it is longer than others may hold one: a paused worker's
transaction is ended after two minutes. Where it is set, Linux ends a connection whose probes nobody answers by it as
well, and not by their count."""

IDLE_TRANSACTION_S = 120.0
"""A transaction that hears nothing of its process for so long is ended: one that is paused, or a command whose terminal
was suspended, would keep its locks for as long."""


def _configure(connection: Connection[TupleRow]) -> None:
    arrays.register(connection)


def open_pool(
    url: str, *, size: int, name: LiteralString, idle_transaction_s: float = IDLE_TRANSACTION_S
) -> ConnectionPool:
    """Open a pool that reconnects for ever; it does not wait for the database to be there.

    A client that says nothing for `idle_transaction_s` within a transaction loses it.
    """

    def configure(connection: Connection[TupleRow]) -> None:
        _configure(connection)
        limit_idling(connection, idle_transaction_s, for_good=True)
        connection.commit()

    return ConnectionPool(
        url,
        min_size=1,
        max_size=size,
        configure=configure,
        kwargs={"application_name": f"fenhe-{name}", **KEEPALIVE},
        reconnect_timeout=10,
        timeout=10,
        open=True,
    )


def connect(url: str, *, name: str, autocommit: bool = False) -> Connection[TupleRow]:
    """Open one connection of its own, for commands."""
    connection = psycopg.connect(
        url,
        autocommit=autocommit,
        application_name=f"fenhe-{name}",
        **KEEPALIVE,
    )
    _configure(connection)
    return connection


def limit_idling(connection: Connection, within_s: float = IDLE_TRANSACTION_S, *, for_good: bool = False) -> None:
    """End the transaction under way when it hears nothing of its process: others wait for its locks.

    `for_good`: and each later one of this connection.
    """
    limit = f"{within_s * 1000:.0f}ms"
    connection.execute("SELECT set_config('idle_in_transaction_session_timeout', %s, %s)", [limit, not for_good])


def limit_statements(connection: Connection, each_within_s: float | None) -> None:
    """End each later statement of a connection after so many seconds, whatever its role says; None: never."""
    limit_ms = 0 if each_within_s is None else round(each_within_s * 1_000)
    connection.execute("SELECT set_config('statement_timeout', %s, false)", [str(limit_ms)])
