"""Which channels an alarm goes to, and for how long it waits there. Pure: the time is an argument."""

from __future__ import annotations

import datetime as dt
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from schemas.metrics.signal import Severity

if TYPE_CHECKING:
    from schemas.notifications import QuietHours, Routing
    from storage.notifications import Notice

_SEVERITIES = tuple(Severity)


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
    """Whether it still is: what its parent has accounted for meanwhile is notice with the parent."""
    return not (notice.what == "raised" and notice.state == "suppressed")


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
