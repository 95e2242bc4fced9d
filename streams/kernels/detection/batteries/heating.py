"""A battery set's temperature: over-temperature at any current, and heat that it makes itself while it rests."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from schemas.metrics.signal import SignalKind
from streams.kernels.battery.temperature_line import POINT_MS, RATE_SPAN_MS, slope_of

if TYPE_CHECKING:
    from schemas.readings import BatteryReading
    from streams.kernels.battery.temperature_line import Points, TemperatureLine
    from streams.kernels.detection.batteries.channels import Temperatures
    from streams.kernels.detection.batteries.safety_verdicts import SetVerdicts

SHARED_C = 10.0
"""Another channel as near as this to the limit, or to the hottest, bears it out. (unsourced)"""
OWN_SHARE = 0.5
"""Of the height above ambient that is unusual, what T_max itself must have risen: an ambient that falls heats nothing.
(unsourced)"""


def over_temperature(verdicts: SetVerdicts, seen: Temperatures, *, only_rising: bool = False) -> float | None:
    """Judge the hottest channel that can be believed; returns what it shows."""
    hottest = max([celsius for celsius in seen.celsius if celsius is not None], default=None)
    if hottest is None:
        return None
    rules = verdicts.rules
    limit = rules.temperature_max_c
    if verdicts.is_active(SignalKind.OVER_TEMPERATURE):
        limit -= rules.temperature_deadband_c
    active = hottest > limit
    if not active and (only_rising or seen.missing):
        return hottest  # the channel that was hot shows nothing now: that is no all-clear
    if verdicts.has_to_say(SignalKind.OVER_TEMPERATURE, active=active):
        others = _others(seen, hottest)
        verdicts.say(
            SignalKind.OVER_TEMPERATURE,
            active=active,
            value=hottest,
            high=rules.temperature_max_c,
            evidence={
                "sensors_c": str([celsius for celsius in seen.celsius if celsius is not None]),
                "channel": seen.celsius.index(hottest) + 1,
                "may_be": verdicts.may_be(is_shared=any(other > limit - SHARED_C for other in others), others=others),
            },
        )
    return hottest


def judge(verdicts: SetVerdicts, reading: BatteryReading, seen: Temperatures) -> None:
    """Judge the temperatures of a reading: how hot it is at any current, whether it heats itself at rest."""
    hottest = over_temperature(verdicts, seen)
    if hottest is None:
        return
    line = _line_through(verdicts, reading.ts, hottest)
    if verdicts.is_idle(reading):
        _self_heating(verdicts, reading, seen, hottest, line)
    else:
        verdicts.state.warm = 0


def _line_through(verdicts: SetVerdicts, ts: int, hottest: float) -> TemperatureLine:
    """Draw the line through the last five minutes; every half minute there is another sample of it."""
    state = verdicts.state
    kept = kept_samples(state.temperatures, ts, hottest)
    if state.line is None or kept is not state.temperatures:
        state.temperatures, state.line = kept, slope_of(kept)
    return state.line


def kept_samples(kept: Points, ts: int, hottest: float) -> Points:
    """Samples of five minutes and half a minute apart, with one more if it is time for it."""
    if kept and ts - kept[0][0] > RATE_SPAN_MS:
        kept = tuple([sample for sample in kept if ts - sample[0] <= RATE_SPAN_MS])
    if not kept or ts - kept[-1][0] >= POINT_MS:
        kept = (*kept, (ts, hottest))
    return kept


def _self_heating(
    verdicts: SetVerdicts, reading: BatteryReading, seen: Temperatures, hottest: float, line: TemperatureLine
) -> None:
    """Judge the slope of T_max, and its height above the ambient: of which it must have risen by half itself."""
    state, rules = verdicts.state, verdicts.rules
    slope, scatter = line.slope, max(line.variance, state.scatter)
    error = math.sqrt(scatter / line.squares) if line.squares else 0.0
    is_steep = slope > max(rules.rate_max_c_min, rules.rate_errors * error)
    rise = None if seen.ambient is None else hottest - seen.ambient
    if state.hot is None:
        state.hot = hottest
    warm = 0
    usual, allowed = state.rise, math.inf
    if rise is not None and state.rests >= rules.rests_needed:
        allowed = max(rules.rise_min_c, rules.rise_sd * math.sqrt(state.rise_variance))
        above = rise - usual
        warm = state.warm + 1 if above > allowed and hottest - state.hot > OWN_SHARE * above else 0
    active = is_steep or warm >= rules.rise_readings
    if verdicts.has_to_say(SignalKind.SELF_HEATING, active=active):
        verdicts.say(
            SignalKind.SELF_HEATING,
            active=active,
            value=hottest if rise is None else rise,
            baseline=usual if state.rests else None,
            high=None if math.isinf(allowed) else usual + allowed,
            evidence={
                "rate_c_min": slope,
                "rate_error_c_min": error,
                "current_a": reading.current_a,
                "may_be": verdicts.may_be(is_shared=False, others=_others(seen, hottest)),
            },
        )
    if line.squares and not is_steep:
        state.scatter += (line.variance - state.scatter) / min(state.rests + 1, rules.memory_readings)
    if rise is not None and not active and not warm:
        state.rests += 1
        weight = 1 / min(state.rests, rules.memory_readings)
        coolest = min([celsius for celsius in seen.celsius if celsius is not None])
        state.hot += weight * (hottest - state.hot)
        state.cool = coolest if state.cool is None else state.cool + weight * (coolest - state.cool)
        off = rise - state.rise
        state.rise += weight * off
        state.rise_variance += weight * ((1 - weight) * off * off - state.rise_variance)
    state.warm = warm


def _others(seen: Temperatures, hottest: float) -> list[float]:
    """What the other channels show."""
    others = [celsius for celsius in seen.celsius if celsius is not None]
    others.remove(hottest)
    return others
