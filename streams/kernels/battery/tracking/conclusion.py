"""What a discharge that is over says of its set: its capacity, what is believed from then on, and the recharge's word.

Each function changes the state of the set that it is given, and returns the row to give out.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from schemas.metrics.battery_health import CapacityReason
from streams.kernels.battery.fusion import evidence_of, fused
from streams.kernels.battery.limits import Left
from streams.kernels.battery.tracking import set_rows
from streams.kernels.battery.tracking.capacity import Discharge, capacity_row
from streams.kernels.battery.tracking.flags import flags_of, named
from streams.kernels.battery.tracking.recharge import FULL_BEFORE, Recharge, closed
from streams.kernels.battery.tracking.witnesses import RESTORE_BELIEF, EndCells, FootSpan, witnesses_of

if TYPE_CHECKING:
    from schemas.metrics.battery_health import BatteryCapacity
    from schemas.registry import Device
    from streams.kernels.battery.limits import Limits
    from streams.kernels.battery.tracking.set_state import OpenEpisode, SetState


def capacity_if_ended(
    device: Device, state: SetState, limits: Limits, end_ts: int, seen_ts: int
) -> BatteryCapacity | None:
    """What the open discharge says about the capacity if it ends at `end_ts`; None if it is too small to mention."""
    episode = state.episode
    if episode.charge_ah + episode.bridged_ah < limits.reference.capacity.noted_from * limits.nominal_ah:
        return None
    reached, drawn_ah = episode.cutoff_ts is not None, episode.charge_ah + episode.bridged_ah
    discharge = Discharge(
        start_ts=episode.start_ts,
        end_ts=end_ts,
        drawn_ah=episode.charge_ah,
        bridged_ah=episode.bridged_ah,
        steady_ah=episode.steady_ah,
        steady_ms=episode.steady_ms,
        doubt_ah=math.sqrt(episode.doubt_ah2),
        soc=episode.soc,
        soc_sigma=episode.soc_sigma,
        start=None if episode.start_share is None else Left(episode.start_share, episode.start_share_sigma),
        cutoff_ts=episode.cutoff_ts,
        cutoff_ah=episode.cutoff_ah,
        loaded_cell_v=episode.cutoff_cell_v if reached else episode.loaded_cell_v,
        loaded_a=episode.cutoff_a if reached else episode.loaded_a,
        loaded_ah=drawn_ah if episode.loaded_ah is None else episode.loaded_ah,
        rest_cell_v=episode.rest_cell_v,
        end_cells=EndCells(episode.weakest, episode.median_v, episode.unseen_v),
        resistance_mohm=None if episode.load_on_ohm is None else 1000 * episode.load_on_ohm,
        temperature_mean_c=set_rows.mean_temperature(episode),
        temperature_end_c=episode.temperature_last_c,
        foot=None if episode.foot_ah is None else _foot(episode, episode.foot_ah),
        is_doubted=state.is_doubted,
        offset_known=state.offset_a is not None,
        coverage=set_rows.coverage_of(episode, end_ts),
        flags=flags_of(state, limits) | named(episode.flags),
    )
    return capacity_row(discharge, limits, device, seen_ts)


def concluded(device: Device, state: SetState, limits: Limits, end_ts: int, seen_ts: int) -> BatteryCapacity | None:
    """End the open discharge at `end_ts`: believe what it says, and wait for its recharge. None if it is too small."""
    episode = state.episode
    row = capacity_if_ended(device, state, limits, end_ts, seen_ts)
    if row is None:
        return None
    state.recharge = None
    before = state.belief
    if before is not None and limits.valid_from is not None and before.ts < limits.valid_from <= row.ts:
        before = None  # of the set that stood there before
    _note_doubt(state, row)
    state.belief = fused(before, evidence_of(row), limits.sensor, limits.reference.fusion)
    if row.capacity_ah is not None and episode.soc is not None and episode.soc >= FULL_BEFORE:
        state.recharge = Recharge(row, episode.charge_ah + episode.bridged_ah, before)
    if episode.cutoff_ts is not None and row.soc_end_pct is not None and not state.is_stuck:
        # At its cut-off a set is in a known state of charge too.
        state.soc, state.held = row.soc_end_pct / 100, False
        state.soc_sigma = limits.chemistry.sigma_empty_percent / 100
    return row


def recharged(state: SetState, recharge: Recharge, limits: Limits) -> BatteryCapacity | None:
    """What was drawn has gone back in: the capacity is borne out by that, or not. None where that tells nothing."""
    state.recharge = None
    row = closed(recharge, state.ts, limits, knows_offset=state.offset_a is not None)
    if row is not None:
        _note_doubt(state, row)
        state.belief = fused(recharge.before, row, limits.sensor, limits.reference.fusion)
    return row


def _note_doubt(state: SetState, row: BatteryCapacity) -> None:
    """Doubt a current sensor that was contradicted until something that would tell its gain bears it out."""
    if row.reason is CapacityReason.CONTRADICTED:
        state.is_doubted = True
    elif row.capacity_ah is not None and RESTORE_BELIEF & witnesses_of(row.witnesses):
        state.is_doubted = False


def _foot(episode: OpenEpisode, foot_ah: float) -> FootSpan:
    """Where a discharge came down to the foot of the curve."""
    return FootSpan(
        foot_ah,
        episode.foot_share,
        episode.foot_drop_sigma_v,
        math.sqrt(episode.doubt_ah2),
        episode.level_ohm is not None,
    )
