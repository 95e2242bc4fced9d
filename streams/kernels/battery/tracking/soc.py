"""A set's state of charge: counted from its current, and known again where it is full or rests long enough."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from schemas.time import HOUR_MS
from streams.kernels.battery.tracking.flow import FLOAT, REST

if TYPE_CHECKING:
    from schemas.readings import BatteryReading
    from streams.kernels.battery.limits import Limits
    from streams.kernels.battery.tracking.set_state import OpenEpisode, SetState


def settle(state: SetState, limits: Limits) -> None:
    """Reset the SoC where it is known: full after an hour on float, or by a rest voltage that tells."""
    lasted = state.ts - state.doing_since
    if state.is_stuck:
        return
    if state.doing is FLOAT:
        if limits.full_by_voltage or lasted >= limits.full_after_ms:
            state.soc, state.soc_sigma, state.held = 1.0, limits.chemistry.sigma_full_percent / 100, False
    elif state.doing is REST and lasted >= limits.rest_after_ms:
        episode = state.episode
        episode.rest_cell_v = state.cell_v
        if episode.first_rest_cell_v is None:
            episode.first_rest_cell_v = state.cell_v
        found = limits.read_rest(state.cell_v, state.soh)
        if found is not None and (state.soc is None or found.sigma < state.soc_sigma):
            state.soc, state.soc_sigma, state.held = found.soc, found.sigma, False


def note_start(episode: OpenEpisode, state: SetState, limits: Limits) -> None:
    """Note what was left in the set where it rested at the foot of its curve before the load came on."""
    if state.doing is REST and state.ts - state.doing_since >= limits.rest_after_ms:
        start = limits.read_start(state.cell_v)
        if start is not None:
            episode.start_share, episode.start_share_sigma = start.share, start.sigma


def count_charge(state: SetState, limits: Limits, net_ah: float, moved_ah: float, elapsed: int) -> None:
    """Move the SoC by counted charge; the doubt grows with time (the sensor) and with charge (the capacity)."""
    assert state.soc is not None  # noqa: S101 - asked by the caller
    capacity, doubt, sensor_a = charge_doubts(state, limits)
    state.soc = min(1.0, max(0.0, state.soc + net_ah / capacity))
    state.soc_sigma = min(1.0, state.soc_sigma + (sensor_a * elapsed / HOUR_MS + doubt * moved_ah) / capacity)


def charge_doubts(state: SetState, limits: Limits) -> tuple[float, float, float]:
    """Capacity in Ah, its relative doubt, and the current sensor's in A, that charge is counted with."""
    fusion = limits.reference.fusion
    known = state.belief_ts is not None
    soh = state.belief_soh if known else fusion.population_soh
    doubt = math.sqrt(state.belief_variance + state.belief_systematic**2) if known else fusion.population_sigma
    return soh * limits.nominal_ah, doubt, limits.sigma_a if state.offset_a is None else limits.sigma_known_a


def note_bms(state: SetState, reading: BatteryReading) -> None:
    """Keep what the BMS says of itself beside what is counted, to tell a figure that never moves."""
    soc, soh = reading.soc_pct, reading.soh_bms_pct
    if soc is not None and (soc != state.bms_soc or state.bms_soc_ref is None):
        state.bms_soc, state.bms_soc_ref = soc, state.soc
    if soh is not None and soh != state.bms_soh:
        state.bms_soh_moved = state.bms_soh is not None
        state.bms_soh, state.bms_soh_since = soh, reading.ts
