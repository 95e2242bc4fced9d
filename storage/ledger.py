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


_KEY_TYPES = (PgType.TEXT, PgType.TIMESTAMPTZ, PgType.INT4)
_ADD = _add_sql("ledger", ("device_id", "hour", "partition"), _KEY_TYPES)
_ADD_TOTAL = _add_sql("ledger_total", ("hour", "partition"), _KEY_TYPES[1:])


def add(connection: Connection, partition: int, entries: Mapping[tuple[str, int], Entry]) -> None:
    """Add a batch's counts to the books, and to their totals by hour."""
    if not entries:
        return
    keys = sorted(entries)
    totals: dict[int, Entry] = {}
    for (_, hour), count in entries.items():
        totals.setdefault(hour, Entry()).add(count)
    hours = sorted(totals)
    of_devices = ([device_id for device_id, _ in keys], [hour for _, hour in keys], [partition] * len(keys))
    _write(connection, _ADD, _KEY_TYPES, of_devices, [entries[key] for key in keys])
    _write(connection, _ADD_TOTAL, _KEY_TYPES[1:], (hours, [partition] * len(hours)), [totals[hour] for hour in hours])


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
