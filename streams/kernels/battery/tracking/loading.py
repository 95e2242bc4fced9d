"""A discharge while it goes on: its loaded samples, and the moment at which the cut-off voltage was reached.

Between two samples the lowest cell's voltage is taken as a parabola through what was seen: near its end a fall
accelerates, and a straight line would reach the cut-off too early between two samples and too late beyond the last.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from schemas.time import HOUR_MS
from streams.kernels.battery.limits import REFERENCE_C

if TYPE_CHECKING:
    from streams.kernels.battery.limits import Limits
    from streams.kernels.battery.tracking.set_state import OpenEpisode

FULL_FROM = 0.97
"""SoC from which a discharge must have begun for its level to be known by what was drawn. (unsourced)"""
NEAR_CUTOFF_V = 0.02
"""Open within this distance of the cut-off counts as having reached it. (unsourced)"""
REACH = 2.0
"""A fall that only accelerates reaches the cut-off within a sampling interval if its straight line does within two."""
CURVED_REACH = 1.5
"""The same of a parabola through the last three samples. (unsourced)"""
UNIFORM = 1 / 12
"""Variance of a moment somewhere between two samples, as a share of their distance squared."""
CROSSING_SIGMA = 0.1
"""Of the moment at which the cut-off was crossed, as a share of the sampling interval. (unsourced)"""


class LoadedSample(NamedTuple):
    """A reading under load."""

    ts: int
    amps: float
    """A, positive."""
    volts: float
    cell_v: float
    """Lowest cell."""
    unseen_v: float = 0.0
    """Doubt about that where it may be a cell that no channel shows."""


def note_load(episode: OpenEpisode, sample: LoadedSample, limits: Limits, before_ah: float | None) -> None:
    """Note a loaded sample; `before_ah` is what was drawn up to the loaded sample before, if there was one."""
    fallen, elapsed = episode.loaded_cell_v - sample.cell_v, sample.ts - episode.loaded_ts
    earlier = episode.fall_v_ms
    if before_ah is None:
        episode.loaded_ah = None
        episode.fall_before_v_ms = 0.0  # the fall itself goes on from before the pause
        episode.amps_min = min(episode.amps_min or sample.amps, sample.amps)
    else:
        # Held a little: the sample at which a load is just going off shows no fall.
        episode.fall_v_ms, episode.fall_before_v_ms = max(fallen / elapsed, earlier / 2), earlier
        episode.loaded_ms = elapsed
        episode.amps_min = min(episode.amps_min, sample.amps)
    if episode.cutoff_ts is None:
        reached = sample.cell_v <= limits.cutoff_cell_v
        if reached and before_ah is not None and elapsed >= limits.coarse_ms:
            _cross(episode, sample, limits, before_ah, earlier)
        elif reached or (limits.cutoff_v is not None and sample.volts <= limits.cutoff_v):
            episode.cutoff_ts, episode.cutoff_ah = sample.ts, episode.charge_ah + episode.bridged_ah
            episode.cutoff_cell_v, episode.cutoff_a = sample.cell_v, sample.amps
    if episode.foot_ah is None and episode.cutoff_ts is None:
        if before_ah is not None and episode.charge_ah + episode.bridged_ah >= level_due_ah(episode, limits):
            episode.level_ohm = max(0.0, (limits.level_v - sample.volts / limits.cell_count) / sample.amps)
        if sample.cell_v <= limits.foot_v:
            _note_foot(episode, sample, limits)
    episode.loaded_ts, episode.loaded_cell_v, episode.loaded_a = sample.ts, sample.cell_v, sample.amps
    episode.amps_max = max(episode.amps_max, sample.amps)


def level_due_ah(episode: OpenEpisode, limits: Limits) -> float:
    """Charge drawn at which a discharge is next to show its drop, where the curve is level; ∞ where it is not to."""
    is_full = episode.soc is not None and episode.soc >= FULL_FROM
    is_due = is_full and episode.level_ohm is None and episode.foot_ah is None
    return limits.level_ah if is_due else math.inf


def _note_foot(episode: OpenEpisode, sample: LoadedSample, limits: Limits) -> None:
    """Note where the lowest cell, its drop taken off, comes down to the foot of the curve."""
    found = rests_at_foot(sample.cell_v, sample.amps, episode.level_ohm, episode.temperature_last_c, limits)
    if found is not None:
        episode.foot_ah = episode.charge_ah + episode.bridged_ah
        episode.foot_drop_sigma_v = math.hypot(found.drop_sigma_v, sample.unseen_v)
        episode.foot_share = limits.share_left(found.rest_v)


class AtFoot(NamedTuple):
    """A loaded cell that is at the foot of the curve."""

    rest_v: float
    """Its voltage without the drop."""
    drop_sigma_v: float


def rests_at_foot(
    cell_v: float, amps: float, level_ohm: float | None, celsius: float | None, limits: Limits
) -> AtFoot | None:
    """A loaded cell without its drop, where that is at the foot of the curve.

    The drop is what the cells lay below the level of their curve, in proportion to the current: hysteresis is in it,
    and neither a wrong gain nor a wrong `nominal_ah`, which the curve is to tell. Else it is the usual one.
    """
    rules, chemistry = limits.reference.witness, limits.chemistry
    if level_ohm is not None:
        below_v, sigma_v = level_ohm * amps, rules.level_sigma_v
    else:
        drop_v = limits.cell_drop_v(amps, REFERENCE_C if celsius is None else celsius)
        below_v = drop_v + chemistry.hysteresis_v
        sigma_v = math.hypot(rules.resistance_sigma * drop_v, chemistry.sigma_hysteresis_v)
    return AtFoot(cell_v + below_v, sigma_v) if cell_v + below_v <= limits.foot_v else None


def _cross(episode: OpenEpisode, sample: LoadedSample, limits: Limits, before_ah: float, earlier_v_ms: float) -> None:
    """With coarse sampling the cut-off was crossed between two samples: interpolate."""
    elapsed = sample.ts - episode.loaded_ts
    above = episode.loaded_cell_v - limits.cutoff_cell_v
    mean_v_ms = (episode.loaded_cell_v - sample.cell_v) / elapsed
    # A parabola that fell at `earlier` over the interval before and falls at `mean` over this one.
    gain_v_ms = max(0.0, mean_v_ms - earlier_v_ms) if earlier_v_ms > 0 else 0.0
    needed = time_to_fall(above, mean_v_ms - gain_v_ms / 2, gain_v_ms / elapsed)
    _reach(episode, limits, before_ah, min(needed, elapsed), (sample.amps - episode.loaded_a) / elapsed)
    episode.doubt_ah2 += (episode.cutoff_a * elapsed * CROSSING_SIGMA / HOUR_MS) ** 2


def _reach(episode: OpenEpisode, limits: Limits, drawn_ah: float, after_ms: float, rise_a_ms: float) -> None:
    """The cut-off was reached this long after the last loaded sample, while the current changed at a steady rate."""
    episode.cutoff_ts = episode.loaded_ts + round(after_ms)
    episode.cutoff_a = episode.loaded_a + rise_a_ms * after_ms
    episode.cutoff_ah = drawn_ah + (episode.loaded_a + episode.cutoff_a) / 2 * after_ms / HOUR_MS
    episode.cutoff_cell_v = limits.cutoff_cell_v


def note_opened(episode: OpenEpisode, ts: int, limits: Limits, drawn_ah: float) -> None:
    """Tell whether the load went off because the cut-off was reached between the last loaded sample and `ts`.

    `drawn_ah` is what was drawn up to the last loaded sample.
    """
    if episode.cutoff_ts is not None:
        return
    elapsed = ts - episode.loaded_ts
    above = episode.loaded_cell_v - limits.cutoff_cell_v
    straight = above / episode.fall_v_ms if episode.fall_v_ms > 0 else math.inf
    needed, reach = straight, REACH * elapsed
    if elapsed >= limits.coarse_ms and episode.fall_before_v_ms > 0:
        gain = max(0.0, episode.fall_v_ms - episode.fall_before_v_ms)
        needed = time_to_fall(above, episode.fall_v_ms + gain / 2, gain / episode.loaded_ms)
        reach = CURVED_REACH * elapsed
    if straight > REACH * elapsed and needed > reach and above > NEAR_CUTOFF_V:
        return
    until = min(needed, elapsed)
    _reach(episode, limits, drawn_ah, until, 0.0)
    episode.doubt_ah2 += (episode.loaded_a * until / HOUR_MS) ** 2 * UNIFORM


def note_edge(episode: OpenEpisode, amps: float, elapsed_ms: int) -> None:
    """The load came on or went off at an unknown moment within `elapsed_ms`; the trapezoid took the middle."""
    if episode.cutoff_ts is None:
        episode.doubt_ah2 += (amps * elapsed_ms / HOUR_MS) ** 2 * UNIFORM


def note_off(episode: OpenEpisode, amps: float, elapsed_ms: int, drawn_ah: float) -> None:
    """The load went off within `elapsed_ms` of the last loaded sample, up to which `drawn_ah` was drawn."""
    episode.loaded_ah = drawn_ah
    note_edge(episode, amps, elapsed_ms)


def time_to_fall(above_v: float, fall_v_ms: float, gain_v_ms2: float) -> float:
    """Time in ms over which a voltage falls by `above_v`, at `fall_v_ms` now and faster by `gain_v_ms2` each ms."""
    if above_v <= 0:
        return 0.0
    if gain_v_ms2 <= 0:
        return above_v / fall_v_ms if fall_v_ms > 0 else math.inf
    return (math.sqrt(fall_v_ms**2 + 2 * gain_v_ms2 * above_v) - fall_v_ms) / gain_v_ms2
