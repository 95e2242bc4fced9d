"""A plant as data: a product, and utilities whose main meter stands over the sub-meters of its consumers.

A consumer draws base + per-tonne × production, times the plant's efficiency and a little noise. Each main meter's true
flow is the sum of its consumers' and of a small loss, so that a balance closes to the meters' own errors.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from schemas.readings import Kind
from schemas.registry import Device, Role, Site
from simulators.campaign import Campaign
from simulators.message import Message
from simulators.meters import ElectricityMeter, Flow, Meter, PipeMeter, ProductionMeter

if TYPE_CHECKING:
    from simulators.climate import Climate

TICK_MS = 10_000
EFFICIENCY = (0.975, 1.025)
"""Consumption of a plant relative to its plan, drawn once."""
NOISE = 0.01
MAIN_ERROR = {Kind.ELECTRICITY: 0.002, Kind.WATER: 0.005}
SUB_ERROR = {Kind.ELECTRICITY: 0.005, Kind.WATER: 0.015}
"""Standard deviation of a meter's gain; water sub-meters ±1–2 % (simulator specification, "Plants")."""
OTHER_ERROR = 0.01
HEAT_S = 3_000.0
"""Tap-to-tap time of an arc furnace. (unsourced)"""
HEAT_ON_SHARE = 0.72
HEAT_OFF_LEVEL = 0.08
HEAT_ON_LEVEL = (1 - (1 - HEAT_ON_SHARE) * HEAT_OFF_LEVEL) / HEAT_ON_SHARE


@dataclass(frozen=True, slots=True)
class Consumer:
    """What one part of a plant draws from a utility, in the meter's unit per hour."""

    key: str
    name: str
    name_zh: str
    base: float = 0.0
    per_t: float = 0.0
    """For each tonne of product (per MWh in a power plant)."""
    pulsed: bool = False
    """Draws in heats, as an arc furnace does."""


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
    noise: float = 0.02
    feeds: tuple[Consumer, ...] = field(default=())
    """Raw material over a weighbridge, t per t: internal, its energy leaves again in the product."""
    feed_carrier: str = ""


def gain(rng: random.Random, sd: float) -> float:
    """Draw a meter's gain, within two standard deviations."""
    return 1 + sd * max(-2.0, min(2.0, rng.gauss(0, 1)))


class Plant:
    """Ticks of ten seconds; every meter is read at its own period and moment."""

    def __init__(self, site: Site, seed: int, start_ms: int) -> None:
        self.site = site
        self.rng = random.Random(f"{seed}/{site.site_id}")
        self.start_ms = self.tick_ms = start_ms
        self.flows: list[Flow] = []
        self.meters: list[Meter] = []
        self._seq: dict[str, int] = {}

    def flow(self) -> Flow:
        """Return a new flow of this plant."""
        self.flows.append(Flow())
        return self.flows[-1]

    def devices_registered(self) -> list[Device]:
        """All devices of this plant, for the registry."""
        return [meter.device for meter in self.meters]

    @property
    def readings_per_s(self) -> float:
        """Readings per second of event time."""
        return sum(1 / meter.device.period_s for meter in self.meters)

    def process(self, ts_ms: int) -> None:
        """Set the rates of all flows for the tick that begins at `ts_ms`."""
        raise NotImplementedError

    def unmetered(self, until_ms: int) -> list[Message]:  # noqa: ARG002 - a hook
        """Messages beside the meters', before `until_ms`."""
        return []

    def message(self, device: Device, topic: str, ts_ms: int, values: dict[str, object]) -> Message:
        """Put the common fields before the values."""
        seq = self._seq.get(device.device_id, 0)
        self._seq[device.device_id] = seq + 1
        return Message(topic, device.device_id, [{"ts": ts_ms, "seq": seq, **values}])

    def generate(self, until_ms: int) -> list[Message]:
        """All messages of whole ticks up to `until_ms` that have not been given yet; not sorted."""
        messages: list[Message] = []
        while self.tick_ms + TICK_MS <= until_ms:
            tick, end = self.tick_ms, self.tick_ms + TICK_MS
            self.process(tick)
            for meter in self.meters:
                while meter.due_ms < end:
                    values = meter.read(meter.due_ms - tick)
                    messages.append(self.message(meter.device, meter.topic, meter.due_ms, values))
                    meter.due_ms += round(meter.device.period_s * 1_000)
            for flow in self.flows:
                flow.carry(TICK_MS)
            messages += self.unmetered(end)
            self.tick_ms = end
        return messages


class ProcessPlant(Plant):
    """A plant that is nothing but its plan."""

    def __init__(self, plan: PlantPlan, seed: int, start_ms: int, climate: Climate | None = None) -> None:  # noqa: ARG002 - plans with a weather term come with it
        super().__init__(plan.site, seed, start_ms)
        self.plan = plan
        rng = self.rng
        self.efficiency = rng.uniform(*EFFICIENCY)
        self.campaign = Campaign(rng, level=plan.level, daily=plan.daily, peak_hour=plan.peak_hour, noise=plan.noise)
        self._heat_s = rng.uniform(0, HEAT_S)
        self._product = self.flow()
        self._add_product()
        self._mains: list[tuple[Utility, Flow, list[tuple[Consumer, Flow]]]] = [
            (utility, *add_utility(self, utility)) for utility in plan.utilities
        ]
        self._feeds = [(feed, self._add_feed(feed)) for feed in plan.feeds]

    def process(self, ts_ms: int) -> None:
        """Production first; everything else follows from it."""
        rng, seconds = self.rng, TICK_MS / 1_000
        produced = self.campaign.step(ts_ms, seconds) * self.plan.capacity_t_h
        self._product.rate = produced
        heat = self._heat_level(seconds, producing=produced > 0)
        for feed, flow in self._feeds:
            flow.rate = feed.per_t * produced
        for utility, main, consumers in self._mains:
            drawn = 0.0
            for consumer, flow in consumers:
                variable = consumer.per_t * produced * (heat if consumer.pulsed else 1.0)
                flow.rate = self.efficiency * (consumer.base + variable) * max(0.0, 1 + rng.gauss(0, NOISE))
                drawn += flow.rate
            main.rate = drawn / (1 - utility.loss)

    def _heat_level(self, seconds: float, *, producing: bool) -> float:
        """Power of a batch furnace relative to its mean over a heat."""
        if producing:
            self._heat_s = (self._heat_s + seconds) % HEAT_S
        return HEAT_ON_LEVEL if self._heat_s < HEAT_ON_SHARE * HEAT_S else HEAT_OFF_LEVEL

    def _add_product(self) -> None:
        plan, site_id = self.plan, self.site.site_id
        device = Device(
            device_id=f"{site_id}-MES",
            site_id=site_id,
            kind=Kind.PRODUCTION,
            name=plan.product,
            name_zh=plan.product_zh,
            period_s=60,
            role=Role.PRODUCT,
        )
        self.meters.append(
            ProductionMeter(
                device,
                self._product,
                self.rng,
                gain=1.0,
                start_ms=self.start_ms,
                campaign=self.campaign,
                grade=plan.grade,
            )
        )

    def _add_feed(self, feed: Consumer) -> Flow:
        flow, site_id = self.flow(), self.site.site_id
        device = Device(
            device_id=f"{site_id}-{feed.key}",
            site_id=site_id,
            kind=Kind.PRODUCTION,
            name=feed.name,
            name_zh=feed.name_zh,
            period_s=60,
            carrier=self.plan.feed_carrier,
        )
        self.meters.append(ProductionMeter(device, flow, self.rng, gain=1.0, start_ms=self.start_ms))
        return flow


def add_utility(plant: Plant, utility: Utility) -> tuple[Flow, list[tuple[Consumer, Flow]]]:
    """Give `plant` the main meter of a utility and the sub-meters of its consumers; return their flows."""
    site_id, rng, main = plant.site.site_id, plant.rng, plant.flow()
    device = Device(
        device_id=f"{site_id}-{utility.key}0",
        site_id=site_id,
        kind=utility.kind,
        name=f"{utility.name}, main",
        name_zh=f"{utility.name_zh}总表",
        period_s=utility.period_s,
        role=utility.role,
        carrier=utility.carrier,
        rated=utility.rated,
    )
    error = gain(rng, MAIN_ERROR.get(utility.kind, OTHER_ERROR))
    plant.meters.append(_meter(device, main, plant, utility, error))
    parts: list[tuple[Consumer, Flow]] = []
    for number, consumer in enumerate(utility.consumers, 1):
        flow = plant.flow()
        sub = Device(
            device_id=f"{site_id}-{utility.key}{number}",
            site_id=site_id,
            kind=utility.kind,
            name=f"{utility.name}, {consumer.name}",
            name_zh=f"{consumer.name_zh}{utility.name_zh}表",
            period_s=utility.sub_period_s,
            carrier=utility.carrier,
            rated=utility.rated,
        )
        plant.meters.append(_meter(sub, flow, plant, utility, gain(rng, SUB_ERROR.get(utility.kind, OTHER_ERROR))))
        parts.append((consumer, flow))
    return main, parts


def _meter(device: Device, flow: Flow, plant: Plant, utility: Utility, error: float) -> Meter:
    if device.kind is Kind.ELECTRICITY:
        return ElectricityMeter(device, flow, plant.rng, gain=error, start_ms=plant.start_ms, volts=utility.volts)
    return PipeMeter(
        device,
        flow,
        plant.rng,
        gain=error,
        start_ms=plant.start_ms,
        pressure_mpa=utility.pressure_mpa,
        temperature_c=utility.temperature_c,
    )
