"""The books: what came in, and what became of it, per device and hour of arrival."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from schemas.time import HOUR_MS
from storage.arrays import Column, PgType
from storage.statements import insert_select, trusted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import LiteralString

    from psycopg import Connection

    from schemas.arrival import Arrival

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

    def hour(self, received_ms: int) -> Hour:
        """Return the hour in which something was received."""
        begin_ms = received_ms - received_ms % HOUR_MS
        found = self.hours.get(begin_ms)
        if found is None:
            found = self.hours[begin_ms] = Hour()
        return found


def by_hour(arrivals: Sequence[Arrival]) -> dict[int, list[str]]:
    """Devices of arrivals, one name for each, by a moment in their hour; nearly always it is one hour."""
    found: dict[int, list[str]] = {}
    if arrivals and len({arrival.received_ms // HOUR_MS for arrival in arrivals}) == 1:
        found[arrivals[0].received_ms] = [arrival.device_id for arrival in arrivals]
        return found
    for arrival in arrivals:
        found.setdefault(arrival.received_ms - arrival.received_ms % HOUR_MS, []).append(arrival.device_id)
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
    keys = sorted((device_id, begin_ms) for begin_ms, hour in hours.items() for device_id in hour.devices())
    own = {name: {begin_ms: getattr(hour, name) for begin_ms, hour in hours.items()} for name in _COUNTS}
    columns = [
        Column(PgType.TEXT, [device_id for device_id, _ in keys]),
        Column(PgType.TIMESTAMPTZ, [begin_ms for _, begin_ms in keys]),
        *(
            Column(PgType.INT8, [counts[begin_ms].get(device_id, 0) for device_id, begin_ms in keys])
            for counts in own.values()
        ),
    ]
    connection.execute(_PART, (partition, *columns))
    begins = sorted(hours)
    totals = [
        Column(PgType.TIMESTAMPTZ, begins),
        Column(PgType.INT4, [partition] * len(begins)),
        *(Column(PgType.INT8, [counts[begin_ms].total() for begin_ms in begins]) for counts in own.values()),
    ]
    connection.execute(_ADD_TOTAL, totals)
