"""Which database errors pass by themselves, and which will come back however often one tries."""

from __future__ import annotations

import psycopg
from psycopg import errors
from psycopg_pool import PoolTimeout

TUPLE_LIMIT = "53400"
"""configuration_limit_exceeded: TimescaleDB refuses to decompress that much; it will again."""
READ_ONLY = "25006"
"""read_only_sql_transaction: a standby that is being promoted."""
IDLE_TOO_LONG = "25P03"
"""idle_in_transaction_session_timeout: we were paused, and the transaction was taken from us."""


def is_transient(error: BaseException) -> bool:
    """Tell whether the same transaction may succeed later, with nothing changed.

    Connection loss, shutdown, too many connections, deadlock, serialization failure, lock timeout: yes.
    Wrong data, a violated constraint, a missing table: no.
    """
    if isinstance(error, PoolTimeout | psycopg.InterfaceError):
        return True
    if isinstance(error, psycopg.Error) and error.sqlstate in {READ_ONLY, IDLE_TOO_LONG}:
        return True
    return isinstance(error, psycopg.OperationalError) and error.sqlstate != TUPLE_LIMIT


class CheckpointMovedError(Exception):
    """The compare-and-set on the source offset failed: another worker has stored this range."""


def is_refusal(error: BaseException) -> bool:
    """Tell whether the database or a kernel refused the data itself, so that bisecting finds the culprit."""
    if isinstance(error, errors.UndefinedTable | errors.UndefinedColumn | errors.InsufficientPrivilege):
        return False  # a database that was never migrated is nobody's reading
    return not is_transient(error)
