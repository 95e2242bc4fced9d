"""Local days and months of a plant. China has kept one time, UTC+8, without summer time since 1991."""

from __future__ import annotations

import datetime as dt

from schemas.metrics import HOUR_MS

LOCAL = dt.timezone(dt.timedelta(hours=8), "Asia/Shanghai")
DAY_MS = 24 * HOUR_MS
_OFFSET_MS = 8 * HOUR_MS


def day_of(ts: int) -> int:
    """Begin of the local day that holds a moment, ms."""
    return (ts + _OFFSET_MS) // DAY_MS * DAY_MS - _OFFSET_MS


def hour_of(ts: int) -> int:
    """Begin of the hour that holds a moment, ms; local and UTC hours begin together."""
    return ts - ts % HOUR_MS


def month_of(ts: int) -> int:
    """Begin of the local month that holds a moment, ms."""
    local = dt.datetime.fromtimestamp(ts / 1000, LOCAL)
    return round(dt.datetime(local.year, local.month, 1, tzinfo=LOCAL).timestamp() * 1000)


def month_after(month: int) -> int:
    """Begin of the month after the one that begins at `month`, ms."""
    return month_of(month + 32 * DAY_MS)


def year_of(ts: int) -> int:
    """Begin of the local year that holds a moment, ms."""
    year = dt.datetime.fromtimestamp(ts / 1000, LOCAL).year
    return round(dt.datetime(year, 1, 1, tzinfo=LOCAL).timestamp() * 1000)
