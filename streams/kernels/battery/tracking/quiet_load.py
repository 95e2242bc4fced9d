"""The quiet way of `SetHealth` under load: what a discharge that goes on notes of each reading, over columns.

All sets of a region may carry their sites at once, so the way has to hold just then. What a set comes to at its end is
the `Tracker`'s: a cut-off, the foot of the curve, a pattern of cells that is complete.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from streams.kernels.battery.tracking.flow import LEAVE_LOAD, SMALL_LOAD
from streams.kernels.battery.tracking.loading import rests_at_foot
from streams.kernels.figures import larger, or_none, smaller

if TYPE_CHECKING:
    from streams.kernels.battery.limits import LimitsOf
    from streams.kernels.battery.samples import Samples
    from streams.kernels.battery.tracking.health_figures import HealthFigures
    from streams.kernels.figures import Array, Mask


def carries(f: HealthFigures, before: Array, amps: Array, mean_v: Array) -> Mask:
    """Whether a set that carried a load still does (`flow.doing_now`)."""
    lingers = before > -SMALL_LOAD * f.idle_a
    least_a = np.where(mean_v >= f.float_cell_v, f.firm_a, np.where(lingers, LEAVE_LOAD * f.idle_a, f.idle_a))
    goes_on: Mask = amps < -least_a
    return goes_on


def note_load(f: HealthFigures, samples: Samples, load: Mask, amps: Array, limits: LimitsOf) -> Mask:
    """`loading.note_load` of sets under load (A, negative): whether none is at its cut-off, its level or the foot."""
    elapsed, carried_a, cell_v, fall = samples.ts - f.ts, -amps, samples.lowest_v, f.fall_v_ms
    f.fall_v_ms = np.where(load, larger((f.cell_v - cell_v) / elapsed, fall / 2), fall)
    f.fall_before_v_ms = np.where(load, fall, f.fall_before_v_ms)
    f.loaded_ms = np.where(load, elapsed, f.loaded_ms)
    f.amps_min = np.where(load, smaller(f.amps_min, carried_a), f.amps_min)
    f.amps_max = np.where(load, larger(f.amps_max, carried_a), f.amps_max)
    drawn_ah = f.charge_ah + f.bridged_ah
    quiet: Mask = (cell_v > f.cutoff_cell_v) & (samples.pack_v > f.cutoff_v) & (drawn_ah < f.level_due_ah)
    for at in np.flatnonzero(load & quiet & (cell_v <= f.foot_v)).tolist():
        volts, carried, own = float(cell_v[at]), float(carried_a[at]), limits.of(samples.devices[at])
        level_ohm, celsius = or_none(float(f.level_ohm[at])), or_none(float(f.temperature_last_c[at]))
        quiet[at] = rests_at_foot(volts, carried, level_ohm, celsius, own) is None
    return quiet | ~load


def note_cells(f: HealthFigures, samples: Samples, load: Mask, amps: Array) -> Mask:
    """`cells.note_cells` and `identity.note_under_load`: whether no pattern of cells is complete."""
    cells = samples.cells_v
    near = load & (samples.lowest_v <= f.near_end_v)
    f.weakest = np.where(near, (cells == samples.lowest_v).argmax(axis=0) + 1, f.weakest)
    f.median_v = np.where(near, samples.median_v, f.median_v)
    f.unseen_v = np.where(near, 0.0, f.unseen_v)

    drawn_ah = f.charge_ah + f.bridged_ah
    adds = load & (f.cell_samples >= 0) & (drawn_ah >= f.pattern_from_ah)
    if not adds.any():
        return np.ones_like(adds)
    total = np.zeros_like(amps)
    for volts in cells:  # in this order
        total = np.where(np.isnan(volts), total, total + volts)
    apart = total / samples.cell_count - cells
    squares = np.zeros_like(amps)
    for each in apart * apart:  # in this order
        squares = np.where(np.isnan(each), squares, squares + each)
    f.cell_va = np.where(adds, f.cell_va + -amps * apart, f.cell_va)
    f.cell_a2 = np.where(adds, f.cell_a2 + amps * amps, f.cell_a2)
    f.cell_v2 = np.where(adds, f.cell_v2 + squares, f.cell_v2)
    f.cell_samples = np.where(adds, f.cell_samples + 1, f.cell_samples)
    is_open: Mask = ~(adds & (drawn_ah >= f.pattern_to_ah))
    return is_open
