"""The quiet way of `PackMonitor`: many sets' next readings at once, while no quarter passes and no step tells a sign.

What stands here is `pack` once more, over columns; `pack` is the truth, and `tests/…/test_quiet.py` holds both equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING

import numpy as np

from schemas.metrics import BatteryLatest, built
from schemas.metrics.battery_health import BatteryFlag
from schemas.time import HOUR_MS, MINUTE_MS, QUARTER_MS
from streams.kernels.battery.current_sensor import CurrentSensor
from streams.kernels.battery.direction import sign_of
from streams.kernels.battery.pack import (
    PackMonitor,
    PackState,
)
from streams.kernels.battery.quiet_standing import STANDINGS, ShownFigures, follow_still, standing_of, watched_once
from streams.kernels.battery.quiet_standing import figures_of as standing_figures
from streams.kernels.battery.samples import Samples
from streams.kernels.battery.stillness import Stillness
from streams.kernels.battery.temperature_line import RATE_SPAN_MS, temperature_rates
from streams.kernels.figures import NAN, Layout, higher, listed, or_nan, or_none

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from schemas.metrics import Row
    from schemas.registry import Device
    from streams.kernels.battery.limits import Limits
    from streams.kernels.figures import Array, Mask

MINUTES = 8
"""Places of temperatures, by minute of the clock modulo their number: more than `RATE_SPAN_MS` and a minute hold."""


@dataclass(slots=True)
class PackFigures:
    """`PackState` as columns, and what a set is judged by."""

    ts: Array
    voltage_v: Array
    current_a: Array
    quarter: Array
    energy_in_kwh: Array
    energy_out_kwh: Array
    charge_ah: Array
    discharge_ah: Array
    covered_ms: Array
    spread_max_mv: Array
    temperature_max_c: Array
    rise_max_c: Array
    rate_max_c_min: Array
    standing: Array
    lowest_v: Array
    still_high_v: Array
    still_low_v: Array
    still_ah: Array
    earlier_v: Array
    sample_ts: Array
    sample_c: Array
    sign: Array
    gap_ms: Array
    step_a: Array
    idle_a: Array
    firm_a: Array
    float_cell_v: Array
    drained_cell_v: Array
    nominal_ah: Array


class QuietPackMonitor(PackMonitor):
    """`PackMonitor` with its quiet way."""

    samples = Samples
    layout = Layout(PackFigures, standing=STANDINGS, sample_ts=MINUTES, sample_c=MINUTES)
    says_how_it_stands = True

    def figures_of(self, state: PackState | None, device: Device) -> tuple[float, ...] | None:
        """A state as figures; None where its next reading is the scalar fold's."""
        return None if state is None else _figures_of(state, self._limits.of(device))

    def state_of(self, base: PackState, figures: Sequence[float]) -> PackState:
        """The state that figures stand for; `base` is the one they began as."""
        return _state_of(base, figures)

    def advance(self, figures: PackFigures, samples: Samples) -> tuple[Mask, Iterable[Row]]:
        """Take each set's next reading: which were quiet, and their rows; other sets' figures are worth nothing."""
        return _advance(figures, samples)


def _figures_of(state: PackState, limits: Limits) -> tuple[float, ...] | None:
    if None in {state.voltage_v, state.current_a, state.lowest_v} or state.doubted_v or state.idle_v:
        return None
    sensor = state.sensor
    if sensor.standing.against_ts or sensor.is_stuck:
        return None
    times, celsius = [NAN] * MINUTES, [NAN] * MINUTES
    for ts, hottest in state.temperatures:
        place = ts // MINUTE_MS % MINUTES
        times[place], celsius[place] = ts, hottest
    return (
        *map(or_nan, state[:13]),
        *standing_figures(sensor.standing),
        or_nan(state.lowest_v),
        *sensor.still,
        sensor.earlier_v,
        *times,
        *celsius,
        sign_of(state.votes),
        limits.device.gap_ms,
        limits.step_a,
        limits.idle_a,
        limits.firm_a,
        limits.float_cell_v,
        limits.drained_cell_v,
        limits.nominal_ah,
    )


def _state_of(base: PackState, figures: Sequence[float]) -> PackState:
    behind = 13 + STANDINGS
    lowest_v, *still, earlier_v = figures[behind : behind + 5]
    first = behind + 5
    times, celsius = figures[first : first + MINUTES], figures[first + MINUTES : first + 2 * MINUTES]
    samples = sorted((int(ts), hottest) for ts, hottest in zip(times, celsius, strict=True) if ts > 0)
    ts, volts, amps, quarter, *sums = figures[:9]
    peaks = map(or_none, figures[9:13])
    standing = standing_of(figures[13:behind])
    head = (int(ts), volts, amps, int(quarter), *sums, *peaks, tuple(samples))
    sign = (base.votes, base.doubted_v, base.idle_v, base.awaited)
    sensor = CurrentSensor(standing, Stillness._make(still), earlier_v)
    return PackState._make((*head, *sign, sensor, lowest_v, base.is_doubtful, base.unsettled))


def _advance(figures: PackFigures, samples: Samples) -> tuple[Mask, Iterable[Row]]:
    ts, before_ts = samples.ts, figures.ts
    step_a = samples.current_a - figures.current_a
    quiet: Mask = (
        (ts - before_ts <= figures.gap_ms)
        & (ts < figures.quarter + QUARTER_MS)
        & (step_a < figures.step_a)
        & (step_a > -figures.step_a)
    )
    was_idle, is_idle = np.abs(figures.current_a) < figures.idle_a, np.abs(samples.current_a) < figures.idle_a
    before_v, mean_v = figures.voltage_v / samples.cell_count, samples.pack_v / samples.cell_count
    earlier = ShownFigures(before_ts, figures.current_a, before_v, figures.lowest_v, was_idle)
    now = ShownFigures(ts, samples.current_a, mean_v, samples.lowest_v, is_idle)
    figures.standing, stands = watched_once(samples, figures.standing, earlier, now, figures.sign)
    amps = (figures.sign * figures.current_a, figures.sign * samples.current_a)
    against = follow_still(figures, earlier, now, amps, since_full=True)
    quiet &= ~(stands | (against & (is_idle | (np.abs(samples.current_a) >= figures.firm_a))))
    _integrate(figures, samples)
    spread_mv = (samples.highest_v - samples.lowest_v) * 1000
    rate = _temperature_rate(figures, samples)
    figures.spread_max_mv = higher(figures.spread_max_mv, spread_mv)
    figures.temperature_max_c = higher(figures.temperature_max_c, samples.hottest_c)
    figures.rise_max_c = higher(figures.rise_max_c, samples.hottest_c - samples.ambient_c)
    figures.rate_max_c_min = higher(figures.rate_max_c_min, rate)
    figures.ts, figures.voltage_v, figures.current_a = ts, samples.pack_v, samples.current_a
    figures.lowest_v = samples.lowest_v
    return quiet, _latest(figures.sign, samples, spread_mv, rate, quiet)


def _integrate(figures: PackFigures, samples: Samples) -> None:
    """`pack._integrate` over the whole time since the last reading."""
    from_v, from_a, sign = figures.voltage_v, figures.current_a, figures.sign
    rise_v, rise_a = samples.pack_v - from_v, samples.current_a - from_a
    volts_a, volts_b = from_v + rise_v * 0.0, from_v + rise_v * 1.0
    amps_a, amps_b = sign * (from_a + rise_a * 0.0), sign * (from_a + rise_a * 1.0)
    hours = (samples.ts - figures.ts) / HOUR_MS
    charge, discharge = split_trapezoids(amps_a, amps_b, hours)
    energy_in, energy_out = split_trapezoids(amps_a * volts_a / 1000, amps_b * volts_b / 1000, hours)
    figures.energy_in_kwh = figures.energy_in_kwh + energy_in
    figures.energy_out_kwh = figures.energy_out_kwh + energy_out
    figures.charge_ah = figures.charge_ah + charge
    figures.discharge_ah = figures.discharge_ah + discharge
    figures.covered_ms = figures.covered_ms + samples.ts - figures.ts


def split_trapezoids(a: Array, b: Array, hours: Array) -> tuple[Array, Array]:
    """`pack.split_trapezoid` of many lines."""
    area = (a + b) / 2 * hours
    above, below = (a >= 0) & (b >= 0), (a <= 0) & (b <= 0)
    if (above | below).all():  # nearly always
        return np.where(above, area, 0.0), np.where(above, 0.0, -area)
    crossing = a / (a - b)
    first, second = np.abs(a) / 2 * crossing * hours, np.abs(b) / 2 * (1 - crossing) * hours
    falls = a > 0
    up = np.where(above, area, np.where(below, 0.0, np.where(falls, first, second)))
    down = np.where(above, 0.0, np.where(below, -area, np.where(falls, second, first)))
    return up, down


def _temperature_rate(figures: PackFigures, samples: Samples) -> Array:
    """`pack._temperature_rate`."""
    ts, hottest = samples.ts, samples.hottest_c
    times, celsius = figures.sample_ts, figures.sample_c
    times[times < ts - ts % MINUTE_MS - RATE_SPAN_MS - MINUTE_MS] = NAN
    place, each = (ts // MINUTE_MS % MINUTES).astype(np.int64), np.arange(len(ts))
    times[place, each], celsius[place, each] = ts, hottest
    return temperature_rates(np.where(ts - times <= RATE_SPAN_MS, times, NAN), celsius)


def _latest(sign: Array, samples: Samples, spread_mv: Array, rate: Array, quiet: Mask) -> Iterator[BatteryLatest]:
    """`pack._latest` of quiet readings, with what `pack.view_of` says of the cells."""
    low, high, middle = samples.lowest_v, samples.highest_v, samples.median_v
    farthest = np.where(middle - low >= high - middle, low, high)
    worst = (samples.cells_v == farthest).argmax(axis=0) + 1
    reversed_ = BatteryFlag.REVERSED_CURRENT.value
    columns = zip(
        [device.device_id for device in samples.devices],
        [int(ts) for ts in samples.ts.tolist()],
        [device.site_id for device in samples.devices],
        samples.received_ts,
        samples.pack_v.tolist(),
        (sign * samples.current_a).tolist(),
        listed(samples.soc_pct),
        listed(samples.soh_pct),
        low.tolist(),
        high.tolist(),
        spread_mv.tolist(),
        worst.tolist(),
        samples.hottest_c.tolist(),
        listed(samples.hottest_c - samples.ambient_c),
        listed(rate),
        [reversed_ if each < 0 else "" for each in sign.tolist()],
        strict=True,
    )
    yield from built(BatteryLatest, compress(columns, quiet.tolist()))
