"""A set's current sensor as its quarters of an hour know it: whether what it shows is counted as a measurement.

`standing` and `stillness` tell; what stands here is since when, and from when on they may come to tell it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schemas.time import HOUR_MS
from streams.kernels.battery.standing import (
    NEW,
    CurrentShown,
    CurrentStanding,
    Idle,
    after_gap,
    is_odd,
    is_standing,
    may_be_told,
    standing_from,
    watched,
)
from streams.kernels.battery.stillness import Stillness, reached

if TYPE_CHECKING:
    from streams.kernels.battery.limits import Limits

ALL_TS = 0
"""Since which nobody knows: all that is known of the stretch."""


class CurrentSensor(NamedTuple):
    """What is known of a sensor."""

    standing: CurrentStanding = NEW
    still: Stillness = Stillness()
    earlier_v: float = 0.0
    """Mean cell voltage at the reading before the last one."""
    is_stuck: bool = False
    """Whether the voltage has gone where the current that stands cannot take it."""


class SensorSeen(NamedTuple):
    """A sensor one reading later."""

    sensor: CurrentSensor = CurrentSensor()
    is_doubtful: bool = False
    """Whether what is counted now is no measurement."""
    doubted_from: int | None = None
    """Reading since which what was counted is none either, where that is told now."""
    unsettled_from: int | None = None
    """Reading since which what is counted may turn out to be none; None: nothing says so."""


def unwatched(known: CurrentSensor, mean_v: float) -> SensorSeen:
    """Begin anew behind a gap, with the mean cell's voltage there."""
    return SensorSeen(CurrentSensor(after_gap(known.standing), Stillness(mean_v, mean_v), mean_v))


def watch(
    known: CurrentSensor, before: CurrentShown, now: CurrentShown, limits: Limits, sign: float, *, has_volts: bool
) -> SensorSeen:
    """Take a reading after the one before; `sign`: what the sensor's current is multiplied by to be a charge.

    `has_volts`: both readings have a pack's voltage.
    """
    elapsed, idle = now.ts - before.ts, Idle(*[abs(each.amps) < limits.idle_a for each in (before, now)])
    standing = watched(known.standing, before, now, idle, sign)
    still, is_stuck, is_drained, may_drain = Stillness(now.mean_v, now.mean_v), False, False, False
    if has_volts:
        before_a, amps = sign * before.amps, sign * now.amps
        within_v = reached(elapsed, known.earlier_v, before.mean_v, now.mean_v)
        is_still = now.amps == before.amps or (idle.before and idle.now)
        is_full = idle.now and within_v.low_v >= limits.float_cell_v  # from here on anew: a float of weeks adds nothing
        charged_ah = (before_a + amps) / 2 * elapsed / HOUR_MS
        still = known.still.followed(within_v, charged_ah, is_still=is_still and not is_full)
        if still.high_v < limits.float_cell_v:
            still = still._replace(ah=0.0)  # nor does a rest of weeks
        tells = idle.now or abs(amps) >= limits.firm_a  # less than a firm current may be an offset, not known here
        is_against = tells and still.is_against(amps, within_v, limits)
        is_stuck = is_against or (known.is_stuck and is_still)
        is_drained = is_against and idle.now and not known.is_stuck
        may_drain = idle.now and still.was_full(limits) and now.mean_v < limits.float_cell_v
    doubted_from = unsettled_from = None
    if is_drained:
        doubted_from = ALL_TS
    elif is_standing(standing, now, elapsed, is_idle=idle.before):
        doubted_from = standing_from(standing, now)
    if may_drain:
        unsettled_from = ALL_TS
    elif may_be_told(standing, now.amps):
        unsettled_from = standing_from(standing, now)
    is_doubtful = is_stuck or is_odd(standing, now, elapsed, is_idle=idle.before)
    sensor = CurrentSensor(standing, still, before.mean_v, is_stuck)
    return SensorSeen(sensor, is_doubtful, doubted_from, unsettled_from)
