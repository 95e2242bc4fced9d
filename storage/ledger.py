"""The books: what came in, and what became of it, per device and hour of arrival."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.time import HOUR_MS
from storage.arrays import Column, PgType
from storage.statements import insert_select, trusted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import LiteralString

    from psycopg import Connection

UNREGISTERED = ""
"""Device id under which readings of unregistered devices are booked; the quarantine names each."""


@dataclass(slots=True)
class Entry:
    """Counts of one hour: a device's, or all of them."""

    received: int = 0
    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0

    def add(self, other: Entry) -> None:
        """Take in another's counts."""
        self.received += other.received
        self.stored += other.stored
        self.duplicate += other.duplicate
        self.quarantined += other.quarantined


class Ledger:
    """Entries of one batch, by (device, hour)."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, int], Entry] = {}

    def entry(self, device_id: str, received_ms: int) -> Entry:
        """Return the entry of a device for the hour it was received in."""
        key = (device_id, received_ms - received_ms % HOUR_MS)
        found = self.entries.get(key)
        if found is None:
            found = self.entries[key] = Entry()
        return found


_COUNTS = ("received", "stored", "duplicate", "quarantined")
_COUNT_TYPES = (PgType.INT8,) * len(_COUNTS)


def _add_sql(table: str, key: Sequence[str], types: Sequence[PgType]) -> LiteralString:
    sums = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in _COUNTS)
    insert = insert_select(table, (*key, *_COUNTS), (*types, *_COUNT_TYPES))
    return trusted(f"{insert} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {sums}")


_KEY_TYPES = (PgType.TIMESTAMPTZ, PgType.INT4)
_ADD_TOTAL = _add_sql("ledger_total", ("hour", "partition"), _KEY_TYPES)


_PART = trusted(
    f"INSERT INTO ledger_part (partition, device_ids, hours, {', '.join(_COUNTS)})"  # noqa: S608 - own names
    f" VALUES (%s, {', '.join(['%b'] * (2 + len(_COUNTS)))})"
)
_SETTLE = trusted(
    "WITH part AS (DELETE FROM ledger_part WHERE partition = %s RETURNING *)"  # noqa: S608 - own names
    f" INSERT INTO ledger_entry (device_id, hour, partition, {', '.join(_COUNTS)})"
    f" SELECT u.device_id, u.hour, p.partition, {', '.join(f'sum(u.{name})' for name in _COUNTS)}"
    f" FROM part p, unnest(p.device_ids, p.hours, {', '.join(f'p.{name}' for name in _COUNTS)})"
    f" AS u (device_id, hour, {', '.join(_COUNTS)}) GROUP BY 1, 2, 3 ORDER BY 1, 2"
    " ON CONFLICT (device_id, hour, partition) DO UPDATE SET "
    + ", ".join(f"{name} = ledger_entry.{name} + excluded.{name}" for name in _COUNTS)
)


def settle(connection: Connection, partition: int) -> None:
    """Add up what a partition's transactions have booked since the last time; no count changes by it."""
    connection.execute(_SETTLE, (partition,))


def add(connection: Connection, partition: int, entries: Mapping[tuple[str, int], Entry]) -> None:
    """Add a batch's counts to the books, all in one row until they are settled, and to their totals by hour."""
    if not entries:
        return
    keys = sorted(entries)
    totals: dict[int, Entry] = {}
    for (_, hour), count in entries.items():
        totals.setdefault(hour, Entry()).add(count)
    hours = sorted(totals)
    columns = [
        Column(PgType.TEXT, [device_id for device_id, _ in keys]),
        Column(PgType.TIMESTAMPTZ, [hour for _, hour in keys]),
        *(Column(PgType.INT8, [getattr(entries[key], name) for key in keys]) for name in _COUNTS),
    ]
    connection.execute(_PART, (partition, *columns))
    _write(connection, _ADD_TOTAL, _KEY_TYPES, (hours, [partition] * len(hours)), [totals[hour] for hour in hours])


def _write(
    connection: Connection,
    statement: LiteralString,
    types: Sequence[PgType],
    key: Sequence[Sequence[object]],
    counts: Sequence[Entry],
) -> None:
    columns = [*key, *([getattr(count, name) for count in counts] for name in _COUNTS)]
    values = [Column(kind, column) for kind, column in zip((*types, *_COUNT_TYPES), columns, strict=True)]
    connection.execute(statement, values)
