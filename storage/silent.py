"""Workers that have stopped in the middle of a statement, against which PostgreSQL has no limit of its own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from psycopg import Connection


class _Standing(NamedTuple):
    """A session that waits for its client in the middle of a statement, and how far the statement has come."""

    pid: int
    statement_since: datetime
    copied_bytes: int
    """0 where it is no COPY."""


_WAITING = """
FROM pg_stat_activity session LEFT JOIN pg_stat_progress_copy copy USING (pid)
WHERE session.datname = current_database() AND session.usename = current_user
AND session.application_name ^@ 'fenhe-' AND session.pid <> pg_backend_pid()
AND session.state = 'active' AND session.wait_event = 'ClientRead'
"""
_LOOK = f"SELECT pid, session.query_start, coalesce(copy.bytes_processed, 0) {_WAITING}"
_END = f"""
SELECT pg_terminate_backend(pid) {_WAITING}
AND (pid, session.query_start, coalesce(copy.bytes_processed, 0)) = (%s, %s, %s)
"""


class SilentSessions:
    """Ends sessions of our own role that have waited for the rest of a statement for too long; one for each worker.

    A worker that is paused while it writes rows of a COPY, or the values of a large statement, keeps its locks:
    `idle_in_transaction_session_timeout` counts between statements only. Who computes waits for nothing in the middle
    of a statement, and who is merely slow moves: neither is ever ended.
    """

    def __init__(self, limit_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit_s = limit_s
        self._clock = clock
        self._since: dict[_Standing, float] = {}
        """When a session was first seen to stand where it still stands."""

    def end(self, connection: Connection) -> list[int]:
        """Look at all of them, and end those that were seen not to move for the limit; returns their process ids."""
        now, seen = self._clock(), [_Standing(*row) for row in connection.execute(_LOOK)]
        self._since = {standing: self._since.get(standing, now) for standing in seen}
        found = [standing for standing, since in self._since.items() if now - since >= self._limit_s]
        return [standing.pid for standing in found if connection.execute(_END, standing).fetchone() is not None]
