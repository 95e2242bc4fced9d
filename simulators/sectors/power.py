"""A coal-gangue power plant as data: its water and its programme; the unit itself is in `simulators.plants.gangue`."""

from __future__ import annotations

from schemas.readings import Kind
from schemas.registry import ProductLine, Sector, Site
from simulators.plants.gangue import RATED_MW, USUAL_LOAD
from simulators.plants.plan import Consumer, PlantPlan, Utility

GANGUE_POWER = PlantPlan(
    # Capacity factor near 0.60, highest in the evening.
    site=Site(
        site_id="GANGUE1",
        name="Mayi gangue power plant",
        name_zh="马邑矸石电厂",
        sector=Sector.GANGUE_POWER,
        city="朔州",
        coal_yuan_t=260,
        product_unit="MWh",
        product_lines=[ProductLine(name="Power supplied", name_zh="供电", product="power_subcritical_300")],
    ),
    product="",
    product_zh="",
    capacity_t_h=RATED_MW,
    level=USUAL_LOAD,
    daily=0.2,
    peak_hour=19,
    noise=0.05,
    spread=0.01,
    utilities=(
        Utility(
            "W", Kind.WATER, "fresh_water", "Fresh water", "新水", 900,
            period_s=60, sub_period_s=900, loss=0.004, pressure_mpa=0.5, temperature_c=12,
            consumers=(
                Consumer("COOL", "cooling tower make-up", "冷却塔补水", base=25, per_t=1.7, cooling=True),
                Consumer("FGD", "desulphurisation", "脱硫", base=3, per_t=0.15),
                Consumer("LIFE", "offices and canteen", "生活", base=5),
            ),
        ),
    ),
)  # fmt: skip
