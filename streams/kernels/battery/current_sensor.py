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
    may_show_none,
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

    sensor: CurrentSensor
    is_doubtful: bool = False
    """Whether what is counted now is no measurement."""
    doubted_from: int | None = None
    """Reading since which what was counted is none either, where that is told now."""


def unwatched(known: CurrentSensor, mean_v: float) -> SensorSeen:
    """Begin anew behind a gap, with the mean cell's voltage there."""
    return SensorSeen(CurrentSensor(after_gap(known.standing), Stillness(mean_v, mean_v), mean_v))


def watch(
    known: CurrentSensor, before: CurrentShown, now: CurrentShown, limits: Limits, sign: float, *, has_volts: bool
) -> SensorSeen:
    """Take a reading after the one before; `sign`: what the sensor's current is multiplied by to be a charge.

    `has_volts`: both readings have a pack's voltage.
    """
    elapsed, idle_a = now.ts - before.ts, limits.idle_a
    idle = Idle(abs(before.amps) < idle_a, abs(now.amps) < idle_a)
    standing = watched(known.standing, before, now, idle, sign)
    doubted_from = None
    if has_volts:
        is_still = now.amps == before.amps or (idle.before and idle.now)
        still, is_against = _followed(known, before, now, limits, sign, is_still=is_still)
        is_stuck = is_against or (known.is_stuck and is_still)
        if is_against and idle.now and not known.is_stuck:
            doubted_from = ALL_TS
    else:
        still, is_stuck = Stillness(now.mean_v, now.mean_v), False
    odd = is_odd(standing, now, elapsed, is_idle=idle.before)
    if odd and doubted_from is None and is_standing(standing, now, elapsed, is_idle=idle.before):
        doubted_from = standing_from(standing, now)
    return SensorSeen(CurrentSensor(standing, still, before.mean_v, is_stuck), odd or is_stuck, doubted_from)


def _followed(
    known: CurrentSensor, before: CurrentShown, now: CurrentShown, limits: Limits, sign: float, *, is_still: bool
) -> tuple[Stillness, bool]:
    """Follow the voltage, and whether it goes against the current."""
    elapsed, amps, float_v = now.ts - before.ts, sign * now.amps, limits.float_cell_v
    is_idle = abs(amps) < limits.idle_a
    within_v = reached(elapsed, known.earlier_v, before.mean_v, now.mean_v)
    is_full = is_idle and within_v.low_v >= float_v  # from here on anew: a float of weeks adds nothing
    charged_ah = (sign * before.amps + amps) / 2 * elapsed / HOUR_MS
    still = known.still.followed(within_v, charged_ah, is_still=is_still and not is_full)
    if still.ah and still.high_v < float_v:
        still = still._replace(ah=0.0)  # nor does a rest of weeks
    tells = is_idle or abs(amps) >= limits.firm_a  # less than a firm current may be an offset, not known here
    return still, tells and still.is_against(amps, within_v, limits)


def unsettled_from(sensor: CurrentSensor, now: CurrentShown, limits: Limits) -> int | None:
    """Reading since which what is counted may turn out to be none; None: nothing says so."""
    if abs(now.amps) < limits.idle_a and sensor.still.was_full(limits) and 0.0 < now.mean_v < limits.float_cell_v:
        return ALL_TS
    return standing_from(sensor.standing, now) if may_show_none(sensor.standing, now.amps) else None
