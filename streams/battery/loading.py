"""A discharge while it goes on: its loaded samples, and the moment at which the cut-off voltage was reached."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from streams.battery.limits import Limits
    from streams.battery.set_state import OpenEpisode

MS_PER_H = 3_600_000
NEAR_CUTOFF_V = 0.02
"""Open within this distance of the cut-off counts as having reached it. (unsourced)"""
REACH = 2.0
"""A fall that only accelerates reaches the cut-off within a sampling interval if its straight line does within two."""


class LoadedSample(NamedTuple):
    """A reading under load."""

    ts: int
    amps: float
    """A, positive."""
    volts: float
    cell_v: float
    """Lowest cell."""


def note_load(episode: OpenEpisode, sample: LoadedSample, limits: Limits, before_ah: float | None) -> None:
    """Note a loaded sample; `before_ah` is what was drawn up to the loaded sample before, if there was one."""
    fallen, elapsed = episode.loaded_cell_v - sample.cell_v, sample.ts - episode.loaded_ts
    if before_ah is None:
        episode.fall_v_ms = 0.0
        episode.amps_min = min(episode.amps_min or sample.amps, sample.amps)
    else:
        # Held a little: the sample at which a load is just going off shows no fall.
        episode.fall_v_ms = max(fallen / elapsed, episode.fall_v_ms / 2)
        episode.amps_min = min(episode.amps_min, sample.amps)
    if episode.cutoff_ts is None:
        reached = sample.cell_v <= limits.cutoff_cell_v
        if reached and before_ah is not None and elapsed >= limits.coarse_ms:
            _cross(episode, sample, limits, before_ah)
        elif reached or (limits.cutoff_v is not None and sample.volts <= limits.cutoff_v):
            episode.cutoff_ts, episode.cutoff_ah = sample.ts, episode.charge_ah
            episode.cutoff_cell_v, episode.cutoff_a = sample.cell_v, sample.amps
    episode.loaded_ts, episode.loaded_cell_v, episode.loaded_a = sample.ts, sample.cell_v, sample.amps
    episode.amps_max = max(episode.amps_max, sample.amps)


def _cross(episode: OpenEpisode, sample: LoadedSample, limits: Limits, before_ah: float) -> None:
    """With coarse sampling the cut-off was crossed between two samples: interpolate."""
    elapsed = sample.ts - episode.loaded_ts
    share = (episode.loaded_cell_v - limits.cutoff_cell_v) / (episode.loaded_cell_v - sample.cell_v)
    episode.cutoff_ts = episode.loaded_ts + round(elapsed * share)
    episode.cutoff_a = episode.loaded_a + (sample.amps - episode.loaded_a) * share
    episode.cutoff_ah = before_ah + (episode.loaded_a + episode.cutoff_a) / 2 * elapsed * share / MS_PER_H
    episode.cutoff_cell_v = limits.cutoff_cell_v


def note_opened(episode: OpenEpisode, ts: int, limits: Limits) -> None:
    """Tell whether the load went off because the cut-off was reached between the last loaded sample and `ts`."""
    if episode.cutoff_ts is not None:
        return
    elapsed = ts - episode.loaded_ts
    above = episode.loaded_cell_v - limits.cutoff_cell_v
    needed = above / episode.fall_v_ms if episode.fall_v_ms > 0 else math.inf
    if needed > REACH * elapsed and above > NEAR_CUTOFF_V:
        return
    until = min(needed, elapsed)
    episode.cutoff_ts = episode.loaded_ts + round(until)
    episode.cutoff_ah = episode.charge_ah + episode.loaded_a * until / MS_PER_H
    episode.cutoff_cell_v, episode.cutoff_a = limits.cutoff_cell_v, episode.loaded_a
