"""The quiet way of `SetHealth`: many sets' next readings at once, while each stays on float or under its load.

Charge is counted, and sums of the hour and of the episode grow. Whatever ends that, a step, a gap, an hour that passes,
a voltage that contradicts the current, is left to the `Tracker`. What only a load asks for is in `quiet_load`.
What stands here is its way once more, over columns; `tests/…/test_quiet.py` holds both to the same bits.
"""

from __future__ import annotations

import math
from functools import cache
from itertools import compress
from typing import TYPE_CHECKING

import numpy as np

from schemas.metrics import built
from schemas.metrics.battery_health import BatteryFlag, BatteryState
from schemas.time import HOUR_MS, MINUTE_MS
from streams.kernels.battery.direction import APART_MS
from streams.kernels.battery.quiet_pack import split_trapezoids
from streams.kernels.battery.quiet_standing import ShownFigures, follow_still, watched_once
from streams.kernels.battery.samples import Samples
from streams.kernels.battery.tracking.cells import ODD_CELL_V
from streams.kernels.battery.tracking.contradiction import ANSWERED, PARTS_SHARE
from streams.kernels.battery.tracking.flags import SENTINELS_SOH_PCT, text_of
from streams.kernels.battery.tracking.flow import DISCHARGE, FLOAT, LEAVE_FLOAT_V, LEAVE_IDLE
from streams.kernels.battery.tracking.health import SetHealth
from streams.kernels.battery.tracking.health_figures import LAYOUT, HealthFigures, figures_of, state_of
from streams.kernels.battery.tracking.hours import CONDITION
from streams.kernels.battery.tracking.quiet_load import carries, note_cells, note_load
from streams.kernels.battery.tracking.set_rows import Carried, remaining
from streams.kernels.battery.tracking.tracker import POWER_SPAN_MS
from streams.kernels.figures import higher, larger, listed, lower, or_none, smaller

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.metrics import Row
    from schemas.registry import Device
    from streams.kernels.battery.limits import LimitsOf
    from streams.kernels.battery.tracking.set_state import SetState
    from streams.kernels.figures import Array, Mask


class QuietSetHealth(SetHealth):
    """`SetHealth` with its quiet way."""

    samples = Samples
    layout = LAYOUT
    says_how_it_stands = False

    def figures_of(self, state: SetState | None, device: Device) -> tuple[float, ...] | None:
        """A state as figures; None of a set that neither floats nor carries a load, or that waits for something."""
        if (
            state is None
            or state.doing not in {FLOAT, DISCHARGE}
            or state.episode.kind is not state.doing
            or state.episode.cutoff_ts is not None
            or (state.doing is DISCHARGE and state.episode.loaded_ts != state.ts)
            or state.recharge is not None
            or state.dark_since is not None
            or state.doubted_v
            or state.idle_v
            or state.is_stuck
            or state.standing.against_ts
        ):
            return None
        limits, sums = self._limits.of(device), state.hour.cell_sums[CONDITION[state.doing]]
        if {len(sums), len(state.episode.cell_va)} - {0, limits.cell_count}:
            return None  # registered with another number of cells within the hour
        return figures_of(state, limits, self.snapshot_ms)

    def state_of(self, base: SetState, figures: Sequence[float]) -> SetState:
        """The state that figures stand for; `base` is the one they began as."""
        return state_of(base, figures)

    def advance(self, figures: HealthFigures, samples: Samples) -> tuple[Mask, list[Row]]:
        """Take each set's next reading: which were quiet, and their rows, once a minute."""
        f, ts, raw, load = figures, samples.ts, samples.current_a, figures.is_loaded != 0
        is_any_loaded = bool(load.any())
        elapsed, step_a = ts - f.ts, raw - f.raw_a
        before, amps = f.sign * f.raw_a - f.offset_a, f.sign * raw - f.offset_a
        mean_v = samples.pack_v / f.cell_count
        quiet: Mask = (
            (elapsed <= f.gap_ms)
            & (ts < f.hour_ends)
            & (ts // f.refresh_ms == f.ts // f.refresh_ms)
            & (load | (samples.lowest_v > f.near_end_v))
            & (step_a < f.step_a)
            & (step_a > -f.step_a)
            & (np.abs(amps - before) < f.step_a)
            & (np.isnan(samples.cycles) | (samples.cycles == f.cycles))
            & np.where(load, carries(f, before, amps, mean_v), _floats(f, amps, mean_v))
            & ~_parts_from_cells(samples)
            & (samples.highest_v - samples.lowest_v < ODD_CELL_V)
        )
        quiet &= _watch_current(f, samples, before, amps)
        _add_time(f, load, elapsed)
        _flow(f, load, samples.pack_v, elapsed, (before, amps))
        if is_any_loaded:
            quiet &= note_load(f, samples, load, amps, self._limits)
            quiet &= note_cells(f, samples, load, amps)
        passed = quiet & (ts // MINUTE_MS != larger(f.ts, f.dark_ts) // MINUTE_MS)
        f.power_w = f.power_w - (amps * samples.pack_v + f.power_w) * _share(elapsed)
        f.ts, f.raw_a, f.amps, f.volts, f.cell_v = ts, raw, amps, samples.pack_v, samples.lowest_v
        is_full = ~load & (ts - f.doing_since >= f.full_after_ms)
        f.soc, f.soc_sigma = np.where(is_full, 1.0, f.soc), np.where(is_full, f.sigma_full, f.soc_sigma)
        f.held = np.where(is_full, 0.0, f.held)
        rows = _now(f, samples, passed, self._limits)
        f.cell_sums, f.cell_counts = f.cell_sums + samples.cells_v, f.cell_counts + 1
        f.has_cells = np.ones_like(ts)
        _add_temperatures(f, samples, larger(np.ones_like(elapsed), smaller(elapsed, f.bridged_gap_ms)))
        _note_bms(f, samples)
        return quiet, rows


def _parts_from_cells(samples: Samples) -> Mask:
    """Whether a pack's voltage may not be that of its cells: what leads take of it, `contradiction` knows."""
    cells_v = samples.cell_count * samples.median_v
    parts: Mask = np.abs(samples.pack_v - cells_v) > PARTS_SHARE * cells_v
    return parts


def _floats(f: HealthFigures, amps: Array, mean_v: Array) -> Mask:
    """Whether a set that floated still does (`flow.doing_now`)."""
    still: Mask = (amps <= LEAVE_IDLE * f.idle_a) & (amps >= -f.firm_a) & (mean_v >= f.float_cell_v - LEAVE_FLOAT_V)
    return still


def _watch_current(f: HealthFigures, samples: Samples, before: Array, amps: Array) -> Mask:
    """`contradiction.watch_current`: whether the voltage goes with the current."""
    mean_v = samples.pack_v / f.cell_count
    idle, was_idle = np.abs(amps) < f.idle_a, np.abs(before) < f.idle_a
    earlier = ShownFigures(f.ts, f.raw_a, f.volts / f.cell_count, f.cell_v, was_idle)
    now = ShownFigures(samples.ts, samples.current_a, mean_v, samples.lowest_v, idle)
    against = follow_still(f, earlier, now, (before, amps))
    waits = (f.asked_v != 0.0) & ((mean_v - f.asked_from_v) / f.asked_v < ANSWERED)
    unanswered = waits & ((f.was_asked != 0) | (samples.ts - f.ts >= APART_MS))
    f.asked_v, f.was_asked = np.where(waits & ~unanswered, f.asked_v, 0.0), (waits & ~unanswered).astype(float)
    f.standing, stands = watched_once(samples, f.standing, earlier, now, f.sign)
    agrees: Mask = ~(against | unanswered | stands)
    return agrees


def _add_time(f: HealthFigures, load: Mask, elapsed: Array) -> None:
    """`hours.add_time`."""
    floated, flowed = np.where(load, 0.0, elapsed), np.where(load, 0.0, f.sign * f.raw_a * elapsed)
    is_settled = ~load & (f.ts - f.doing_since >= f.settled_after_ms)
    f.covered_ms, f.load_ms = f.covered_ms + elapsed, f.load_ms + (elapsed - floated)
    f.float_ms, f.float_a = f.float_ms + floated, f.float_a + flowed
    f.settled_ms = np.where(is_settled, f.settled_ms + elapsed, f.settled_ms)
    f.settled_a = np.where(is_settled, f.settled_a + flowed, f.settled_a)


def _flow(f: HealthFigures, load: Mask, volts: Array, elapsed: Array, amps: tuple[Array, Array]) -> None:
    """Count charge into the SoC and the episode (`soc.count_charge`, `Tracker._add`)."""
    charged, drawn = split_trapezoids(*amps, elapsed / HOUR_MS)
    net_ah, moved_ah = charged - drawn, charged + drawn
    sigma = f.soc_sigma + (f.sensor_a * elapsed / HOUR_MS + f.capacity_doubt * moved_ah) / f.capacity_ah
    f.soc_sigma = np.where(np.isnan(f.soc), f.soc_sigma, smaller(np.ones_like(sigma), sigma))
    counted = larger(np.zeros_like(sigma), f.soc + net_ah / f.capacity_ah)
    f.soc = np.where(np.isnan(f.soc), f.soc, smaller(np.ones_like(sigma), counted))
    own_ah = np.where(load, drawn, net_ah)
    f.charge_ah = f.charge_ah + own_ah
    f.energy_kwh = f.energy_kwh + own_ah * (volts + f.volts) / 2000
    f.episode_ms = f.episode_ms + elapsed


def _share(elapsed: Array) -> Array:
    """How much of a mean a reading after so long makes up: by Python's `exp`, as that of arrays may end otherwise."""
    each: list[float] = elapsed.tolist()
    shares = {lasted: 1.0 - math.exp(-lasted / POWER_SPAN_MS) for lasted in set(each)}
    return np.array([shares[lasted] for lasted in each])


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


def _now(f: HealthFigures, samples: Samples, passed: Mask, limits: LimitsOf) -> list[Row]:
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
    load = (f.is_loaded[at] != 0).tolist()
    left = [
        remaining(_carried(f, where), limits.of(samples.devices[where])) if carried else (None, None)
        for where, carried in zip(at.tolist(), load, strict=True)
    ]
    columns = zip(
        [device.device_id for device in devices],
        [int(ts) for ts in (f.ts[at] - f.ts[at] % MINUTE_MS).tolist()],
        [device.site_id for device in devices],
        [DISCHARGE if carried else FLOAT for carried in load],
        [int(since) for since in f.doing_since[at].tolist()],
        listed(100 * soc),
        listed(np.where(np.isnan(soc), np.nan, 100 * sigma)),
        listed(bms_soc),
        [ah if carried else None for ah, carried in zip(f.charge_ah[at].tolist(), load, strict=True)],
        f.power_w[at].tolist(),
        [p50 for p50, _ in left],
        [p10 for _, p10 in left],
        [_text(*each) for each in flags],
        strict=True,
    )
    return built(BatteryState, columns)


def _carried(f: HealthFigures, at: int) -> Carried:
    figures = (f.soh, f.soh_sigma, f.soc, f.soc_sigma, f.power_w, f.amps, f.temperature_last_c)
    soh, soh_sigma, soc, soc_sigma, power_w, amps, celsius = (float(figure[at]) for figure in figures)
    return Carried(or_none(soh), soh_sigma, or_none(soc), soc_sigma, power_w, amps, or_none(celsius))


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
