"""When a device's clock is wrong, by when its readings arrive. Pure: moments are arguments.

A clock that is ahead, lost or stands shows in what is refused. One that is behind shows in readings that arrive, one
after the other, long after the time they bear, always about as long, or ever longer while they come at their usual pace
(it crawls): what waited somewhere comes ever less late.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from schemas.time import DAY_MS, HOUR_MS, MINUTE_MS

LEAST_MS = 15 * MINUTE_MS
"""A clock that is behind by less than this, or than three of its device's periods, is not told. (unsourced)"""
MOST_MS = DAY_MS
"""What arrives later than this was kept somewhere: a wrong time zone is less. (unsourced)"""
LASTS_MS = HOUR_MS // 2
"""A clock is behind that has been so by about the same for this long. (unsourced)"""
READINGS = 3
"""So many readings must say that a clock is wrong. (unsourced)"""
CAUGHT_UP_SHARE = 0.2
"""What comes less late by more than this share of the time that passes was kept somewhere. (unsourced)"""
PACE = 1.2
"""What comes ever later, and yet no more than this many periods after the reading before it, did not wait: its clock
crawls. (unsourced)"""
JITTER_MS = MINUTE_MS
"""By so much, or by two periods, readings come sooner or later. (unsourced)"""


class ClockFault(StrEnum):
    """What is wrong with a clock."""

    AHEAD = "ahead"
    """Its readings are refused as `clock_ahead`."""
    BEHIND = "behind"
    LOST = "lost"
    """Its readings are refused as `clock_behind`: the year 2000, or long before its first day."""
    STANDS = "stands"
    """Reading after reading bears one time, so all but the first are refused as `conflict`."""


class Clock(NamedTuple):
    """What speaks against a device's clock."""

    device_id: str
    fault: ClockFault
    site_id: str
    since_ts: int
    """Arrival of the first reading that says so, ms."""
    last_ts: int
    """Arrival of the newest reading that says so, ms."""
    readings: int
    first_offset_ms: int | None
    """What the clock is off by with the first of them, ahead is positive; None where that cannot be told."""
    last_offset_ms: int | None


def least_ms(period_ms: float) -> float:
    """By how much a clock must be behind for it to be told."""
    return max(LEAST_MS, 3 * period_ms)


def merged(known: Clock | None, found: Clock, period_ms: float) -> Clock:
    """Take one more reading that speaks against a clock; `found` is as if it were the first."""
    if known is None:
        return found
    if known.fault is ClockFault.BEHIND and not _stays(known, found, period_ms):
        return found
    return known._replace(
        last_ts=max(known.last_ts, found.last_ts),
        readings=known.readings + found.readings,
        last_offset_ms=found.last_offset_ms,
    )


def _stays(known: Clock, found: Clock, period_ms: float) -> bool:
    """Whether readings come as late as before, or ever later at their usual pace: what waited comes ever less late."""
    jitter = max(JITTER_MS, 2 * period_ms)
    first, last, now = (known.first_offset_ms or 0, known.last_offset_ms or 0, found.last_offset_ms or 0)
    passed = found.last_ts - known.since_ts
    if abs(now - last) > jitter:
        return False
    crawls = now < first and passed <= PACE * (known.readings + found.readings) * period_ms
    return crawls or abs(now - first) <= max(jitter, CAUGHT_UP_SHARE * passed)


def is_due(clock: Clock, period_ms: float) -> bool:
    """Whether it is worth an alarm."""
    lasted = clock.last_ts - clock.since_ts
    return clock.readings >= READINGS and lasted >= (LASTS_MS if clock.fault is ClockFault.BEHIND else 2 * period_ms)


def is_over(clock: Clock, now_ts: int, period_ms: float) -> bool:
    """Whether nothing has spoken against it for a while."""
    return now_ts - clock.last_ts > max(LEAST_MS, 5 * period_ms)
