"""A plant as data: a product, and utilities whose main meter stands over the sub-meters of its consumers.

A consumer draws base + per-tonne × production (β₀ + β₁·P), plus a term of the weather, times the plant's efficiency
and a little noise. Each main meter's true flow is the sum of its consumers' and of a small loss, so that a balance
closes to the meters' own errors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from schemas.registry import Role, Sector
from simulators.climate import CITIES

if TYPE_CHECKING:
    import numpy as np

    from schemas.readings import Kind
    from schemas.registry import ProductLine, Site, VirtualMeter

CAPACITY_SPREAD = (0.6, 1.4)
"""Capacity of a further plant of a sector, relative to the first. (unsourced)"""


@dataclass(frozen=True, slots=True)
class Consumer:
    """What one part of a plant draws from a utility, in the meter's unit per hour."""

    key: str
    name: str
    name_zh: str
    base: float = 0.0
    per_t: float = 0.0
    """For each tonne of product (per MWh in a power plant)."""
    per_k: float = 0.0
    """For each kelvin of outdoor temperature above 15 °C; negative for heating: β₂ (docs/simulators.md, "Plants")."""
    pulsed: bool = False
    """Draws in heats, as an arc furnace does."""
    cooling: bool = False
    """Make-up of cooling towers: rises with the wet-bulb temperature."""
    from_tank: bool = False
    """Fed by the utility's tank, not by the main."""


@dataclass(frozen=True, slots=True)
class Tank:
    """Storage between a water main and some of its consumers, filled by a pump that switches on and off."""

    capacity_m3: float
    pump_m3_h: float
    """More than its consumers draw at full production."""
    low: float = 0.4
    high: float = 0.9
    """Shares of the capacity at which the pump starts and stops."""


@dataclass(frozen=True, slots=True)
class Utility:
    """A carrier that crosses the plant's boundary, its main meter and its consumers."""

    key: str
    kind: Kind
    carrier: str
    name: str
    name_zh: str
    rated: float
    consumers: tuple[Consumer, ...]
    role: Role = Role.CONSUMED
    period_s: float = 15.0
    sub_period_s: float = 30.0
    loss: float = 0.01
    """Share of the main flow that no sub-meter sees."""
    pressure_mpa: float = 0.3
    temperature_c: float = 20.0
    volts: float = 10_300.0
    tank: Tank | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """The product of one of several lines that run side by side, over a meter of its own."""

    key: str
    name: str
    name_zh: str
    share: float
    """Of the plant's production; the shares of all lines add up to 1."""


@dataclass(frozen=True, slots=True)
class PlantPlan:
    """A plant, as it is registered and as it consumes."""

    site: Site
    product: str
    product_zh: str
    capacity_t_h: float
    level: float
    """Usual share of capacity."""
    utilities: tuple[Utility, ...]
    grade: str = ""
    daily: float = 0.0
    peak_hour: float = 12.0
    weekly: float = 0.0
    """Share by which production is lower at the weekend."""
    noise: float = 0.02
    spread: float = 0.025
    """Consumption of energy relative to the plan is drawn once from 1 ± this."""
    feeds: tuple[Consumer, ...] = ()
    """Raw material over a weighbridge, t per t: internal, its energy leaves again in the product."""
    feed_carrier: str = ""
    outputs: tuple[Output, ...] = ()
    """Product meters in place of the single one; the site says which meters make up each line."""


def numbered(plan: PlantPlan, number: int, rng: np.random.Generator) -> PlantPlan:
    """Return the `number`-th plant of a plan's sector (from 1): the first is the plan itself, others differ in size.

    Gangue units are all of 300 MW.
    """
    if number == 1:
        return plan
    site = plan.site
    is_of_one_size = site.sector is Sector.GANGUE_POWER
    size = 1.0 if is_of_one_size else round(float(rng.uniform(*CAPACITY_SPREAD)), 2)
    stem = site.site_id.rstrip("0123456789")
    city = CITIES[int(rng.integers(len(CITIES)))]
    return replace(
        plan,
        site=site.model_copy(
            update={
                "site_id": f"{stem}{number}",
                "name": f"{site.name}, works {number}",
                "name_zh": f"{site.name_zh}{number}厂",
                "city": city.name_zh,
                "product_lines": [_line_of(line, site.site_id, f"{stem}{number}") for line in site.product_lines],
                "virtual_meters": tuple(
                    _meter_of(meter, site.site_id, f"{stem}{number}") for meter in site.virtual_meters
                ),
            }
        ),
        capacity_t_h=plan.capacity_t_h * size,
        utilities=tuple(_sized(utility, size) for utility in plan.utilities),
    )


def _line_of(line: ProductLine, first: str, own: str) -> ProductLine:
    """Return a product line of the first plant, `first`, as that of another of its sector, `own`."""
    return line.model_copy(update={"meters": [_id_of(meter, first, own) for meter in line.meters]})


def _meter_of(meter: VirtualMeter, first: str, own: str) -> VirtualMeter:
    parts = tuple(part.model_copy(update={"meter_id": _id_of(part.meter_id, first, own)}) for part in meter.parts)
    return meter.model_copy(update={"meter_id": _id_of(meter.meter_id, first, own), "parts": parts})


def _id_of(meter_id: str, first: str, own: str) -> str:
    return own + meter_id.removeprefix(first)


def _sized(utility: Utility, size: float) -> Utility:
    """Return a utility for a plant `size` times as large: what does not follow production follows the plant's size."""
    tank = utility.tank
    return replace(
        utility,
        rated=utility.rated * max(1.0, size),
        consumers=tuple(
            replace(consumer, base=consumer.base * size, per_k=consumer.per_k * size) for consumer in utility.consumers
        ),
        tank=tank and replace(tank, capacity_m3=tank.capacity_m3 * size, pump_m3_h=tank.pump_m3_h * size),
    )
