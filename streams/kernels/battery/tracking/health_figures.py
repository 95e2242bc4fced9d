"""What readings of a set that floats or carries a load change of its state, as columns, and the way there and back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.time import HOUR_MS
from streams.kernels.battery.direction import sign_of
from streams.kernels.battery.quiet_standing import STANDINGS, standing_of
from streams.kernels.battery.quiet_standing import figures_of as standing_figures
from streams.kernels.battery.samples import CELLS
from streams.kernels.battery.tracking.flow import DISCHARGE
from streams.kernels.battery.tracking.hours import CONDITION
from streams.kernels.battery.tracking.loading import level_due_ah
from streams.kernels.battery.tracking.soc import charge_doubts
from streams.kernels.figures import Layout, or_nan, or_none

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.kernels.battery.limits import Limits
    from streams.kernels.battery.tracking.set_state import SetState
    from streams.kernels.figures import Array


@dataclass(slots=True)
class HealthFigures:
    """What readings change of the `SetState` of a set that goes on as it was, as columns, and what it is judged by."""

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
    earlier_v: Array
    standing: Array
    asked_v: Array
    was_asked: Array
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
    fall_v_ms: Array
    """Of a discharge, to `cell_samples`."""
    fall_before_v_ms: Array
    loaded_ms: Array
    amps_min: Array
    amps_max: Array
    weakest: Array
    median_v: Array
    unseen_v: Array
    cell_va: Array
    cell_a2: Array
    cell_v2: Array
    cell_samples: Array

    covered_ms: Array
    """Of the hour."""
    float_ms: Array
    load_ms: Array
    settled_ms: Array
    settled_a: Array
    float_a: Array
    hour_temperature_sum: Array
    hour_temperature_ms: Array
    temperature_spread_c: Array
    has_cells: Array
    """In the condition that the set is in."""
    cell_sums: Array
    cell_counts: Array

    is_loaded: Array
    """From here on nothing changes: whether it carries a load, and does not float."""
    doing_since: Array
    hour_ends: Array
    dark_ts: Array
    asked_from_v: Array
    cycles: Array
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
    cutoff_cell_v: Array
    cutoff_v: Array
    foot_v: Array
    level_due_ah: Array
    level_ohm: Array
    bridged_ah: Array
    pattern_from_ah: Array
    pattern_to_ah: Array
    soh: Array
    soh_sigma: Array
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


LAYOUT = Layout(HealthFigures, standing=STANDINGS, cell_va=CELLS, cell_sums=CELLS, cell_counts=CELLS)
STATE = (
    "raw_a",
    "amps",
    "volts",
    "cell_v",
    "soc_sigma",
    "still_high_v",
    "still_low_v",
    "still_ah",
    "earlier_v",
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
    "fall_v_ms": "fall_v_ms",
    "fall_before_v_ms": "fall_before_v_ms",
    "amps_min": "amps_min",
    "amps_max": "amps_max",
    "median_v": "median_v",
    "unseen_v": "unseen_v",
    "cell_a2": "cell_a2",
    "cell_v2": "cell_v2",
}
HOUR = {
    "settled_a": "settled_a",
    "float_a": "float_a",
    "hour_temperature_sum": "temperature_sum",
    "temperature_spread_c": "temperature_spread_c",
}


def figures_of(state: SetState, limits: Limits, refresh_ms: int) -> tuple[float, ...]:
    """A state as figures, in the layout's order."""
    episode, hour, rules, condition = state.episode, state.hour, limits.reference, CONDITION[state.doing]
    sums, counts = hour.cell_sums[condition], hour.cell_counts[condition]
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
        state.earlier_v,
        *standing_figures(state.standing),
        state.asked_v,
        state.was_asked,
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
        episode.fall_v_ms,
        episode.fall_before_v_ms,
        episode.loaded_ms,
        episode.amps_min,
        episode.amps_max,
        or_nan(episode.weakest),
        or_nan(episode.median_v),
        episode.unseen_v,
        *(episode.cell_va or zeros),
        *no_cells,
        episode.cell_a2,
        episode.cell_v2,
        episode.cell_samples,
        hour.covered_ms,
        hour.float_ms,
        hour.load_ms,
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
        state.doing is DISCHARGE,
        state.doing_since,
        hour.start_ts + HOUR_MS,
        state.dark_ts,
        state.asked_from_v,
        or_nan(state.cycles),
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
        limits.cutoff_cell_v,
        -math.inf if limits.cutoff_v is None else limits.cutoff_v,
        limits.foot_v if episode.foot_ah is None else -math.inf,
        level_due_ah(episode, limits),
        or_nan(episode.level_ohm),
        episode.bridged_ah,
        rules.identity.from_share * limits.nominal_ah,
        rules.identity.to_share * limits.nominal_ah,
        or_nan(state.soh),
        (state.belief_variance + state.belief_systematic**2) ** 0.5,
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


def state_of(base: SetState, figures: Sequence[float]) -> SetState:
    """The state that figures stand for; `base` is the one they began as."""
    known, state = LAYOUT.named(figures), base.copied()
    episode, hour, condition = state.episode, state.hour, CONDITION[base.doing]
    count = int(known["cell_count"])
    for name in STATE:
        setattr(state, name, known[name])
    for name in ("soc", "bms_soc", "bms_soc_ref", "bms_soh"):
        setattr(state, name, or_none(known[name]))
    state.ts, state.bms_soh_since = int(known["ts"]), int(known["bms_soh_since"])
    state.standing = standing_of(known["standing"])
    state.held, state.bms_soh_moved = bool(known["held"]), bool(known["bms_soh_moved"])
    state.was_asked = bool(known["was_asked"])
    for name, field in EPISODE.items():
        setattr(episode, field, or_none(known[name]))
    episode.covered_ms, episode.temperature_ms = int(known["episode_ms"]), int(known["temperature_ms"])
    episode.pack_end_v = state.volts
    if state.doing is DISCHARGE:
        episode.loaded_ts, episode.loaded_cell_v, episode.loaded_a = state.ts, state.cell_v, -state.amps
        episode.loaded_ms, episode.cell_samples = int(known["loaded_ms"]), int(known["cell_samples"])
        episode.weakest = None if math.isnan(known["weakest"]) else int(known["weakest"])
        episode.cell_va = list(known["cell_va"][:count]) if episode.cell_samples > 0 else []
    for name, field in HOUR.items():
        setattr(hour, field, or_none(known[name]))
    hour.covered_ms, hour.float_ms = int(known["covered_ms"]), int(known["float_ms"])
    hour.load_ms = int(known["load_ms"])
    hour.settled_ms, hour.temperature_ms = int(known["settled_ms"]), int(known["hour_temperature_ms"])
    if known["has_cells"]:
        hour.cell_sums[condition] = list(known["cell_sums"][:count])
        hour.cell_counts[condition] = [int(each) for each in known["cell_counts"][:count]]
    return state
