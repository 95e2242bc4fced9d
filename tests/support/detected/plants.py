"""Hours of a whole plant: campaigns, and energy that production explains but for what is put in."""

from __future__ import annotations

import random

from schemas.metrics import PlantHour, Quality
from schemas.registry import Sector, Site
from schemas.time import HOUR_MS

SITE = Site(site_id="plant-1", name="Plant", name_zh="厂", sector=Sector.STEEL, city="长治")

T0 = 1_780_243_200_000

BLANK = dict.fromkeys(PlantHour._fields)


def hour(at: int, production: float | None, energy: float | None, known: float = 1.0) -> PlantHour:
    """One hour of a whole plant."""
    fields = BLANK | {
        "site_id": "plant-1", "line_id": "plant", "ts": T0 + at * HOUR_MS, "energy_kgce": energy,
        "production": production, "energy_known": known, "water_known": known, "production_known": known,
        "coverage": known, "quality": Quality.GOOD if known == 1 else Quality.PARTIAL, "reference_version": "t",
    }  # fmt: skip
    return PlantHour(**fields)  # type: ignore[arg-type]


def plant(hours: int, step: float = 0.0, from_hour: int = 10**9, seed: int = 2, noise: float = 0.02) -> list[PlantHour]:
    """Campaigns between half and full load; energy is a base, so much a tonne, and noise; less efficient by `step`."""
    rng = random.Random(seed)
    load, rows = 1.0, []
    for at in range(hours):
        load = rng.choice([0.5, 0.8, 1.0]) if rng.random() < 0.02 else load
        tonnes = 100 * load * (1 + rng.gauss(0, 0.03))
        energy = (2_000 + 380 * tonnes) * (1 + step * (at >= from_hour)) * (1 + rng.gauss(0, noise))
        rows.append(hour(at, tonnes, energy))
    return rows
