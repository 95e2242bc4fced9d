"""Local hours and days: habits of people and plants follow the wall clock."""

from __future__ import annotations

from schemas.metrics import HOUR_MS

DAY_MS = 24 * HOUR_MS
OFFSET_MS = 8 * HOUR_MS
"""China Standard Time, UTC+8: one zone for the country, and no summer time since 1991."""
HOURS_A_WEEK = 168
_EPOCH_HOUR_OF_WEEK = 3 * 24
"""1 January 1970 was a Thursday; weeks begin on Monday."""


def local_day(ts: int) -> int:
    """Number of the local day that holds an instant."""
    return (ts + OFFSET_MS) // DAY_MS


def local_hour(ts: int) -> int:
    """Hour of the local day, 0–23."""
    return (ts + OFFSET_MS) // HOUR_MS % 24


def hour_of_week(ts: int) -> int:
    """Hour of the local week, 0 on Monday at midnight."""
    return ((ts + OFFSET_MS) // HOUR_MS + _EPOCH_HOUR_OF_WEEK) % HOURS_A_WEEK
