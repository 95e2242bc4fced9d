"""Sets of five makers discharged in every way that gives a capacity: errors, bias and intervals method by method.

Each set fades between its discharges, by 1.5 to 3.5 points a year. Sensors are drawn evenly from a registered ±1 %.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from schemas.metrics.battery_health import CapacityMethod
from streams.kernels.battery.fusion import Z_90
from tests.support.worlds.battery_faults import Doubtful
from tests.support.worlds.battery_worlds import MAKERS, MethodScore

if TYPE_CHECKING:
    from collections.abc import Iterable

CLASS = 0.01
SHOWN = "shown"
NAMES = [*sorted(MAKERS), "lmfp", "nmc"]
FADES = 0.015, 0.035
"""Share of nominal lost in a year: field data on home storage, 2–3 points, and a little on either side."""


@dataclass
class Scores:
    """Of one group of cells."""

    by_method: dict[str, MethodScore] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)

    def note(self, name: str, error: float, sigma: float) -> None:
        """Count an error, points, and whether its 90 % interval holds the truth."""
        score = self.by_method.setdefault(name, MethodScore())
        score.errors.append(error)
        score.hits.append(abs(error) <= Z_90 * sigma)


def of_every_method(seed: int) -> Doubtful:
    """One set, discharged in each way in turn; without a curve only the cut-off tells."""
    rng = random.Random(seed)
    world = Doubtful(seed, NAMES[seed % len(NAMES)], accuracy=CLASS, fade_year=rng.uniform(*FADES))
    if not world.curve.foot_soh:
        for _ in range(4):
            world.use(None)
        return world
    world.use(None)
    world.use(rng.uniform(10, 25))
    world.use(rng.uniform(3.5, 5.0), rest_h=0.05)  # charged again at once, as after a core-capacity test
    world.use(45.0)
    world.use(rng.uniform(8, 28))
    world.use_twice(rng.uniform(24, 30), rng.uniform(4, 10))
    world.use(None)
    return world


def scores_of(seeds: Iterable[int]) -> dict[str, Scores]:
    """Single discharges by method, and what is shown after each, of sets with these seeds; by group of cells."""
    found: dict[str, Scores] = {}
    for seed in seeds:
        world = of_every_method(seed)
        scores = found.setdefault("LFP" if world.curve.foot_soh else "LMFP, NMC", Scores())
        capacities, history = world.estimates()
        for row in capacities:
            if row.capacity_ah is None or row.sigma_ah is None or row.method is None:
                scores.refused[str(row.reason)] += 1
                continue
            truth = world.truth_at(row.ts)
            scores.note(row.method, 100 * row.capacity_ah / world.nominal - truth, 100 * row.sigma_ah / world.nominal)
        for shown in history:
            if shown.soh_pct is not None and shown.sigma_pct is not None:
                scores.note(SHOWN, shown.soh_pct - world.truth_at(shown.ts), shown.sigma_pct)
    return found


METHODS = [*CapacityMethod, SHOWN]
