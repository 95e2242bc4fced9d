"""Fields set aside, counted by device, field and reason: as many rows as devices have fields, however long they send.

Counted with the reading that holds them, once; a duplicate counts nothing. So the counts are those of the raw rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import orjson

from schemas.aside import NOTHING
from schemas.columns.arrivals import Arrivals
from storage.encoding.arrays import Column, PgType
from storage.statements import insert_select, trusted

if TYPE_CHECKING:
    from psycopg import Connection

    from schemas.arrival import Arrival
    from schemas.aside import Aside
    from storage.readings import Stored


class SetAsideCount(NamedTuple):
    """How often a field of a device was set aside, from when to when in device time, and what it said last."""

    times: int
    first_ts: int
    last_ts: int
    last_value: str


Counts = dict[tuple[str, str, str], SetAsideCount]
"""By device, field and reason."""

_KEY = ("device_id", "field", "reason")
_COLUMNS = (*_KEY, "count", "first_ts", "last_ts", "last_value")
_TYPES = (
    *(PgType.TEXT,) * len(_KEY),
    PgType.INT8,
    PgType.TIMESTAMPTZ,
    PgType.TIMESTAMPTZ,
    PgType.TEXT,
)
_ADD = trusted(
    insert_select("field_set_aside", _COLUMNS, _TYPES) + " ON CONFLICT (device_id, field, reason) DO UPDATE SET"
    " count = field_set_aside.count + excluded.count,"
    " first_ts = least(field_set_aside.first_ts, excluded.first_ts),"
    " last_ts = greatest(field_set_aside.last_ts, excluded.last_ts),"
    " last_value = CASE WHEN excluded.last_ts >= field_set_aside.last_ts"
    " THEN excluded.last_value ELSE field_set_aside.last_value END"
)


def count(counts: Counts, stored: Stored) -> None:
    """Count what was set aside of readings that were stored or completed just now."""
    fresh = stored.fresh.with_aside() if isinstance(stored.fresh, Arrivals) else stored.fresh
    for arrival in fresh:
        _count(counts, arrival, NOTHING)
    for arrival, before in stored.completed:
        _count(counts, arrival, before)


def _count(counts: Counts, arrival: Arrival, before: Aside) -> None:
    for field, kept in arrival.aside.items():
        if field in before:
            continue
        key = (arrival.device_id, field, kept.reason)
        said = orjson.dumps(kept.value).decode()
        known = counts.get(key)
        if known is None:
            counts[key] = SetAsideCount(1, arrival.ts, arrival.ts, said)
        else:
            counts[key] = SetAsideCount(
                known.times + 1,
                min(known.first_ts, arrival.ts),
                max(known.last_ts, arrival.ts),
                said if arrival.ts >= known.last_ts else known.last_value,
            )


def add(connection: Connection, counts: Counts) -> None:
    """Add a batch's counts to the books."""
    if not counts:
        return
    keys = sorted(counts)
    rows = [(*key, *counts[key]) for key in keys]
    columns = [Column(kind, list(column)) for kind, column in zip(_TYPES, zip(*rows, strict=True), strict=True)]
    connection.execute(_ADD, columns)
