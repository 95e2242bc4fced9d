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

        Silence of more than a week is spread over the hours it covers, whose sum stands in the first minute of each:
        estimated; silence of more than a month stands in the minute it begins in. What is unknown has no rows.
        """
        minute, increment, covered, bridged = filling
        span = stop - start
        known, good = backing is not Backing.NOTHING, backing is Backing.READINGS
        if span > LONG_SILENCE_MS:
            return self._spread_coarsely(filling, start, stop, counted if known else None)
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
            until = self._give_whole(range(end, last, MINUTE_MS), (start, stop), counted, until, backing)
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

    def _spread_coarsely(self, filling: Filling, start: int, stop: int, counted: float | None) -> Filling:
        minute, increment, covered, bridged = filling
        if counted is None:
            self._give(minute, increment, covered, bridged)
            return begin(stop)
        span = stop - start
        if span > SPREAD_MS:
            self._give(minute, increment + counted, covered, bridged + 1.0)
            return begin(stop)
        part = HOUR_MS
        last = stop - stop % MINUTE_MS
        at, done = minute, 0.0
        while at < last:
            following = min(at - at % part + part, last)
            until = counted * ((following - start) / span)
            self._give(at, increment + until - done, covered, bridged + 1.0)
            done, increment, covered, bridged = until, 0.0, 0.0, 0.0
            at = following
        return Filling(last, counted - done, 0.0, float(stop - last))

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
