"""The quiet way of `SetHealth`: many sets' next readings at once, while each stays on float.

Most sets float nearly always: charge is counted, and sums of the hour and of the episode grow. Whatever ends that, a
step, a gap, an hour that passes, a voltage that contradicts the current, is left to the `Tracker`.
What stands here is its way once more, over columns; `tests/…/test_quiet.py` holds both to the same bits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from itertools import compress
from typing import TYPE_CHECKING

import numpy as np

from schemas.metrics.battery_health import BatteryFlag, BatteryState
from schemas.time import HOUR_MS, MINUTE_MS
from streams.kernels.battery.direction import sign_of
from streams.kernels.battery.quiet_pack import split_trapezoids
from streams.kernels.battery.samples import CELLS, Samples
from streams.kernels.battery.tracking.contradiction import AGAINST_V, ANSWERED, UNSEEN_AH
from streams.kernels.battery.tracking.flags import SENTINELS_SOH_PCT, text_of
from streams.kernels.battery.tracking.flow import FLOAT, LEAVE_FLOAT_V, LEAVE_IDLE
from streams.kernels.battery.tracking.health import SetHealth
from streams.kernels.battery.tracking.hours import CONDITION
from streams.kernels.battery.tracking.loading import MS_PER_H
from streams.kernels.battery.tracking.soc import charge_doubts
from streams.kernels.battery.tracking.tracker import POWER_SPAN_MS
from streams.kernels.figures import Layout, higher, larger, listed, lower, or_nan, or_none, smaller

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.metrics import Row
    from schemas.registry import Device
    from streams.kernels.battery.limits import Limits
    from streams.kernels.battery.tracking.set_state import SetState
    from streams.kernels.figures import Array, Mask

ON_FLOAT = CONDITION[FLOAT]


@dataclass(slots=True)
class HealthFigures:
    """What readings on float change of a `SetState`, as columns, and what a set is judged by."""

    ts: Array
    raw_a: Array
    amps: Array
    volts: Array
    cell_v: Array
    soc: Array
    soc_sigma: Array
    held: Array
    still_high_v: Array
    still_low_v: Array
    still_ah: Array
    asked_v: Array
    power_w: Array
    bms_soc: Array
    bms_soc_ref: Array
    bms_soh: Array
    bms_soh_since: Array
    bms_soh_moved: Array

    charge_ah: Array
    """Of the episode."""
    energy_kwh: Array
    episode_ms: Array
    temperature_start_c: Array
    temperature_min_c: Array
    temperature_max_c: Array
    temperature_last_c: Array
    temperature_sum: Array
    temperature_ms: Array

    covered_ms: Array
    """Of the hour."""
    float_ms: Array
    settled_ms: Array
    settled_a: Array
    float_a: Array
    hour_temperature_sum: Array
    hour_temperature_ms: Array
    temperature_spread_c: Array
    has_cells: Array
    cell_sums: Array
    cell_counts: Array

    doing_since: Array
    """From here on nothing changes."""
    hour_ends: Array
    dark_ts: Array
    asked_from_v: Array
    sign: Array
    offset_a: Array
    is_offset: Array
    refresh_ms: Array
    cell_count: Array
    near_end_v: Array
    gap_ms: Array
    bridged_gap_ms: Array
    step_a: Array
    idle_a: Array
    firm_a: Array
    float_cell_v: Array
    drained_cell_v: Array
    nominal_ah: Array
    settled_after_ms: Array
    full_after_ms: Array
    sigma_full: Array
    capacity_ah: Array
    capacity_doubt: Array
    sensor_a: Array
    frozen_after: Array
    odd_difference: Array
    frozen_ms: Array


LAYOUT = Layout(HealthFigures, cell_sums=CELLS, cell_counts=CELLS)
STATE = (
    "raw_a",
    "amps",
    "volts",
    "cell_v",
    "soc_sigma",
    "still_high_v",
    "still_low_v",
    "still_ah",
    "asked_v",
    "power_w",
)
"""Of a `SetState`, by the same name and always known."""
EPISODE = {
    "charge_ah": "charge_ah",
    "energy_kwh": "energy_kwh",
    "temperature_start_c": "temperature_start_c",
    "temperature_min_c": "temperature_min_c",
    "temperature_max_c": "temperature_max_c",
    "temperature_last_c": "temperature_last_c",
    "temperature_sum": "temperature_sum",
}
HOUR = {
    "settled_a": "settled_a",
    "float_a": "float_a",
    "hour_temperature_sum": "temperature_sum",
    "temperature_spread_c": "temperature_spread_c",
}


class QuietSetHealth(SetHealth):
    """`SetHealth` with its quiet way."""

    samples = Samples
    layout = LAYOUT

    def figures_of(self, state: SetState | None, device: Device) -> tuple[float, ...] | None:
        """A state as figures; None of a set that does not float, or of which something else is waited for."""
        if (
            state is None
            or state.doing is not FLOAT
            or state.episode.kind is not FLOAT
            or state.recharge is not None
            or state.dark_since is not None
            or state.doubted_v
            or state.is_stuck
        ):
            return None
        return _figures_of(state, self._limits.of(device), self.snapshot_ms)

    def state_of(self, base: SetState, figures: Sequence[float]) -> SetState:
        """The state that figures stand for; `base` is the one they began as."""
        return _state_of(base, figures)

    def advance(self, figures: HealthFigures, samples: Samples) -> tuple[Mask, list[Row]]:
        """Take each set's next reading: which were quiet, and their rows, once a minute."""
        f, ts, raw = figures, samples.ts, samples.current_a
        elapsed, step_a = ts - f.ts, raw - f.raw_a
        before, amps = f.sign * f.raw_a - f.offset_a, f.sign * raw - f.offset_a
        quiet: Mask = (
            (elapsed <= f.gap_ms)
            & (ts < f.hour_ends)
            & (ts // f.refresh_ms == f.ts // f.refresh_ms)
            & (samples.lowest_v > f.near_end_v)
            & (step_a < f.step_a)
            & (step_a > -f.step_a)
            & (np.abs(amps - before) < f.step_a)
            & _floats(f, amps, samples.pack_v / f.cell_count)
        )
        quiet &= _watch_current(f, samples, before, amps)
        _add_time(f, elapsed)
        _flow(f, samples.pack_v, elapsed, before, amps)
        passed = quiet & (ts // MINUTE_MS != larger(f.ts, f.dark_ts) // MINUTE_MS)
        f.power_w = f.power_w - (amps * samples.pack_v + f.power_w) * _share(elapsed)
        f.ts, f.raw_a, f.amps, f.volts, f.cell_v = ts, raw, amps, samples.pack_v, samples.lowest_v
        is_full = ts - f.doing_since >= f.full_after_ms
        f.soc, f.soc_sigma = np.where(is_full, 1.0, f.soc), np.where(is_full, f.sigma_full, f.soc_sigma)
        f.held = np.where(is_full, 0.0, f.held)
        rows = _now(f, samples, passed)
        f.cell_sums, f.cell_counts = f.cell_sums + samples.cells_v, f.cell_counts + 1
        f.has_cells = np.ones_like(ts)
        _add_temperatures(f, samples, larger(np.ones_like(elapsed), smaller(elapsed, f.bridged_gap_ms)))
        _note_bms(f, samples)
        return quiet, rows


def _figures_of(state: SetState, limits: Limits, refresh_ms: int) -> tuple[float, ...]:
    episode, hour, rules = state.episode, state.hour, limits.reference
    sums, counts = hour.cell_sums[ON_FLOAT], hour.cell_counts[ON_FLOAT]
    no_cells = (math.nan,) * (CELLS - limits.cell_count)
    zeros = (0.0,) * limits.cell_count
    capacity_ah, capacity_doubt, sensor_a = charge_doubts(state, limits)
    return (
        state.ts,
        state.raw_a,
        state.amps,
        state.volts,
        state.cell_v,
        or_nan(state.soc),
        state.soc_sigma,
        state.held,
        state.still_high_v,
        state.still_low_v,
        state.still_ah,
        state.asked_v,
        state.power_w,
        or_nan(state.bms_soc),
        or_nan(state.bms_soc_ref),
        or_nan(state.bms_soh),
        state.bms_soh_since,
        state.bms_soh_moved,
        episode.charge_ah,
        episode.energy_kwh,
        episode.covered_ms,
        or_nan(episode.temperature_start_c),
        or_nan(episode.temperature_min_c),
        or_nan(episode.temperature_max_c),
        or_nan(episode.temperature_last_c),
        episode.temperature_sum,
        episode.temperature_ms,
        hour.covered_ms,
        hour.float_ms,
        hour.settled_ms,
        hour.settled_a,
        hour.float_a,
        hour.temperature_sum,
        hour.temperature_ms,
        or_nan(hour.temperature_spread_c),
        bool(sums),
        *(sums or zeros),
        *no_cells,
        *(counts or zeros),
        *no_cells,
        state.doing_since,
        hour.start_ts + HOUR_MS,
        state.dark_ts,
        state.asked_from_v,
        sign_of(state.votes),
        state.offset_a or 0.0,
        state.offset_a is not None and abs(state.offset_a) >= limits.offset_alarm_a,
        refresh_ms,
        limits.cell_count,
        limits.near_end_v,
        limits.gap_ms,
        limits.bridged_gap_ms,
        limits.step_a,
        limits.idle_a,
        limits.firm_a,
        limits.float_cell_v,
        limits.drained_cell_v if limits.has_curve else -math.inf,
        limits.nominal_ah,
        limits.full_after_ms,
        -math.inf if limits.full_by_voltage else limits.full_after_ms,
        limits.chemistry.sigma_full_percent / 100,
        capacity_ah,
        capacity_doubt,
        sensor_a,
        rules.soc.frozen_after,
        rules.soc.odd_difference,
        rules.times.frozen_ms,
    )


def _state_of(base: SetState, figures: Sequence[float]) -> SetState:
    known, state = LAYOUT.named(figures), base.copied()
    episode, hour = state.episode, state.hour
    for name in STATE:
        setattr(state, name, known[name])
    for name in ("soc", "bms_soc", "bms_soc_ref", "bms_soh"):
        setattr(state, name, or_none(known[name]))
    state.ts, state.bms_soh_since = int(known["ts"]), int(known["bms_soh_since"])
    state.held, state.bms_soh_moved = bool(known["held"]), bool(known["bms_soh_moved"])
    for name, field in EPISODE.items():
        setattr(episode, field, or_none(known[name]))
    episode.covered_ms, episode.temperature_ms = int(known["episode_ms"]), int(known["temperature_ms"])
    episode.pack_end_v = state.volts
    for name, field in HOUR.items():
        setattr(hour, field, or_none(known[name]))
    hour.covered_ms, hour.float_ms = int(known["covered_ms"]), int(known["float_ms"])
    hour.settled_ms, hour.temperature_ms = int(known["settled_ms"]), int(known["hour_temperature_ms"])
    if known["has_cells"]:
        count = int(known["cell_count"])
        hour.cell_sums[ON_FLOAT] = list(known["cell_sums"][:count])
        hour.cell_counts[ON_FLOAT] = [int(each) for each in known["cell_counts"][:count]]
    return state


def _floats(f: HealthFigures, amps: Array, mean_v: Array) -> Mask:
    """Whether a set that floated still does (`flow.doing_now`)."""
    still: Mask = (amps <= LEAVE_IDLE * f.idle_a) & (amps >= -f.firm_a) & (mean_v >= f.float_cell_v - LEAVE_FLOAT_V)
    return still


def _watch_current(f: HealthFigures, samples: Samples, before: Array, amps: Array) -> Mask:
    """`contradiction.watch_current`: whether the voltage goes with the current."""
    mean_v = samples.pack_v / f.cell_count
    idle = np.abs(amps) < f.idle_a
    stands = (samples.current_a == f.raw_a) | (idle & (np.abs(before) < f.idle_a))
    charged_ah = (before + amps) / 2 * (samples.ts - f.ts) / MS_PER_H
    f.still_high_v = np.where(stands, larger(f.still_high_v, mean_v), mean_v)
    f.still_low_v = np.where(stands, smaller(f.still_low_v, mean_v), mean_v)
    f.still_ah = np.where(stands, f.still_ah + charged_ah, 0.0)
    gone = np.where(amps < 0, mean_v - f.still_low_v, f.still_high_v - mean_v)
    is_drained = (
        (f.still_high_v >= f.float_cell_v) & (mean_v < f.drained_cell_v) & (f.still_ah > -UNSEEN_AH * f.nominal_ah)
    )
    against = np.where(idle, is_drained, gone >= AGAINST_V)
    unanswered = (f.asked_v != 0.0) & ((mean_v - f.asked_from_v) / f.asked_v < ANSWERED)
    f.asked_v = np.zeros_like(mean_v)
    agrees: Mask = ~(against | unanswered)
    return agrees


def _add_time(f: HealthFigures, elapsed: Array) -> None:
    """`hours.add_time` of sets on float."""
    flowed = f.sign * f.raw_a * elapsed
    is_settled = f.ts - f.doing_since >= f.settled_after_ms
    f.covered_ms, f.float_ms, f.float_a = f.covered_ms + elapsed, f.float_ms + elapsed, f.float_a + flowed
    f.settled_ms = np.where(is_settled, f.settled_ms + elapsed, f.settled_ms)
    f.settled_a = np.where(is_settled, f.settled_a + flowed, f.settled_a)


def _flow(f: HealthFigures, volts: Array, elapsed: Array, before: Array, amps: Array) -> None:
    """Count charge into the SoC and the episode (`soc.count_charge`, `Tracker._add`)."""
    charged, drawn = split_trapezoids(before, amps, elapsed / MS_PER_H)
    net_ah, moved_ah = charged - drawn, charged + drawn
    sigma = f.soc_sigma + (f.sensor_a * elapsed / MS_PER_H + f.capacity_doubt * moved_ah) / f.capacity_ah
    f.soc_sigma = np.where(np.isnan(f.soc), f.soc_sigma, smaller(np.ones_like(sigma), sigma))
    counted = larger(np.zeros_like(sigma), f.soc + net_ah / f.capacity_ah)
    f.soc = np.where(np.isnan(f.soc), f.soc, smaller(np.ones_like(sigma), counted))
    f.charge_ah = f.charge_ah + net_ah
    f.energy_kwh = f.energy_kwh + net_ah * (volts + f.volts) / 2000
    f.episode_ms = f.episode_ms + elapsed


def _share(elapsed: Array) -> Array:
    """How much of a mean a reading after so long makes up: by Python's `exp`, as that of arrays may end otherwise."""
    each, where = np.unique(elapsed, return_inverse=True)
    shares = np.array([1.0 - math.exp(-lasted / POWER_SPAN_MS) for lasted in each.tolist()])
    found: Array = shares[where]
    return found


def _add_temperatures(f: HealthFigures, samples: Samples, lasted: Array) -> None:
    """`hours.add_temperatures`."""
    mean, spread = samples.mean_c, samples.hottest_c - samples.coolest_c
    f.temperature_start_c = np.where(np.isnan(f.temperature_min_c), mean, f.temperature_start_c)
    f.temperature_min_c = lower(f.temperature_min_c, mean)
    f.temperature_max_c = higher(f.temperature_max_c, mean)
    f.temperature_last_c = mean
    f.temperature_sum = f.temperature_sum + mean * lasted
    f.temperature_ms = f.temperature_ms + lasted
    f.hour_temperature_sum = f.hour_temperature_sum + mean * lasted
    f.hour_temperature_ms = f.hour_temperature_ms + lasted
    f.temperature_spread_c = higher(f.temperature_spread_c, spread)


def _note_bms(f: HealthFigures, samples: Samples) -> None:
    """`soc.note_bms`."""
    soc, soh = samples.soc_pct, samples.soh_pct
    moved = ~np.isnan(soc) & ((soc != f.bms_soc) | np.isnan(f.bms_soc_ref))
    f.bms_soc, f.bms_soc_ref = np.where(moved, soc, f.bms_soc), np.where(moved, f.soc, f.bms_soc_ref)
    moved = ~np.isnan(soh) & (soh != f.bms_soh)
    f.bms_soh_moved = np.where(moved, ~np.isnan(f.bms_soh), f.bms_soh_moved)
    f.bms_soh, f.bms_soh_since = np.where(moved, soh, f.bms_soh), np.where(moved, samples.ts, f.bms_soh_since)


def _now(f: HealthFigures, samples: Samples, passed: Mask) -> list[Row]:
    """`set_rows.now` of sets to which a minute has passed."""
    at = np.flatnonzero(passed)
    if not len(at):
        return []
    soc, sigma, bms_soc, bms_soh = f.soc[at], f.soc_sigma[at], f.bms_soc[at], f.bms_soh[at]
    flags = zip(
        (f.sign[at] < 0).tolist(),
        (f.is_offset[at] != 0).tolist(),
        (f.held[at] != 0).tolist(),
        (~np.isnan(bms_soc) & (np.abs(soc - f.bms_soc_ref[at]) >= f.frozen_after[at])).tolist(),
        (np.abs(bms_soc / 100 - soc) >= f.odd_difference[at] + sigma).tolist(),
        (
            np.isin(bms_soh, SENTINELS_SOH_PCT)
            & (f.bms_soh_moved[at] == 0)
            & (f.ts[at] - f.bms_soh_since[at] >= f.frozen_ms[at])
        ).tolist(),
        strict=True,
    )
    devices = [samples.devices[each] for each in at.tolist()]
    nothing = [None] * len(at)
    columns = zip(
        [device.device_id for device in devices],
        [int(ts) for ts in (f.ts[at] - f.ts[at] % MINUTE_MS).tolist()],
        [device.site_id for device in devices],
        [FLOAT] * len(at),
        [int(since) for since in f.doing_since[at].tolist()],
        listed(100 * soc),
        listed(np.where(np.isnan(soc), np.nan, 100 * sigma)),
        listed(bms_soc),
        nothing,
        f.power_w[at].tolist(),
        nothing,
        nothing,
        [_text(*each) for each in flags],
        strict=True,
    )
    return list(map(BatteryState._make, columns))


FLAGS = (
    BatteryFlag.REVERSED_CURRENT,
    BatteryFlag.OFFSET_CURRENT,
    BatteryFlag.HELD,
    BatteryFlag.FROZEN_BMS_SOC,
    BatteryFlag.ODD_BMS_SOC,
    BatteryFlag.SENTINEL_BMS_SOH,
)


@cache
def _text(*found: bool) -> str:
    """Flags as a column holds them (`flags.flags_of`)."""
    return text_of(frozenset(compress(FLAGS, found)))
