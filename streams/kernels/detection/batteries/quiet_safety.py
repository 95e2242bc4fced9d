"""The quiet way of `SetSafety`: many sets' next readings at once, while nothing is wrong with any of them.

A set is left to `set_safety` where any condition holds or has just ended, where a channel jumps or is too hot, a cell
is dead or far below its place, the temperature rises steeply or unusually far, and where a day or ten minutes pass.
What stands here is `heating`, `cell_sag` and `channels` once more, over columns; `tests/…/test_quiet.py` holds both to
the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from schemas.detection import own_rule
from schemas.time import DAY_MS, HOUR_MS, UTC_OFFSET_MS
from streams.kernels.battery.samples import SENSORS, Samples
from streams.kernels.battery.temperature_line import POINT_MS, RATE_SPAN_MS, TemperatureLine, slope_of
from streams.kernels.detection.batteries.cell_sag import CELLS, GAP_MS
from streams.kernels.detection.batteries.channels import JUMP_C, STALE_MS, Channels, TemperatureChannel
from streams.kernels.detection.batteries.dead_cells import DEAD_V
from streams.kernels.detection.batteries.heating import OWN_SHARE, kept_samples
from streams.kernels.detection.batteries.safety_state import SafetyState, copied
from streams.kernels.detection.batteries.set_safety import SetSafety
from streams.kernels.detection.batteries.stuck_sensors import LOOK_MS
from streams.kernels.figures import NAN, Layout, at_each, larger, or_nan, or_none, single

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.detection import BatteryRules
    from schemas.metrics import Row
    from schemas.registry import Device
    from streams.kernels.figures import Array, Mask

POINTS = 12
"""Places of the samples that the line of five minutes is drawn through: one every half minute, and one to spare."""


@dataclass(slots=True)
class SafetyFigures:
    """What quiet readings change of a `SafetyState`, as columns, and what a set is judged by."""

    ts: Array
    float_since: Array
    noise: Array
    floats: Array
    low_cell: Array
    rise: Array
    rise_variance: Array
    rests: Array
    scatter: Array
    day_current_a: Array
    day_readings: Array
    hot: Array
    cool: Array
    points: Array
    """How many samples the line is drawn through: their times and temperatures, oldest first, and the line."""
    point_ts: Array
    point_c: Array
    slope: Array
    variance: Array
    squares: Array
    places: Array
    day_sums: Array
    good_c: Array
    odd: Array
    good_ambient_c: Array
    odd_ambient: Array
    has_places: Array
    day: Array
    looked: Array
    limit_c: Array
    idle_a: Array
    rate_max_c_min: Array
    rate_errors: Array
    rests_needed: Array
    rise_min_c: Array
    rise_sd: Array
    memory_readings: Array
    cells_needed: Array
    float_cell_v: Array
    settle_ms: Array
    sag_z: Array
    cell_noise_mv: Array
    floats_needed: Array


LAYOUT = Layout(
    SafetyFigures,
    point_ts=POINTS,
    point_c=POINTS,
    places=CELLS,
    day_sums=CELLS,
    good_c=SENSORS,
    odd=SENSORS,
)


class QuietSetSafety(SetSafety):
    """`SetSafety` with its quiet way."""

    samples = Samples
    layout = LAYOUT
    says_how_it_stands = False

    def figures_of(self, state: SafetyState, device: Device) -> tuple[float, ...] | None:
        """A state as figures; None where a condition holds, or not enough is known of the set yet."""
        rules = own_rule(self._rules, "battery", device.detection)
        battery, channels = device.battery, state.channels
        if (
            battery is None
            or state.hot is None
            or state.cool is None
            or state.sagging
            or state.dead_cell
            or state.warm
            or state.seen_cells != (1 << battery.cell_count) - 1
            or channels.ts != state.ts
            or not 0 < len(channels.inside) <= SENSORS
            or any(channel.good is None for channel in channels.inside)
            or any(standing.samples or standing.active for standing in state.standings)
        ):
            return None
        return _figures_of(state, rules, battery.nominal_ah)

    def state_of(self, base: SafetyState, figures: Sequence[float]) -> SafetyState:
        """The state that figures stand for; `base` is the one they began as."""
        return _state_of(base, figures)

    def advance(self, figures: SafetyFigures, samples: Samples) -> tuple[Mask, list[Row]]:
        """Take each set's next reading: which were quiet; a quiet one gives no row."""
        quiet = _is_same_stretch(figures, samples.ts) & (samples.lowest_v >= DEAD_V)
        quiet &= _channels(figures, samples)
        _line(figures, samples)
        idle: Mask = np.abs(samples.current_a) < figures.idle_a
        quiet &= ~(idle & _heats(figures, samples))
        _rest(figures, samples, idle)
        quiet &= _float(figures, samples, idle)
        figures.ts = samples.ts
        return quiet, []


def _figures_of(state: SafetyState, rules: BatteryRules, nominal_ah: float) -> tuple[float, ...]:
    points, channels = state.temperatures, state.channels
    line = slope_of(points) if state.line is None else state.line
    no_points, no_sensors = [NAN] * (POINTS - len(points)), [NAN] * (SENSORS - len(channels.inside))
    return (
        state.ts,
        state.float_since,
        state.noise,
        state.floats,
        state.low_cell,
        state.rise,
        state.rise_variance,
        state.rests,
        state.scatter,
        state.day_current_a,
        state.day_readings,
        or_nan(state.hot),
        or_nan(state.cool),
        len(points),
        *[ts for ts, _ in points],
        *no_points,
        *[celsius for _, celsius in points],
        *no_points,
        *line,
        *(state.places or (NAN,) * CELLS),
        *(state.day_sums or (0.0,) * CELLS),
        *[or_nan(channel.good) for channel in channels.inside],
        *no_sensors,
        *[channel.odd for channel in channels.inside],
        *no_sensors,
        or_nan(channels.ambient.good),
        channels.ambient.odd,
        bool(state.places),
        state.day,
        state.sensors.looked,
        rules.temperature_max_c,
        rules.idle_c_rate * nominal_ah,
        rules.rate_max_c_min,
        rules.rate_errors,
        rules.rests_needed,
        rules.rise_min_c,
        rules.rise_sd,
        rules.memory_readings,
        rules.cells_needed,
        rules.float_cell_v,
        rules.float_settle_h * HOUR_MS,
        rules.sag_z,
        rules.cell_noise_mv,
        rules.floats_needed,
    )


def _state_of(base: SafetyState, figures: Sequence[float]) -> SafetyState:
    known, state = LAYOUT.named(figures), copied(base)
    for name in ("ts", "float_since", "floats", "low_cell", "rests", "day_readings"):
        setattr(state, name, int(known[name]))
    for name in ("noise", "rise", "rise_variance", "scatter", "day_current_a", "hot", "cool"):
        setattr(state, name, known[name])
    count = int(known["points"])
    state.temperatures = tuple(zip(map(int, known["point_ts"][:count]), known["point_c"][:count], strict=True))
    state.line = TemperatureLine(known["slope"], known["variance"], known["squares"])
    state.places = tuple(known["places"]) if known["has_places"] else ()
    state.day_sums = tuple(known["day_sums"]) if state.day_readings else ()
    inside, ambient = base.channels.inside, base.channels.ambient
    state.channels = Channels(
        state.ts,
        tuple(
            TemperatureChannel(good, channel.before, int(odd))
            for channel, good, odd in zip(inside, known["good_c"], known["odd"], strict=False)
        ),
        TemperatureChannel(or_none(known["good_ambient_c"]), ambient.before, int(known["odd_ambient"])),
    )
    return state


def _is_same_stretch(figures: SafetyFigures, ts: Array) -> Mask:
    """Whether no gap, no day and no ten minutes of the clock have passed since the last reading."""
    same: Mask = (
        (ts - figures.ts <= min(STALE_MS, GAP_MS))
        & ((ts + UTC_OFFSET_MS) // DAY_MS == figures.day)
        & (ts // LOOK_MS == figures.looked)
    )
    return same


def _channels(figures: SafetyFigures, samples: Samples) -> Mask:
    """`channels._steady`; an ambient that is not sent is none that has changed."""
    sensors, ambient = samples.sensors_c, samples.ambient_c
    good, no_sensor, no_ambient = figures.good_c, np.isnan(samples.sensors_c), np.isnan(ambient)
    steady = (sensors - good >= -JUMP_C) & (sensors - good <= JUMP_C) & (sensors < figures.limit_c)
    change_c = ambient - figures.good_ambient_c
    quiet: Mask = np.logical_and.reduce(steady | (no_sensor & np.isnan(good)))
    quiet &= no_ambient | ((change_c >= -JUMP_C) & (change_c <= JUMP_C))
    figures.good_c = np.where((good == sensors) & (figures.odd == 0), good, sensors)
    figures.odd = np.where(no_sensor, figures.odd, 0.0)
    stays = no_ambient | ((figures.good_ambient_c == ambient) & (figures.odd_ambient == 0))
    figures.good_ambient_c = np.where(stays, figures.good_ambient_c, ambient)
    figures.odd_ambient = np.where(no_ambient, figures.odd_ambient, 0.0)
    return quiet


def _line(figures: SafetyFigures, samples: Samples) -> None:
    """`heating._line_through`: where there is another sample, the line is drawn anew, set by set."""
    ts, count = samples.ts, figures.points.astype(np.int64)
    times, celsius = figures.point_ts, figures.point_c
    newest = at_each(times, np.maximum(count - 1, 0))
    is_due = (count == 0) | (ts - times[0] > RATE_SPAN_MS) | (ts - newest >= POINT_MS)
    for at in np.flatnonzero(is_due).tolist():
        had = count[at]
        points = tuple(zip(map(int, times[:had, at].tolist()), celsius[:had, at].tolist(), strict=True))
        points = kept_samples(points, int(ts[at]), float(samples.hottest_c[at]))
        figures.points[at] = len(points)
        for number, (each_ts, each_c) in enumerate(points):
            times[number, at], celsius[number, at] = each_ts, each_c
        figures.slope[at], figures.variance[at], figures.squares[at] = slope_of(points)


def _heats(figures: SafetyFigures, samples: Samples) -> Mask:
    """Whether a set at rest rises steeply, or stands unusually far above the ambient (`heating._self_heating`)."""
    scatter = larger(figures.variance, figures.scatter)
    error = np.where(figures.squares != 0.0, np.sqrt(scatter / figures.squares), 0.0)
    is_steep: Mask = figures.slope > larger(figures.rate_max_c_min, figures.rate_errors * error)
    above = samples.hottest_c - samples.ambient_c - figures.rise
    allowed = larger(figures.rise_min_c, figures.rise_sd * np.sqrt(figures.rise_variance))
    is_warm: Mask = (figures.rests >= figures.rests_needed) & (above > allowed)
    is_warm &= samples.hottest_c - figures.hot > OWN_SHARE * above
    return is_steep | is_warm


def _rest(figures: SafetyFigures, samples: Samples, idle: Mask) -> None:
    """Learn from a set at rest what is usual of its temperature."""
    has_line = idle & (figures.squares != 0.0)
    usual_over = np.minimum(figures.rests + 1, figures.memory_readings)
    scatter = figures.scatter + (figures.variance - figures.scatter) / usual_over
    figures.scatter = np.where(has_line, scatter, figures.scatter)
    learns = idle & ~np.isnan(samples.ambient_c)
    rests = figures.rests + 1
    weight = 1 / np.minimum(rests, figures.memory_readings)
    off = samples.hottest_c - samples.ambient_c - figures.rise
    hot = figures.hot + weight * (samples.hottest_c - figures.hot)
    cool = figures.cool + weight * (samples.coolest_c - figures.cool)
    variance = figures.rise_variance + weight * ((1 - weight) * off * off - figures.rise_variance)
    figures.rests = np.where(learns, rests, figures.rests)
    figures.hot = np.where(learns, hot, figures.hot)
    figures.cool = np.where(learns, cool, figures.cool)
    figures.rise = np.where(learns, figures.rise + weight * off, figures.rise)
    figures.rise_variance = np.where(learns, variance, figures.rise_variance)


def _float(figures: SafetyFigures, samples: Samples, idle: Mask) -> Mask:
    """`cell_sag.judge`: hold the cells of a set in settled float against their places, and learn from them."""
    ts, volts = samples.ts, samples.median_v
    floats: Mask = idle & (samples.cell_count >= figures.cells_needed) & (volts >= figures.float_cell_v)
    began = figures.float_since
    learns = floats & (began != 0) & (ts - began >= figures.settle_ms)
    figures.float_since = np.where(floats, np.where(began == 0, ts, began), 0.0)
    figures.low_cell = np.where(~floats | learns, 0.0, figures.low_cell)
    if not learns.any():
        return np.ones_like(learns)
    off = (samples.cells_v - volts) * 1000
    falls = off - figures.places
    is_unknown = np.isnan(falls)
    root = np.sqrt(figures.noise)
    far = figures.sag_z * larger(root, figures.cell_noise_mv)
    is_low = (figures.floats >= figures.floats_needed) & (np.where(is_unknown, np.inf, falls).min(axis=0) < -far)
    weight = 1 / np.minimum(figures.floats + 1, figures.memory_readings)
    known = CELLS - np.count_nonzero(is_unknown, axis=0)
    total = np.zeros_like(weight)
    for squares in np.where(is_unknown, 0.0, falls * falls):  # in this order
        total = total + squares
    square = np.where(known > 0, total / known, figures.noise)
    places = np.where(
        is_unknown, np.where(np.isnan(figures.places), off, figures.places), figures.places + weight * falls
    )
    figures.places = np.where(learns, single(places), figures.places)
    figures.noise = np.where(learns, figures.noise + weight * (square - figures.noise), figures.noise)
    figures.floats = np.where(learns, figures.floats + 1, figures.floats)
    figures.day_sums = np.where(learns, single(figures.day_sums + off), figures.day_sums)
    figures.day_current_a = np.where(learns, figures.day_current_a + samples.current_a, figures.day_current_a)
    figures.day_readings = np.where(learns, figures.day_readings + 1, figures.day_readings)
    quiet: Mask = ~learns | ((figures.has_places != 0) & ~is_low)
    return quiet
