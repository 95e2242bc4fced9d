"""What a register counted between two readings, spread over the minutes between: linear, conserved, and covered."""

from __future__ import annotations

from enum import Enum
from itertools import pairwise, repeat
from typing import TYPE_CHECKING, NamedTuple

from schemas.metrics import GOOD_COVERAGE, MeterMinute, Quality, Row, built, quality_of
from schemas.time import DAY_MS, HOUR_MS, MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from schemas.registry import Device

LONG_SILENCE_MS = 7 * DAY_MS
"""Silence longer than this is spread more coarsely than over its minutes. (unsourced)"""
SPREAD_MS = 31 * DAY_MS
"""Silence of more than a week and up to so long is spread over its hours: days show their share, estimated. Longer
silence stands in one row: spread, a reading that is years off would have every view computed over all of them."""


class Backing(Enum):
    """What an increment over some time rests on."""

    READINGS = "readings"
    """On readings close enough to each other."""
    BRIDGE = "bridge"
    """Interpolated, or estimated: right in sum, not in time."""
    NOTHING = "nothing"
    """Unknown."""


_WHOLE = {
    Backing.READINGS: (1.0, Quality.GOOD),
    Backing.BRIDGE: (0.0, Quality.ESTIMATED),
    Backing.NOTHING: (0.0, Quality.UNKNOWN),
}
"""Coverage and quality of a whole minute."""


class Filling(NamedTuple):
    """The minute that is being filled."""

    minute: int
    """Its start, ms."""
    increment: float
    covered_ms: float
    """Backed by readings close enough to each other."""
    bridged_ms: float


def begin(ts: int) -> Filling:
    """Start to fill the minute of a moment, with nothing known of what came before."""
    return Filling(ts - ts % MINUTE_MS, 0.0, 0.0, 0.0)


class Minutes:
    """Writes the minutes of one register as they are filled."""

    __slots__ = ("_device", "_quantity", "_rows", "gap_ms")

    def __init__(self, device: Device, quantity: str, rows: list[Row]) -> None:
        self._device = device
        self._quantity = quantity
        self._rows = rows
        self.gap_ms = device.gap_ms

    def spread(self, filling: Filling, start: int, stop: int, counted: float, backing: Backing) -> Filling:
        """Spread what was counted from `start`, where the filling stands, to `stop`; gives out every minute that ends.

        Silence of more than a week is spread over the hours it covers, whose sum stands in the last minute of each, so
        that whoever counts whole quarters knows of it: estimated. Silence of more than a month stands in the minute it
        begins in. What is unknown has no rows.
        """
        minute, increment, covered, bridged = filling
        span = stop - start
        known, good = backing is not Backing.NOTHING, backing is Backing.READINGS
        is_long = span > LONG_SILENCE_MS
        if is_long and (not known or span > SPREAD_MS):
            self._give(minute, increment + (counted if known else 0.0), covered, bridged + known)
            return begin(stop)
        good = good and not is_long
        end, last = minute + MINUTE_MS, stop - stop % MINUTE_MS
        until = 0.0
        if known:
            to = min(end, stop)
            until = counted if to == stop else counted * ((to - start) / span)
            increment += until
            if good:
                covered += to - start
            else:
                bridged += to - start
        if stop < end:
            return Filling(minute, increment, covered, bridged)
        self._give(minute, increment, covered, bridged)
        if last > end:
            minutes, stretch = range(end, last, MINUTE_MS), (start, stop)
            if is_long:
                until = self._give_hours(minutes, stretch, counted, until)
            else:
                until = self._give_whole(minutes, stretch, counted, until, backing)
        if stop == last or not known:
            return begin(last)
        rest = float(stop - last)
        return Filling(last, 0.0 + counted - until, rest if good else 0.0, 0.0 if good else rest)

    def _give_whole(
        self, minutes: range, stretch: tuple[int, int], counted: float, until: float, backing: Backing
    ) -> float:
        """Give out minutes that are whole; returns what was counted at their end, as `until` is at their beginning."""
        start, stop = stretch
        span = stop - start
        coverage, quality = _WHOLE[backing]
        increments: Iterable[float | None] = repeat(None)
        if backing is not Backing.NOTHING:
            ends = range(minutes.start + MINUTE_MS, minutes.stop + MINUTE_MS, MINUTE_MS)
            upto = [until, *[counted if end == stop else counted * ((end - start) / span) for end in ends]]
            increments = [0.0 + after - before for before, after in pairwise(upto)]
            until = upto[-1]
        device = self._device
        columns = (
            repeat(device.device_id),
            repeat(self._quantity),
            minutes,
            repeat(device.site_id),
            increments,
            repeat(coverage),
            repeat(quality),
        )
        self._rows += built(MeterMinute, zip(*columns, strict=False))
        return until

    def _give_hours(self, minutes: range, stretch: tuple[int, int], counted: float, until: float) -> float:
        """Give out the hours of a long silence, each as its last minute; returns what `_give_whole` does."""
        start, stop = stretch
        at = minutes.start
        while at < minutes.stop:
            at = min(at - at % HOUR_MS + HOUR_MS, minutes.stop)
            upto = counted * ((at - start) / (stop - start))
            self._give(at - MINUTE_MS, upto - until, 0.0, MINUTE_MS)
            until = upto
        return until

    def _give(self, minute: int, increment: float, covered_ms: float, bridged_ms: float) -> None:
        device = self._device
        coverage = covered_ms / MINUTE_MS
        known = (covered_ms + bridged_ms) / MINUTE_MS
        quality = quality_of(coverage, estimated=bridged_ms > 0)
        if bridged_ms > 0 and known >= GOOD_COVERAGE:
            quality = Quality.ESTIMATED  # whole, but partly interpolated: a sliver of a jump is no small thing
        self._rows.append(
            MeterMinute(
                device.device_id,
                self._quantity,
                minute,
                device.site_id,
                increment if known else None,
                coverage,
                quality,
            )
        )
