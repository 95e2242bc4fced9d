"""Which channels an alarm goes to, and for how long it waits there. Pure: the time is an argument."""

from __future__ import annotations

import datetime as dt
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from schemas.metrics.signal import Severity

if TYPE_CHECKING:
    from schemas.notifications import QuietHours, Routing
    from storage.alarm_tables.notifications import Notice

_SEVERITIES = tuple(Severity)

NOTIFIED_COMINGS, NOTIFIED_GOINGS = 3, 2
"""How often an alarm that comes and goes without a pause of 12 hours is told. (unsourced)"""
NOTIFIED_BEYOND = frozenset({30, 300, 3_000})
"""Comings that are told beyond. (unsourced)"""


def channels_of(routing: Routing, notice: Notice) -> list[str]:
    """Names of the channels an alarm goes to, each once."""
    found: dict[str, None] = {}
    for route in routing.routes:
        fits = (
            any(fnmatchcase(notice.site_id, pattern) for pattern in route.sites)
            and any(fnmatchcase(notice.region, pattern) for pattern in route.regions)
            and any(fnmatchcase(notice.kind, pattern) for pattern in route.kinds)
            and _SEVERITIES.index(Severity(notice.severity)) >= _SEVERITIES.index(route.from_severity)
            and notice.what in route.what
        )
        if fits:
            found |= dict.fromkeys(route.channels)
    return list(found)


def is_worth_telling(notice: Notice) -> bool:
    """Whether it still is: what its parent has accounted for meanwhile is notice with the parent.

    An alarm that comes and goes is told three times, with the word that it chatters, and then at its 30th and 300th
    coming and with the first one of each day; its going twice. It is one alarm all the while, and its page holds every
    coming.
    """
    if notice.what == "raised" and notice.state == "suppressed":
        return False
    if notice.what == "raised":
        return notice.flaps < NOTIFIED_COMINGS or notice.flaps + 1 in NOTIFIED_BEYOND or notice.is_next_day
    return notice.what != "returned" or notice.flaps < NOTIFIED_GOINGS


def quiet_wait_s(quiet: QuietHours | None, now: dt.datetime) -> float:
    """Seconds until quiet hours are over; 0 outside of them. `now` is local time of the people."""
    if quiet is None or quiet.start == quiet.end:
        return 0.0
    clock = now.time()
    inside = quiet.start <= clock < quiet.end if quiet.start < quiet.end else clock >= quiet.start or clock < quiet.end
    if not inside:
        return 0.0
    end = now.replace(hour=quiet.end.hour, minute=quiet.end.minute, second=quiet.end.second, microsecond=0)
    if end <= now:
        end += dt.timedelta(days=1)
    return (end - now).total_seconds()
