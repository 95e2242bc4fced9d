"""Plans laid out as flows, consumers, mains, tanks and meters: the one numbering that everything in a works shares."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from schemas.readings import Kind
from schemas.registry import Device, Role
from simulators.plants.meters import Meter
from simulators.plants.plan import Consumer

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from simulators.plants.plan import PlantPlan, Tank, Utility

MAIN_ERROR = {Kind.ELECTRICITY: 0.002, Kind.WATER: 0.005}
SUB_ERROR = {Kind.ELECTRICITY: 0.005, Kind.WATER: 0.0075}
"""Standard deviation of a meter's gain, held to twice that; (unsourced) but for water sub-meters.

Those are of ± 1–2 % (docs/simulators.md, "Parameters and their sources"): here of what lies between.
"""
OTHER_ERROR = 0.01
_PLACES = {
    "0": (Role.CONSUMED, "main", "总表"),
    "T": (Role.STORED, "into the tank", "蓄水池进水表"),
    "D": (Role.DRAWN, "out of the tank", "蓄水池出水表"),
}


class ConsumerRow(NamedTuple):
    """One consumer in place."""

    consumer: Consumer
    plant: int
    flow: int
    main: int
    device_id: str
    energy: bool
    """Whether the plant's efficiency acts on it: on every carrier but water."""


class MainRow(NamedTuple):
    """One main meter in place."""

    utility: Utility
    plant: int
    flow: int
    device_id: str


class TankRow(NamedTuple):
    """One tank in place: what its pump fills in, and what its consumers draw out."""

    tank: Tank
    plant: int
    main: int
    fill: int
    draw: int


@dataclass(slots=True)
class PlantLayout:
    """Everything of several plants, each thing with its index."""

    plans: Sequence[PlantPlan]
    rng: np.random.Generator
    """Draws the meters' errors."""
    flows: int = 0
    products: list[int] = field(default_factory=list)
    """Flow of each plant's product."""
    feeds: list[tuple[int, int, float]] = field(default_factory=list)
    """What follows production, raw material and the products of single lines: plant, flow and tonnes per tonne."""
    consumers: list[ConsumerRow] = field(default_factory=list)
    mains: list[MainRow] = field(default_factory=list)
    tanks: list[TankRow] = field(default_factory=list)
    meters: list[Meter] = field(default_factory=list)

    def flow(self) -> int:
        """Return a new flow."""
        self.flows += 1
        return self.flows - 1

    def gain(self, sd: float) -> float:
        """Draw a meter's gain, within two standard deviations."""
        return 1 + sd * max(-2.0, min(2.0, float(self.rng.standard_normal())))


def lay_out(plans: Sequence[PlantPlan], rng: np.random.Generator) -> PlantLayout:
    """Number everything of `plans`. A power plant's product is its unit's business: it gets a flow, but no meter."""
    layout = PlantLayout(plans, rng)
    for number, plan in enumerate(plans):
        layout.products.append(layout.flow())
        _add_products(layout, number, plan)
        for utility in plan.utilities:
            _add_utility(layout, number, plan, utility)
        for feed in plan.feeds:
            _add_feed(layout, number, feed)
    return layout


def _add_products(layout: PlantLayout, number: int, plan: PlantPlan) -> None:
    """Add the meter of a plant's product, or one for each of its lines."""
    if plan.product and not plan.outputs:
        product = Consumer("MES", plan.product, plan.product_zh, per_t=1.0)
        _add_scale(layout, number, product, layout.products[number], Role.PRODUCT)
    for output in plan.outputs:
        product = Consumer(output.key, output.name, output.name_zh, per_t=output.share)
        _add_scale(layout, number, product, _share_of_production(layout, number, output.share), Role.PRODUCT)


def _add_feed(layout: PlantLayout, number: int, feed: Consumer) -> None:
    _add_scale(layout, number, feed, _share_of_production(layout, number, feed.per_t), Role.INTERNAL)


def _share_of_production(layout: PlantLayout, number: int, per_t: float) -> int:
    """Return a new flow that follows a plant's production."""
    flow = layout.flow()
    layout.feeds.append((number, flow, per_t))
    return flow


def _add_scale(layout: PlantLayout, number: int, what: Consumer, flow: int, role: Role) -> None:
    """Add a scale: of a product, which tells state and grade as well, or of raw material."""
    plan, is_product = layout.plans[number], role is Role.PRODUCT
    device = Device(
        device_id=f"{plan.site.site_id}-{what.key}",
        site_id=plan.site.site_id,
        kind=Kind.PRODUCTION,
        name=what.name,
        name_zh=what.name_zh,
        period_s=60,
        role=role,
        carrier="" if is_product else plan.feed_carrier,
    )
    usual = what.per_t * plan.capacity_t_h * plan.level
    plant, grade = (number, plan.grade) if is_product else (-1, "")
    layout.meters.append(Meter(device, flow, gain=1.0, usual=usual, plant=plant, grade=grade))


def _add_utility(layout: PlantLayout, number: int, plan: PlantPlan, utility: Utility) -> None:
    """Add the main meter of a utility, its tank's filling meter and the sub-meters of its consumers."""
    main, flow = len(layout.mains), layout.flow()
    product = plan.capacity_t_h * plan.level
    usual = [consumer.base + consumer.per_t * product for consumer in utility.consumers]
    main_id = f"{plan.site.site_id}-{utility.key}0"
    layout.mains.append(MainRow(utility, number, flow, main_id))
    _add_meter(layout, plan, utility, place="0", flow=flow, usual=sum(usual) / (1 - utility.loss))
    if utility.tank is not None:
        fill, draw = layout.flow(), layout.flow()
        layout.tanks.append(TankRow(utility.tank, number, main, fill, draw))
        drawn = sum(each for each, consumer in zip(usual, utility.consumers, strict=True) if consumer.from_tank)
        _add_meter(layout, plan, utility, place="T", flow=fill, usual=drawn)
        _add_meter(layout, plan, utility, place="D", flow=draw, usual=drawn)
    for place, (consumer, each) in enumerate(zip(utility.consumers, usual, strict=True), 1):
        part = layout.flow()
        device_id = _add_meter(layout, plan, utility, place=str(place), flow=part, usual=each)
        energy = utility.kind is not Kind.WATER
        layout.consumers.append(ConsumerRow(consumer, number, part, main, device_id, energy))


def _add_meter(layout: PlantLayout, plan: PlantPlan, utility: Utility, *, place: str, flow: int, usual: float) -> str:
    """Add the meter at one place of a utility: 0 the main, T and D into and out of the tank, else a consumer."""
    is_main = place == "0"
    if place in _PLACES:
        role, suffix, suffix_zh = _PLACES[place]
        name, name_zh = f"{utility.name}, {suffix}", f"{utility.name_zh}{suffix_zh}"
    else:
        role, consumer = Role.INTERNAL, utility.consumers[int(place) - 1]
        name, name_zh = f"{utility.name}, {consumer.name}", f"{consumer.name_zh}{utility.name_zh}表"
    error = (MAIN_ERROR if is_main else SUB_ERROR).get(utility.kind, OTHER_ERROR)
    device = Device(
        device_id=f"{plan.site.site_id}-{utility.key}{place}",
        site_id=plan.site.site_id,
        kind=utility.kind,
        name=name,
        name_zh=name_zh,
        period_s=utility.period_s if is_main else utility.sub_period_s,
        role=utility.role if is_main else role,
        carrier=utility.carrier,
        rated=utility.rated,
        accuracy=2 * error,
    )
    layout.meters.append(
        Meter(
            device,
            flow,
            gain=layout.gain(error),
            usual=usual,
            volts=utility.volts,
            exports=utility.role is Role.EXPORTED and utility.kind is Kind.ELECTRICITY,
            pressure_mpa=utility.pressure_mpa,
            temperature_c=utility.temperature_c,
        )
    )
    return device.device_id
