"""State of health fused over a set's capacity estimates: inverse variance, with a slow fade between them (Kalman).

What all estimates of a set have in common, a sensor's gain or what "full" means, does not average out: it is kept
apart and added to the interval at the end.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from schemas.time import YEAR_MS

if TYPE_CHECKING:
    from schemas.battery_reference import Fusion
    from schemas.metrics.battery_health import BatteryCapacity

Z_90 = 1.6449
"""Half-width of a 90 % interval in standard deviations."""


class Belief(NamedTuple):
    """What is believed of a set's SoH at a time; shares of the nominal capacity."""

    ts: int
    soh: float
    variance: float
    """Of what averages out."""
    estimates: int

    def sigma(self, fusion: Fusion) -> float:
        """Standard deviation, with what does not average out."""
        return math.sqrt(self.variance + fusion.systematic_sigma**2)


def faded(belief: Belief, ts: int, full_cycles: float, fusion: Fusion) -> Belief:
    """Let a belief age to `ts` over which `full_cycles` were drawn."""
    years = max(0, ts - belief.ts) / YEAR_MS
    walk = fusion.fade_sigma_year**2 * years + fusion.fade_sigma_cycle**2 * full_cycles
    return belief._replace(
        ts=max(ts, belief.ts), soh=belief.soh - fusion.fade_per_year * years, variance=belief.variance + walk
    )


def fused(belief: Belief | None, row: BatteryCapacity, nominal_ah: float, fusion: Fusion) -> Belief | None:
    """Take one discharge into a belief; one without an estimate only ages it."""
    if row.capacity_ah is None or row.sigma_ah is None:
        return None if belief is None else faded(belief, row.ts, row.full_cycles, fusion)
    measured = row.capacity_ah / nominal_ah
    common = fusion.systematic_sigma
    variance = max((row.sigma_ah / nominal_ah) ** 2 - common**2, (common / 4) ** 2)
    if belief is None:
        return Belief(row.ts, measured, variance, 1)
    prior = faded(belief, row.ts, row.full_cycles, fusion)
    gain = prior.variance / (prior.variance + variance)
    return Belief(row.ts, prior.soh + gain * (measured - prior.soh), (1 - gain) * prior.variance, prior.estimates + 1)
