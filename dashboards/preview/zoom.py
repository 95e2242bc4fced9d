"""Zoom: the part of a chart that somebody drags over becomes the page's time range."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

from dashboards.preview.macros import TimeRange
from dashboards.words import labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.words import Language

LEAST_S = 300.0
"""Shorter than this there is nothing to see: windows end on whole minutes."""
LONGEST_S = 5 * 365 * 86_400.0
"""Wider than this a double click widens no further."""


def zoomed(dragged: object, zone: str) -> TimeRange | None:
    """Return the range that a browser tells of, as the two ends `from` and `to` on its charts' axes.

    An axis is the dashboard's wall clock in milliseconds (`Canvas.wall_ts`). The ends may come in either order; a drag
    that is too short is widened about its middle. None where it is no range.
    """
    try:
        ends = cast("Mapping[str, float]", dragged)
        start, end = sorted(_moment(float(ends[side]), zone) for side in ("from", "to"))
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
    seconds = (end - start).total_seconds()
    if seconds > LONGEST_S:
        return None
    if seconds < LEAST_S:
        middle, half = start + (end - start) / 2, dt.timedelta(seconds=LEAST_S / 2)
        start, end = middle - half, middle + half
    return TimeRange(start, end)


def _moment(wall_ts: float, zone: str) -> dt.datetime:
    wall = dt.datetime.fromtimestamp(wall_ts / 1000, tz=dt.UTC)
    return wall.replace(tzinfo=ZoneInfo(zone)).astimezone(dt.UTC)


def relative_in_words(range_from: str, language: Language) -> str:
    """Write `now-14d` until now as a control shows it: "Last 14 days"; what is none is "" ."""
    match = re.fullmatch(r"now-(\d+)([smhd])", range_from)
    return labels.LAST_SO_MANY[match[2]](language).format(match[1]) if match else ""


def in_words(shown: TimeRange, zone: str) -> str:
    """Write a range as a control shows it: `11-29 08:00 – 09:20`, with the day twice only where there are two."""
    start, end = (moment.astimezone(ZoneInfo(zone)) for moment in (shown.start, shown.end))
    return (
        f"{start:%m-%d %H:%M} – {end:%H:%M}"
        if start.date() == end.date()
        else f"{start:%m-%d %H:%M} – {end:%m-%d %H:%M}"
    )
