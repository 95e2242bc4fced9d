"""Which database errors pass by themselves, and which will come back however often one tries."""

from __future__ import annotations

import traceback

import psycopg
from psycopg import errors
from psycopg_pool import PoolTimeout

READ_ONLY = "25006"
"""`read_only_sql_transaction`: a standby that is being promoted."""
DISK_FULL = "53100"
TOO_MANY_CONNECTIONS = "53300"
IMPOSSIBLE = "55000"
"""`object_not_in_prerequisite_state`: what an alarm cannot do now it cannot do the next time either.

TimescaleDB says it of chunks that are in the midst of something, from its own code and not from a RAISE, and there the
next time may do.
"""
RAISE = "exec_stmt_raise"
"""Where PL/pgSQL's RAISE comes from, by PostgreSQL's own word."""
IDLE_TOO_LONG = "25P03"
"""`idle_in_transaction_session_timeout`: we were paused, and the transaction was taken from us."""
AWAY = frozenset({"55P03", "57P01", "57P02", "57P03", READ_ONLY, TOO_MANY_CONNECTIONS})
"""`lock_not_available`, `admin_shutdown`, `crash_shutdown` and `cannot_connect_now`."""


def is_transient(error: BaseException) -> bool:
    """Tell whether the same transaction may succeed later, with nothing changed.

    Connection loss, shutdown, too many connections, a full disk, deadlock, serialization failure, lock timeout: yes.
    Wrong data, a violated constraint, a missing table, what an alarm cannot do: no. What is too much (`is_too_much`)
    is neither.
    """
    if isinstance(error, PoolTimeout | psycopg.InterfaceError):
        return True
    if isinstance(error, psycopg.Error) and error.sqlstate in {READ_ONLY, IDLE_TOO_LONG}:
        return True
    if isinstance(error, psycopg.Error) and error.sqlstate == IMPOSSIBLE:
        # psycopg counts it among the operational errors.
        return error.diag.source_function not in {None, RAISE}
    return isinstance(error, psycopg.OperationalError) and not is_too_much(error)


def is_too_much(error: BaseException) -> bool:
    """Tell whether a transaction asked for more than there is, so that one with less in it may succeed.

    Out of memory or of locks (class 53, but a full disk and too many connections, which pass by themselves),
    a limit of the program (class 54), TimescaleDB's limit of tuples to decompress; and our own memory.
    """
    if isinstance(error, MemoryError):
        return True
    state = error.sqlstate if isinstance(error, psycopg.Error) else None
    return state is not None and state[:2] in {"53", "54"} and state not in {DISK_FULL, TOO_MANY_CONNECTIONS}


def is_disk_full(error: BaseException) -> bool:
    """Tell whether the database has no room on its disk: less at once does not help, room does."""
    return isinstance(error, psycopg.Error) and error.sqlstate == DISK_FULL


def is_away(error: BaseException) -> bool:
    """Tell whether the database could not be had then, whatever it was asked for: less at once does not help.

    No connection, shutdown, a standby, a lock that somebody keeps: yes. A connection that breaks: no, as PostgreSQL may
    have come to its end over what it was asked for.
    """
    if isinstance(error, PoolTimeout | psycopg.InterfaceError):
        return True
    state = error.sqlstate if isinstance(error, psycopg.Error) else None
    return state is not None and (state in AWAY or state[:2] == "08")


def took_too_long(error: BaseException) -> bool:
    """Tell whether PostgreSQL ended the transaction because it heard nothing of its worker for too long."""
    return isinstance(error, psycopg.Error) and error.sqlstate == IDLE_TOO_LONG


class CheckpointHeldError(errors.LockNotAvailable):
    """Somebody else holds the partition for longer than is waited for: a paused worker, or who derives it again."""


class CheckpointMovedError(Exception):
    """The compare-and-set on the source offset failed: another worker has stored this range."""


def is_refusal(error: BaseException) -> bool:
    """Tell whether the database or a kernel refused the data itself, so that bisecting finds the culprit."""
    if isinstance(error, errors.UndefinedTable | errors.UndefinedColumn | errors.InsufficientPrivilege):
        return False  # a database that was never migrated is nobody's reading
    return not is_transient(error) and not is_too_much(error)


def why(error: BaseException) -> str:
    """Say what refused a reading: PostgreSQL in its own words, a kernel with the line of ours that it ended at."""
    said = f"{type(error).__name__}: {error}"
    if isinstance(error, psycopg.Error):
        return said
    lines = [(frame.f_globals["__name__"], number) for frame, number in traceback.walk_tb(error.__traceback__)]
    reached = next(
        (line for line in reversed(lines) if line[0].split(".")[0] in {"schemas", "storage", "streams"}), None
    )
    return said if reached is None else f"{said} ({reached[0]}, line {reached[1]})"
