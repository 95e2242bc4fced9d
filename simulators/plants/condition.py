"""How well a plant runs: its efficiency, which drifts away and comes back in steps at maintenance. Drawn first."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from schemas.time import DAY_MS
from simulators.truth import Label, LabelKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simulators.plants.plan import PlantPlan

MONTH_MS = 365.2425 / 12 * DAY_MS
DRIFT_A_MONTH = (0.0, 0.02)
"""Source: docs/simulators.md, "Parameters and their sources"."""
MAINTENANCE_DAYS = (90.0, 180.0)
"""Time between two maintenances; the first comes after a part of it. (unsourced)"""
RECOVERED = (0.6, 1.0)
"""Share of the drift that a maintenance takes back. (unsourced)"""
HORIZON_DAYS = 400.0
"""How far ahead maintenance is planned."""


class EfficiencyStep(NamedTuple):
    """One maintenance."""

    ts: int
    plant: int
    worse: float
    """Relative excess that is left after it."""
    recovered: float


class PlantCondition:
    """Consumption of energy relative to plan, of all plants: 1.02 is 2 % too much."""

    def __init__(self, plans: Sequence[PlantPlan], rng: np.random.Generator, start_ts: int) -> None:
        count = len(plans)
        self._sites = [plan.site.site_id for plan in plans]
        spread = np.array([plan.spread for plan in plans])
        self._start = 1 + spread * rng.uniform(-1, 1, count)
        self._drift = rng.uniform(*DRIFT_A_MONTH, count)
        self._worse = np.zeros(count)
        self._since_ts = np.full(count, float(start_ts))
        self.steps: list[EfficiencyStep] = []
        for plant, drift in enumerate(self._drift.tolist()):
            worse, since = 0.0, float(start_ts)
            at = start_ts + rng.uniform(0, MAINTENANCE_DAYS[1]) * DAY_MS
            while at < start_ts + HORIZON_DAYS * DAY_MS:
                before = worse + drift * (at - since) / MONTH_MS
                worse, since = before * (1 - rng.uniform(*RECOVERED)), at
                self.steps.append(EfficiencyStep(round(at), plant, worse, before - worse))
                at += rng.uniform(*MAINTENANCE_DAYS) * DAY_MS
        self.steps.sort()
        self._next = 0

    def at(self, at_ts: int) -> NDArray[np.float64]:
        """Efficiency of every plant at `at_ts`; times may not go back."""
        while self._next < len(self.steps) and self.steps[self._next].ts <= at_ts:
            step = self.steps[self._next]
            self._worse[step.plant], self._since_ts[step.plant] = step.worse, step.ts
            self._next += 1
        worse: NDArray[np.float64] = self._start * (1 + self._worse + self._drift * (at_ts - self._since_ts) / MONTH_MS)
        return worse

    def labels(self) -> list[Label]:
        """Every planned maintenance: a step for the better, and no anomaly."""
        return [
            Label(
                LabelKind.MAINTENANCE,
                self._sites[step.plant],
                "",
                "energy_kgce",
                step.ts,
                None,
                -round(step.recovered, 6),
                "share",
                {"drift_a_month": round(float(self._drift[step.plant]), 6)},
            )
            for step in self.steps
        ]
