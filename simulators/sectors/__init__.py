"""The eight sectors' plants, as data; further plants of a sector are drawn after its first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from schemas.registry import Sector
from simulators.plants.plan import PlantPlan, numbered
from simulators.sectors.coal_chemistry import AMMONIA, COKING, METHANOL
from simulators.sectors.metals import ALUMINIUM, STEEL
from simulators.sectors.minerals import CAUSTIC_SODA, CEMENT
from simulators.sectors.power import GANGUE_POWER

if TYPE_CHECKING:
    from collections.abc import Mapping

PLANS: dict[Sector, PlantPlan] = {
    Sector(plan.site.sector): plan
    for plan in (GANGUE_POWER, STEEL, COKING, AMMONIA, METHANOL, CEMENT, ALUMINIUM, CAUSTIC_SODA)
}
"""The first plant of every sector."""


def plans_for(counts: Mapping[Sector, int], seed: int) -> list[PlantPlan]:
    """As many plants of each sector as asked for; a plant is the same however many stand beside it."""
    return [
        numbered(plan, number, np.random.default_rng([seed, 4, place, number]))
        for place, (sector, plan) in enumerate(PLANS.items())
        for number in range(1, counts.get(sector, 0) + 1)
    ]
