"""Fade of second-life sets: by the calendar q = k·t^0.526, by cycling kcyc·EFC^0.828, scaled by 1 to 3 for each set.

Source of exponents and scale: docs/simulators.md, "Parameters and their sources". The sets are old already, so what is
taken off is the growth of q since the run began.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulators.climate import YEAR_DAYS

if TYPE_CHECKING:
    from simulators.fleet.battery import Array, Batteries

CALENDAR, CALENDAR_EXPONENT = 2.7e-3, 0.526
"""Share of nominal capacity lost after one day; at a scale of 1 it is 20 % after ten years. (k unsourced)"""
CYCLING, CYCLING_EXPONENT = 1.85e-4, 0.828
"""Share lost after one equivalent full cycle; 10 % after 2 000. (kcyc unsourced)"""
SCALE = (1.0, 3.0)
AGE_YEARS = (5.0, 9.0)
"""Age of a set when its run begins. (unsourced)"""
RESISTANCE_GROWTH = 1.5
"""Resistance grows by so much of itself for each unit of capacity lost. (unsourced)"""


def loss(days: Array, cycles: Array, scale: Array) -> Array:
    """Share of nominal capacity (0–1) lost after so many days and equivalent full cycles. Any one shape."""
    lost: Array = scale * (CALENDAR * days**CALENDAR_EXPONENT + CYCLING * cycles**CYCLING_EXPONENT)
    return lost


class Ageing:
    """How old each set is, and how much older a run has made it."""

    def __init__(self, rng: np.random.Generator, cycles: Array) -> None:
        self.scale = rng.uniform(*SCALE, len(cycles))
        self._days = rng.uniform(*AGE_YEARS, len(cycles)) * YEAR_DAYS
        self._cycles = cycles
        self._lost = loss(self._days, cycles, self.scale)

    def advance(self, batteries: Batteries, days: float) -> None:
        """Age all sets to `days` after the run's beginning; they keep their state of charge."""
        cycles = self._cycles + batteries.throughput_ah / (2 * batteries.nominal_ah)
        lost = loss(self._days + days, cycles, self.scale)
        faded = np.maximum(lost - self._lost, 0.0)
        self._lost = np.maximum(lost, self._lost)
        kept = 1 - faded[:, None] * batteries.nominal_ah[:, None] / batteries.capacity_ah
        batteries.lose_capacity(np.maximum(kept, 0.5))
        batteries.resistance_ohm *= (1 + RESISTANCE_GROWTH * faded)[:, None]
