"""The books: what came in, and what became of it, per device and hour of arrival."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import repeat
from typing import TYPE_CHECKING

from schemas.time import HOUR_MS
from storage.encoding.arrays import Column, PgType
from storage.statements import insert_select, trusted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import LiteralString

    from psycopg import Connection

UNREGISTERED = ""
"""Device id under which readings of unregistered devices are booked; the quarantine names each."""


@dataclass(slots=True)
class Hour:
    """Counts of one hour of arrival, by device."""

    received: Counter[str] = field(default_factory=Counter)
    stored: Counter[str] = field(default_factory=Counter)
    duplicate: Counter[str] = field(default_factory=Counter)
    quarantined: Counter[str] = field(default_factory=Counter)

    def devices(self) -> set[str]:
        """Whoever anything is counted of."""
        return {*self.received, *self.stored, *self.duplicate, *self.quarantined}


class Ledger:
    """Counts of one batch."""

    def __init__(self) -> None:
        self.hours: dict[int, Hour] = {}
        """By the hour's beginning, ms."""

    def hour(self, received_ts: int) -> Hour:
        """Return the hour in which something was received."""
        begin_ts = received_ts - received_ts % HOUR_MS
        found = self.hours.get(begin_ts)
        if found is None:
            found = self.hours[begin_ts] = Hour()
        return found


def by_hour(device_ids: Sequence[str], received_ts: Sequence[int]) -> dict[int, list[str]]:
    """Devices of arrivals, one name for each, by a moment in their hour; nearly always it is one hour."""
    if device_ids and min(received_ts) // HOUR_MS == max(received_ts) // HOUR_MS:
        return {received_ts[0]: list(device_ids)}
    found: dict[int, list[str]] = {}
    for device_id, ms in zip(device_ids, received_ts, strict=True):
        found.setdefault(ms - ms % HOUR_MS, []).append(device_id)
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


def add(connection: Connection, partition: int, hours: Mapping[int, Hour]) -> None:
    """Add a batch's counts to the books, all in one row until they are settled, and to their totals by hour."""
    if not hours:
        return
    begins = sorted(hours)
    devices = {begin_ts: sorted(hours[begin_ts].devices()) for begin_ts in begins}
    columns = [
        Column(PgType.TEXT, [device_id for own in devices.values() for device_id in own]),
        Column(PgType.TIMESTAMPTZ, [begin_ts for begin_ts, own in devices.items() for _ in own]),
        *(
            Column(
                PgType.INT8, [count for begin_ts, own in devices.items() for count in _of(hours[begin_ts], name, own)]
            )
            for name in _COUNTS
        ),
    ]
    connection.execute(_PART, (partition, *columns))
    totals = [
        Column(PgType.TIMESTAMPTZ, begins),
        Column(PgType.INT4, [partition] * len(begins)),
        *(Column(PgType.INT8, [getattr(hours[begin_ts], name).total() for begin_ts in begins]) for name in _COUNTS),
    ]
    connection.execute(_ADD_TOTAL, totals)


def _of(hour: Hour, name: str, device_ids: Sequence[str]) -> Iterable[int]:
    """One of an hour's counts, by device."""
    counts: Counter[str] = getattr(hour, name)
    return map(counts.get, device_ids, repeat(0)) if counts else repeat(0, len(device_ids))
