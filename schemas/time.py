"""Time: milliseconds since 1970, stretches of it, and the local clock. The one home of all of these.

China has kept one time, UTC+8, without summer time since 1991. A moment ends in `_ts` or `_at`, a length of time in
`_ms`, `_s`, `_h`.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

MINUTE_MS = 60_000
QUARTER_MS = 15 * MINUTE_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
QUARTER_DAY_MS = DAY_MS // 4
WEEK_MS = 7 * DAY_MS
YEAR_MS = 365.2425 * DAY_MS
"""Mean length of a year of the Gregorian calendar."""
HOURS_A_DAY = 24
QUARTERS_AN_HOUR = 4
HOURS_A_WEEK = 168

FOREVER_TS = 253_370_764_800_000
"""9999-01-01: later than anything."""
LONG_AGO_TS = -2_208_988_800_000
"""1900-01-01: earlier than anything."""

UTC_OFFSET_MS = 8 * HOUR_MS
LOCAL = dt.timezone(dt.timedelta(hours=8), "Asia/Shanghai")
_EPOCH_HOUR_OF_WEEK = 3 * 24
"""1 January 1970 was a Thursday; weeks begin on Monday."""


def json_key(field: str) -> str:
    """Key of a field in JSON that is kept or sent: there a moment ends in `_ms`, as it did in the first version."""
    return f"{field[:-3]}_ms" if field.endswith("_ts") else field


class Span(NamedTuple):
    """An entity and a stretch of time, from_ts <= ts < to_ts."""

    entity_id: str
    from_ts: int
    to_ts: int


def hour_of(ts: int) -> int:
    """Begin of the hour that holds a moment, ms; local and UTC hours begin together."""
    return ts - ts % HOUR_MS


def day_of(ts: int) -> int:
    """Begin of the local day that holds a moment, ms."""
    return (ts + UTC_OFFSET_MS) // DAY_MS * DAY_MS - UTC_OFFSET_MS


def month_of(ts: int) -> int:
    """Begin of the local month that holds a moment, ms."""
    local = dt.datetime.fromtimestamp(ts / 1000, LOCAL)
    return round(dt.datetime(local.year, local.month, 1, tzinfo=LOCAL).timestamp() * 1000)


def month_after(month: int) -> int:
    """Begin of the month after the one that begins at `month`, ms."""
    return month_of(month + 32 * DAY_MS)


def local_day(ts: int) -> int:
    """Number of the local day that holds a moment."""
    return (ts + UTC_OFFSET_MS) // DAY_MS


def local_hour(ts: int) -> int:
    """Hour of the local day, 0 to 23."""
    return (ts + UTC_OFFSET_MS) // HOUR_MS % 24


def hour_of_week(ts: int) -> int:
    """Hour of the local week, 0 on Monday at midnight."""
    return ((ts + UTC_OFFSET_MS) // HOUR_MS + _EPOCH_HOUR_OF_WEEK) % HOURS_A_WEEK
