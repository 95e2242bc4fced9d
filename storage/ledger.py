"""The books: what came in, and what became of it, per device and hour of arrival."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.metrics import HOUR_MS
from storage.arrays import Column, PgType
from storage.statements import insert_select, trusted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psycopg import Connection

UNREGISTERED = ""
"""Device id under which readings of unregistered devices are booked; the quarantine names each."""


@dataclass(slots=True)
class Entry:
    """Counts of one device and hour."""

    received: int = 0
    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0


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


_COLUMNS = ("device_id", "hour", "partition", "received", "stored", "duplicate", "quarantined")
_TYPES = (PgType.TEXT, PgType.TIMESTAMPTZ, PgType.INT4, PgType.INT8, PgType.INT8, PgType.INT8, PgType.INT8)
_ADD = trusted(
    insert_select("ledger", _COLUMNS, _TYPES)
    + " ON CONFLICT (device_id, hour, partition) DO UPDATE SET "
    + ", ".join(f"{name} = ledger.{name} + excluded.{name}" for name in _COLUMNS[3:])
)


def add(connection: Connection, partition: int, entries: Mapping[tuple[str, int], Entry]) -> None:
    """Add a batch's counts to the books."""
    if not entries:
        return
    keys = sorted(entries)
    counts = [entries[key] for key in keys]
    values: tuple[Sequence[object], ...] = (
        [device_id for device_id, _ in keys],
        [hour for _, hour in keys],
        [partition] * len(keys),
        [count.received for count in counts],
        [count.stored for count in counts],
        [count.duplicate for count in counts],
        [count.quarantined for count in counts],
    )
    connection.execute(_ADD, [Column(kind, column) for kind, column in zip(_TYPES, values, strict=True)])
