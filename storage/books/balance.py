"""Do the books close? Three independent counts held against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from storage.statements import trusted
from storage.tables import READING_TABLES

if TYPE_CHECKING:
    from psycopg import Connection


class Discrepancy(NamedTuple):
    """A device and hour whose books do not close, and how."""

    hour: str
    device_id: str
    what: str
    ledger: int
    counted: int


class BooksBalance(NamedTuple):
    """Totals of the books and everything that does not add up."""

    received: int
    stored: int
    duplicate: int
    quarantined: int
    set_aside: int
    """Fields that stored readings are used without."""
    losses: int
    """How often the log had lost records, or had been replaced, before they could be stored."""
    discrepancies: list[Discrepancy]

    @property
    def closed(self) -> bool:
        """Whether every count agrees and nothing is known to be lost."""
        return not self.discrepancies and not self.losses


_RAW_TABLES = sorted({table.name for table in READING_TABLES.values()})

_STORED_SQL = trusted(
    "WITH raw AS (SELECT date_trunc('hour', received_at, 'UTC') AS hour, device_id, count(*) AS counted FROM ("  # noqa: S608
    + " UNION ALL ".join(f"SELECT device_id, received_at FROM {name}" for name in _RAW_TABLES)  # noqa: S608
    + ") r GROUP BY 1, 2),"
    " book AS (SELECT hour, device_id, sum(stored) AS stored FROM ledger GROUP BY 1, 2)"
    " SELECT coalesce(book.hour, raw.hour)::text, coalesce(book.device_id, raw.device_id),"
    " coalesce(stored, 0)::bigint, coalesce(counted, 0)::bigint"
    " FROM book FULL JOIN raw ON book.hour = raw.hour AND book.device_id = raw.device_id"
    " WHERE coalesce(stored, 0) <> coalesce(counted, 0)"
)

_QUARANTINED_SQL = (
    "WITH kept AS (SELECT date_trunc('hour', received_at, 'UTC') AS hour, count(*) AS counted"
    " FROM quarantine GROUP BY 1),"
    " book AS (SELECT hour, sum(quarantined) AS quarantined FROM ledger GROUP BY 1)"
    " SELECT hour::text, coalesce(quarantined, 0)::bigint, coalesce(counted, 0)::bigint"
    " FROM book FULL JOIN kept USING (hour)"
    " WHERE coalesce(quarantined, 0) <> coalesce(counted, 0)"
)
"""By hour only: a device may have been registered since its readings were booked as unregistered."""

_TOTALS_SQL = (
    "WITH book AS (SELECT hour, partition, sum(received) AS received, sum(stored) AS stored,"
    " sum(duplicate) AS duplicate, sum(quarantined) AS quarantined FROM ledger GROUP BY 1, 2)"
    " SELECT hour::text, coalesce(book.received, 0)::bigint, coalesce(total.received, 0)::bigint"
    " FROM book FULL JOIN ledger_total total USING (hour, partition)"
    " WHERE (book.received, book.stored, book.duplicate, book.quarantined)"
    " IS DISTINCT FROM (total.received, total.stored, total.duplicate, total.quarantined)"
)

_SET_ASIDE_SQL = trusted(
    "WITH raw AS (SELECT device_id, field, kept ->> 0 AS reason, count(*) AS counted FROM ("  # noqa: S608
    + " UNION ALL ".join(
        f"SELECT device_id, set_aside FROM {name} WHERE set_aside IS NOT NULL"  # noqa: S608 - own names
        for name in _RAW_TABLES
    )
    + ") r CROSS JOIN LATERAL json_each(r.set_aside) AS e (field, kept) GROUP BY 1, 2, 3)"
    " SELECT device_id, field, coalesce(book.count, 0)::bigint, coalesce(raw.counted, 0)::bigint"
    " FROM field_set_aside book FULL JOIN raw USING (device_id, field, reason)"
    " WHERE coalesce(book.count, 0) < coalesce(raw.counted, 0) OR (coalesce(book.count, 0) > coalesce(raw.counted, 0)"
    " AND NOT EXISTS (SELECT FROM retention_policy WHERE table_name LIKE 'reading_%' AND kept_from IS NOT NULL))"
)
"""Once old raw readings were let go, the book may hold more than the tables do."""


def balance(connection: Connection) -> BooksBalance:
    """Hold the collectors' count, the workers' count and the tables themselves against each other."""
    totals = connection.execute(
        "SELECT coalesce(sum(received), 0)::bigint, coalesce(sum(stored), 0)::bigint,"
        " coalesce(sum(duplicate), 0)::bigint, coalesce(sum(quarantined), 0)::bigint,"
        " (SELECT coalesce(sum(count), 0)::bigint FROM field_set_aside),"
        " (SELECT count(*) FROM log_loss) FROM ledger"
    ).fetchone()
    assert totals is not None  # noqa: S101 - an aggregate always has a row
    open_books = connection.execute(
        "SELECT hour::text, device_id, received, stored + duplicate + quarantined FROM books WHERE NOT closed"
    ).fetchall()
    found = [
        Discrepancy(row[0], row[1], "received ≠ stored + duplicate + quarantined", row[2], row[3]) for row in open_books
    ]
    found += [
        Discrepancy(row[0], row[1], "stored ≠ rows in the tables", row[2], row[3])
        for row in connection.execute(_STORED_SQL)
    ]
    found += [
        Discrepancy(row[0], "", "quarantined ≠ rows in the quarantine", row[1], row[2])
        for row in connection.execute(_QUARANTINED_SQL)
    ]
    found += [
        Discrepancy(row[0], "", "totals of the hour ≠ sum over devices", row[1], row[2])
        for row in connection.execute(_TOTALS_SQL)
    ]
    found += [
        Discrepancy("", row[0], f"{row[1]} set aside ≠ set aside in the tables", row[2], row[3])
        for row in connection.execute(_SET_ASIDE_SQL)
    ]
    return BooksBalance._make((*totals, found))
